// Token buckets by name: one client cannot take what others need (CERT-S-3). They are of this process alone.

/** Names that are remembered; beyond, the buckets that are full again are forgotten first. */
const MOST = 100_000;

interface Bucket {
  tokens: number;
  at: number;
}

export class RateLimit {
  readonly #burst: number;
  readonly #perSecond: number;
  /** Milliseconds that only rise. */
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: { readonly burst: number; readonly perSecond: number }, now = () => performance.now()) {
    this.#burst = rate.burst;
    this.#perSecond = rate.perSecond;
    this.#now = now;
  }

  /** Whether one more may come. */
  take(name: string): boolean {
    const now = this.#now();
    const bucket = this.#buckets.get(name) ?? { tokens: this.#burst, at: now };
    const tokens = Math.min(this.#burst, bucket.tokens + ((now - bucket.at) / 1000) * this.#perSecond);
    const granted = tokens >= 1;
    // The map is in the order of the last visits: the first is the one that was quiet longest.
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: granted ? tokens - 1 : tokens, at: now });
    if (this.#buckets.size > MOST) this.#buckets.delete(this.#buckets.keys().next().value ?? '');
    return granted;
  }
}
