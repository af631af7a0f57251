/** Span is a range of records: from first to before end. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

/** Spans are ranges that were added in any order. */
export class Spans {
  #all: Span[] = []; // disjoint, ascending

  /** add takes one more range. */
  add(s: Span): void {
    const apart = this.#all.filter((h) => h.end < s.first || s.end < h.first);
    const near = this.#all.filter((h) => h.end >= s.first && s.end >= h.first);
    const first = Math.min(s.first, ...near.map((h) => h.first));
    const end = Math.max(s.end, ...near.map((h) => h.end));
    this.#all = [...apart, { first, end }].sort((a, b) => a.first - b.first);
  }

  /** meets reports whether some of a range was added. */
  meets(s: Span): boolean {
    return this.#all.some((h) => h.first < s.end && s.first < h.end);
  }
}
