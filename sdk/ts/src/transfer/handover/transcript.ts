import { type Bytes, equal } from "../../bytes.js";
import { HandoverError } from "./errors.js";
import { type Envelope, type Step, valueOf } from "./messages.js";

/** Turn is a message that was made or taken. */
export interface Turn {
  readonly envelope: Envelope;
  readonly value: Bytes;
}

/** follows names the message that each comes behind. */
const follows: { readonly [S in Exclude<Step, "offer">]: Step } = {
  hello: "offer", answer: "hello", matched: "answer", confirm: "matched", grant: "confirm", receipt: "grant", ack: "receipt", recall: "receipt", final: "ack",
};

/**
 * Transcript is the running one: each value is over the one before it, so that a message
 * says yes to all that went before.
 */
export class Transcript {
  #turns = new Map<Step, Turn>();

  /** turn is a message that is there, or undefined. */
  turn(step: Step): Turn | undefined {
    return this.#turns.get(step);
  }

  /** has reports whether a message is there. */
  has(step: Step): boolean {
    return this.#turns.has(step);
  }

  /** put notes a message. */
  put(step: Step, turn: Turn): void {
    this.#turns.set(step, turn);
  }

  /**
   * before is the transcript value before a message: what the owner's step-up for this message
   * is over. It throws a HandoverError "order".
   */
  before(step: Step): Bytes {
    if (step === "offer") {
      return new Uint8Array(32);
    }
    const prev = this.#turns.get(follows[step]);
    if (prev === undefined) {
      throw new HandoverError("order", `out of order: no ${follows[step]} yet for this ${step}`);
    }
    return prev.value;
  }

  /** value is the transcript value of a message. It throws a HandoverError "order". */
  value(step: Step): Bytes {
    return this.need(step).value;
  }

  /** need is a message that must be there. It throws a HandoverError "order". */
  need(step: Step): Turn {
    const turn = this.#turns.get(step);
    if (turn === undefined) {
      throw new HandoverError("order", `out of order: no ${step} yet`);
    }
    return turn;
  }

  /** next is the value that a message would have here. */
  next(step: Step, message: Uint8Array): Bytes {
    return valueOf(step, this.before(step), message);
  }

  /** again reports whether this envelope has come before. Another one in its place is a HandoverError "order". */
  again(step: Step, e: Envelope): boolean {
    const old = this.#turns.get(step)?.envelope;
    if (old === undefined) {
      return false;
    }
    if (equal(old.message, e.message) && equal(old.mac, e.mac) && equal(old.proof, e.proof)) {
      return true;
    }
    throw new HandoverError("order", `out of order: another ${step} is there already`);
  }
}
