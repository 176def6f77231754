// The suffix array by induced sorting (SA-IS: Nong, Zhang, Chan, "Two Efficient Algorithms for Linear Time Suffix Array
// Construction", 2011). Linear in time; besides the text and the array, which holds the recursion's text and array too,
// at most 4 bytes a byte of text for types and buckets, mostly 1.
//
// A suffix is of type S when it sorts before the one that starts a byte later, else L; the empty suffix at the end
// sorts before all. An LMS suffix is of type S behind one of type L.

const EMPTY = -1;

/** Where the suffixes of `text` start, in their order. */
export function suffixArray(text: Uint8Array): Int32Array {
  const array = new Int32Array(text.length);
  sortSuffixes(text, array, 256);
  return array;
}

/** `text` has letters below `letters`. */
function sortSuffixes(text: Uint8Array | Int32Array, array: Int32Array, letters: number): void {
  const length = text.length;
  if (length < 2) {
    array.fill(0);
    return;
  }
  const sorter = new Sorter(text, array, letters);
  sorter.sortLmsSubstrings();
  const count = sorter.gatherLms();
  const names = sorter.nameLms(count);
  // The text of names, at the far end of the array; its suffix array, at the near one.
  const reduced = array.subarray(length - count);
  const order = array.subarray(0, count);
  if (names < count) sortSuffixes(reduced, order, names);
  else for (let i = 0; i < count; i++) order[reduced[i] as number] = i;
  sorter.sortFrom(order, reduced);
}

class Sorter {
  readonly #text: Uint8Array | Int32Array;
  readonly #array: Int32Array;
  /** 1: the suffix is of type S. */
  readonly #isS: Uint8Array;
  /** Where the next suffix of each letter goes. */
  readonly #bucket: Int32Array;

  constructor(text: Uint8Array | Int32Array, array: Int32Array, letters: number) {
    this.#text = text;
    this.#array = array;
    this.#bucket = new Int32Array(letters);
    const isS = new Uint8Array(text.length);
    for (let i = text.length - 2; i >= 0; i--) {
      const letter = text[i] as number;
      const next = text[i + 1] as number;
      isS[i] = letter < next || (letter === next && isS[i + 1] === 1) ? 1 : 0;
    }
    this.#isS = isS;
  }

  #isLms(at: number): boolean {
    return at > 0 && this.#isS[at] === 1 && this.#isS[at - 1] === 0;
  }

  /** In the order of the parts from one LMS suffix to the next, which is all that the second sort needs. */
  sortLmsSubstrings(): void {
    this.#array.fill(EMPTY);
    this.#toEnds();
    for (let i = this.#text.length - 1; i > 0; i--) if (this.#isLms(i)) this.#putLast(i);
    this.#induce();
  }

  /** Moves the LMS suffixes to the front; how many there are. */
  gatherLms(): number {
    const array = this.#array;
    let count = 0;
    for (let i = 0; i < array.length; i++) {
      const at = array[i] as number;
      if (this.#isLms(at)) array[count++] = at;
    }
    return count;
  }

  /** Writes the rank of each LMS substring, in the order of the text, to the far end; how many ranks there are. */
  nameLms(count: number): number {
    const array = this.#array;
    array.fill(EMPTY, count);
    let name = -1;
    let last = -1;
    for (let i = 0; i < count; i++) {
      const at = array[i] as number;
      if (last < 0 || !this.#sameLms(last, at)) name++;
      // No two LMS suffixes are neighbours.
      array[count + (at >> 1)] = name;
      last = at;
    }
    for (let i = array.length - 1, end = array.length; end > array.length - count; i--) {
      if (array[i] !== EMPTY) array[--end] = array[i] as number;
    }
    return name + 1;
  }

  #sameLms(a: number, b: number): boolean {
    const text = this.#text;
    for (let i = 0; ; i++) {
      if (a + i >= text.length || b + i >= text.length) return false;
      if (text[a + i] !== text[b + i] || this.#isS[a + i] !== this.#isS[b + i]) return false;
      if (i > 0 && this.#isLms(a + i)) return this.#isLms(b + i);
    }
  }

  /** Sorts all suffixes from the order of the LMS ones. `places` is written over. */
  sortFrom(order: Int32Array, places: Int32Array): void {
    const array = this.#array;
    for (let i = 1, next = 0; i < array.length; i++) if (this.#isLms(i)) places[next++] = i;
    for (let i = 0; i < order.length; i++) order[i] = places[order[i] as number] as number;
    array.fill(EMPTY, order.length);
    this.#toEnds();
    for (let i = order.length - 1; i >= 0; i--) {
      const at = array[i] as number;
      array[i] = EMPTY;
      this.#putLast(at);
    }
    this.#induce();
  }

  #induce(): void {
    const { length } = this.#array;
    const array = this.#array;
    this.#toStarts();
    this.#putFirst(length - 1);
    for (let i = 0; i < length; i++) {
      const at = (array[i] as number) - 1;
      if (at >= 0 && this.#isS[at] === 0) this.#putFirst(at);
    }
    this.#toEnds();
    for (let i = length - 1; i >= 0; i--) {
      const at = (array[i] as number) - 1;
      if (at >= 0 && this.#isS[at] === 1) this.#putLast(at);
    }
  }

  #putFirst(at: number): void {
    const letter = this.#text[at] as number;
    const place = this.#bucket[letter] as number;
    this.#array[place] = at;
    this.#bucket[letter] = place + 1;
  }

  #putLast(at: number): void {
    const letter = this.#text[at] as number;
    const place = (this.#bucket[letter] as number) - 1;
    this.#array[place] = at;
    this.#bucket[letter] = place;
  }

  #toEnds(): void {
    const bucket = this.#bucket.fill(0);
    for (const letter of this.#text) bucket[letter] = (bucket[letter] as number) + 1;
    for (let i = 1; i < bucket.length; i++) bucket[i] = (bucket[i] as number) + (bucket[i - 1] as number);
  }

  #toStarts(): void {
    this.#toEnds();
    this.#bucket.copyWithin(1, 0);
    this.#bucket[0] = 0;
  }
}
