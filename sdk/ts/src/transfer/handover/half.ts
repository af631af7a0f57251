import { type Bytes, equal } from "../../bytes.js";
import { beaconBLE, beaconLAN, beaconNFC, type Code } from "./code.js";
import { erased, HandoverError } from "./errors.js";
import { type Class, decodeMessage, encodeMessage, type Envelope, type Messages, type Step } from "./messages.js";
import type { HalfOptions, Prover } from "./options.js";
import { deviceProof, verifyProof } from "./proof.js";
import { macOf } from "./schedule.js";
import type { Secret } from "./secret.js";
import { Transcript } from "./transcript.js";

/** whose says who makes a message with a MAC; the others have none. */
const whose: { readonly [S in Step]?: "c" | "n" } = { hello: "c", answer: "n", matched: "n", confirm: "c" };

/** Half is what both phones have. */
export class Half {
  readonly transcript = new Transcript();
  code: Code;
  prox: Secret | undefined;
  k0: Secret | undefined; // since the hello
  erased = false;
  peer: Bytes | undefined; // SubjectPublicKeyInfo of the other phone's key
  #device: Prover;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(o: HalfOptions, code: Code, prox: Secret | undefined) {
    if (o.audience === "") {
      throw new TypeError("handover: options: audience is required: app ID \"@\" host");
    }
    this.#device = o.device;
    this.code = code;
    this.prox = prox;
  }

  /** own is the SubjectPublicKeyInfo of this phone's key. */
  get own(): Bytes {
    return this.#device.spki;
  }

  /** alone runs one thing after the other: none sees what another has half done. */
  alone<T>(fn: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(fn);
    this.#tail = run.catch(() => {});
    return run;
  }

  /** erase forgets all secrets: the code's, K0 and what hangs on it. What was signed stays. */
  erase(): void {
    this.erased = true;
    this.code.secret.erase();
    this.forgetProximity();
    this.k0?.erase();
    this.k0 = undefined;
  }

  forgetProximity(): void {
    this.prox?.erase();
    this.prox = undefined;
  }

  /** secret gives K0. */
  secret(): Secret {
    if (this.erased) {
      throw erased();
    }
    if (this.k0 === undefined) {
      throw new HandoverError("order", "out of order: no hello yet");
    }
    return this.k0;
  }

  /** mac is the MAC of a message, or nothing if it has none. The value of the hello is th1. */
  #mac(step: Step, value: Bytes): Bytes {
    const who = whose[step];
    if (who === undefined) {
      return new Uint8Array(0);
    }
    return macOf(this.secret(), who, step === "hello" ? value : this.transcript.value("hello"), value);
  }

  /** make signs an own message and notes it. */
  async make<S extends Step>(step: S, message: Messages[S]): Promise<Envelope> {
    return this.makeBytes(step, encodeMessage(step, message));
  }

  async makeBytes(step: Step, message: Bytes): Promise<Envelope> {
    const value = this.transcript.next(step, message);
    const mac = this.#mac(step, value);
    const envelope = { message, mac, proof: await this.#device.sign(deviceProof(value)) }; // every message fits: see the bounds of each
    this.transcript.put(step, { envelope, value });
    return envelope;
  }

  /**
   * remake makes an own message that nothing follows yet: the same again if it says the same,
   * else another in its place.
   */
  async remake<S extends Step>(step: S, next: Step | undefined, message: Messages[S]): Promise<Envelope> {
    const bytes = encodeMessage(step, message);
    const old = this.transcript.turn(step);
    if (old !== undefined) {
      if (equal(old.envelope.message, bytes)) {
        return old.envelope;
      }
      if (next !== undefined && this.transcript.has(next)) {
        throw new HandoverError("order", `out of order: another ${step} is there already, and was answered`);
      }
    }
    return this.makeBytes(step, bytes);
  }

  /**
   * check verifies who has sent a message: its MAC, or that it has none, and its device proof
   * by one of the keys. It gives the message's value.
   */
  async check(step: Step, e: Envelope, ...keys: readonly Bytes[]): Promise<Bytes> {
    const value = this.transcript.next(step, e.message);
    if (!equal(this.#mac(step, value), e.mac)) {
      throw new HandoverError("mac", `${step}: not from the phone that scanned or showed the code`);
    }
    let wrong: unknown;
    for (const spki of keys) {
      try {
        await verifyProof(spki, value, e.proof);
        return value;
      } catch (error) {
        wrong = error;
      }
    }
    throw new HandoverError("forged", `${step}: not signed by the other phone`, { cause: wrong });
  }

  /**
   * taken decodes a message of the other phone, checks it and notes it. One that has come before
   * is not checked again. more says what else is wrong with it.
   */
  async taken<S extends Step>(step: S, e: Envelope, more?: (message: Messages[S]) => void): Promise<Messages[S]> {
    const repeat = this.transcript.again(step, e);
    const message = decodeMessage(step, e.message);
    if (repeat) {
      return message;
    }
    if (this.peer === undefined) {
      throw new HandoverError("order", `out of order: no hello yet for this ${step}`);
    }
    const value = await this.check(step, e, this.peer);
    more?.(message);
    this.transcript.put(step, { envelope: e, value });
    return message;
  }

  /** ending takes a message of the handshake: one that fails a check ends it, and there is no second try. */
  async ending<T>(fn: () => Promise<T>): Promise<T> {
    try {
      return await fn();
    } catch (e) {
      if (e instanceof HandoverError && (e.code === "mac" || e.code === "forged" || e.code === "malformed")) {
        this.erase(); // a message whose turn it is not ends nothing
      }
      throw e;
    }
  }

  /** stored decodes a message that is there. It throws a HandoverError "order". */
  stored<S extends Step>(step: S): Messages[S] {
    return decodeMessage(step, this.transcript.need(step).envelope.message);
  }

  /** near reports whether the current phone has heard the new one's beacon from beside it. */
  near(): boolean {
    return this.stored("hello").class === "near";
  }

  /** final makes an own one. */
  final(message: Messages["final"]): Promise<Envelope> {
    if (this.transcript.has("recall")) {
      throw new HandoverError("order", "out of order: the account was recalled");
    }
    return this.remake("final", undefined, message);
  }

  /**
   * handleFinal takes either phone's signed word that the window is over: the current phone's, or
   * the new one's if they were near. It verifies each time anew: nothing follows it, and both
   * may have made one.
   */
  async handleFinal(e: Envelope, c: Bytes | undefined, n: Bytes | undefined): Promise<void> {
    decodeMessage("final", e.message);
    const keys = [c, this.near() ? n : undefined].filter((k) => k !== undefined);
    const value = await this.check("final", e, ...keys);
    this.transcript.put("final", { envelope: e, value });
  }
}

/** offered reports whether a code with these beacons can be near in this way. */
export function offered(how: Class, beacons: number): boolean {
  switch (how) {
    case "none":
      return true;
    case "lan":
      return (beacons & beaconLAN) !== 0;
    case "near":
      return (beacons & (beaconBLE | beaconNFC)) !== 0;
  }
}
