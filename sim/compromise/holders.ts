// Keys that can be stolen, one by one: what an attacker of this model may have.

/** What a thief may hold; the order is that of the bits in a `Loot`. */
export const HOLDERS = [
  'Director root',
  'Director targets',
  'Director snapshot',
  'Director timestamp',
  'Image root',
  'Image targets',
  'Image snapshot',
  'Image timestamp',
  'supplier',
  'Primary',
  'Secondary',
  'time',
] as const;

export type Holder = (typeof HOLDERS)[number];

/** A set of stolen keys. */
export type Loot = ReadonlySet<Holder>;

/** Every set of stolen keys, from none to all of them. */
export function* everyLoot(): Generator<Loot> {
  for (let bits = 0; bits < 1 << HOLDERS.length; bits++)
    yield new Set(HOLDERS.filter((_, index) => (bits >> index) & 1));
}

/** What it comes to: whoever has the key of a root has those of all its roles, since he can name others. */
export function effective(loot: Loot): Loot {
  const above = (holder: Holder): Holder | undefined => {
    if (holder === 'supplier') return 'Image root';
    const [repository] = holder.split(' ');
    return repository === 'Director' || repository === 'Image' ? `${repository} root` : undefined;
  };
  return new Set(
    [...loot].filter((holder) => {
      const root = above(holder);
      return root === undefined || root === holder || !loot.has(root);
    }),
  );
}

/** Whether all of `less` is in `loot`. */
export function includes(loot: Loot, less: Loot): boolean {
  return [...less].every((holder) => loot.has(holder));
}

/** Those that hold no other one of them. */
export function smallest(loots: readonly Loot[]): Loot[] {
  const bySize = [...loots].sort((a, b) => a.size - b.size);
  const found: Loot[] = [];
  for (const loot of bySize) if (!found.some((less) => includes(loot, less))) found.push(loot);
  return found;
}

export function nameOf(loot: Loot): string {
  return HOLDERS.filter((holder) => loot.has(holder)).join(' + ') || 'nothing';
}
