/** One measured row. `ratio` is the peer's time over ours (above 1: we are faster) unless the id says otherwise. */
export interface Row {
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  readonly peer?: string;
  readonly peerVersion?: string;
  readonly ratio?: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
