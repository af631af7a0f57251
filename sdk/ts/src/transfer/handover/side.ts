import type { Bytes } from "../../bytes.js";
import type { Half } from "./half.js";
import type { Step } from "./messages.js";

/** Side is what both phones' halves tell of themselves. It prints nothing of what it holds. */
export abstract class Side {
  readonly #half: Half;

  protected constructor(half: Half) {
    this.#half = half;
  }

  /** id is the transfer's name: "t_" and 26 characters. */
  get id(): string {
    return this.#half.code.transferId();
  }

  /** has reports whether a message is there. */
  has(step: Step): boolean {
    return this.#half.transcript.has(step);
  }

  /** before is the transcript value before a message: what the owner's step-up for it is over. */
  before(step: Step): Bytes {
    return this.#half.transcript.before(step);
  }

  /** value is the transcript value of a message. */
  value(step: Step): Bytes {
    return this.#half.transcript.value(step);
  }

  toJSON(): string {
    return "[redacted]";
  }
}
