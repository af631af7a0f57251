/** Telling what happens: one event after the other, and progress at most once a second. */
import type { MoveEvent, Phase, Progress, Told } from "./types.js";

const rateOver = 10; // seconds that the average goes back
const rateAfter = 3; // seconds before there is a rate
export const tellEvery = 1000; // ms

/** Measure is what changes of progress. */
export interface Measure {
  phase: Phase;
  revision: number;
  done: number;
  total: number;
  objects: number;
  objectsTotal: number;
}

/** Teller tells events with their time, and keeps progress. */
export class Teller {
  transfer = "";
  #measure: Measure | undefined;
  #told = 0;
  #rate = new Rate();
  readonly #to: ((event: MoveEvent) => void) | undefined;
  readonly #now: () => number;

  constructor(to: ((event: MoveEvent) => void) | undefined, now: () => number) {
    this.#to = to;
    this.#now = now;
  }

  /** tell tells one event. */
  tell(event: Told): void {
    this.#to?.({ ...event, at: new Date(this.#now()), transfer: this.transfer });
  }

  /** phase says what is done now, if it is another phase than before. */
  phase(name: Phase): void {
    this.update({ phase: name });
  }

  /**
   * update changes progress, and tells of it: at once when the phase is another, else at most once a second. What is
   * durable at the new phone is the only measure: it never falls within a revision.
   */
  update(change: Partial<Measure>): void {
    const before = this.#measure;
    const next: Measure = { phase: "pair", revision: 0, done: 0, total: 0, objects: 0, objectsTotal: 0, ...before, ...change };
    const now = this.#now();
    if (before !== undefined && next.revision !== before.revision) {
      this.#rate = new Rate();
    } else if (before !== undefined && next.done < before.done) {
      next.done = before.done;
    }
    if (next.phase === "hold") { // nothing is opened: there is no end in sight
      this.#rate = new Rate();
    }
    this.#measure = next;
    this.#rate.add(now, next.done);
    if (next.phase === before?.phase && (next.done === before.done || now - this.#told < tellEvery)) {
      return;
    }
    this.#told = now;
    const rate = this.#rate.at(now);
    const eta = next.phase === "copy" && next.total > 0 ? etaOf(rate, next.total - Math.min(next.done, next.total)) : undefined;
    const progress: Progress = { event: "progress", ...next, ...(rate === undefined ? {} : { rate }), ...(eta === undefined ? {} : { eta }) };
    this.tell(progress);
  }
}

/** etaOf is how long the rest takes in ms. It is never 0: as long as the account has not moved, it is not done. */
export function etaOf(rate: number | undefined, rest: number): number | undefined {
  if (rate === undefined || rate <= 0) {
    return undefined;
  }
  const seconds = Math.max(1, Math.ceil(rest / rate));
  return seconds > 2 ** 31 ? undefined : seconds * 1000;
}

/** Rate is an exponential average of bytes a second. */
export class Rate {
  #began: number | undefined;
  #last = 0;
  #done = 0;
  #average = 0;

  /** add takes how much is done at a time in ms. */
  add(now: number, done: number): void {
    if (this.#began === undefined) {
      this.#began = this.#last = now;
      this.#done = done;
      return;
    }
    const d = (now - this.#last) / 1000;
    if (d < 0.1) {
      return;
    }
    const step = Math.max(0, done - this.#done) / d;
    const whole = (now - this.#began) / 1000;
    const keep = whole < rateOver ? (whole - d) / whole : Math.exp(-d / rateOver); // so far it is the plain average
    this.#average = keep * this.#average + (1 - keep) * step;
    this.#last = now;
    this.#done = done;
  }

  /** at is undefined until there are three seconds of it. */
  at(now: number): number | undefined {
    return this.#began === undefined || (now - this.#began) / 1000 < rateAfter ? undefined : this.#average;
  }
}
