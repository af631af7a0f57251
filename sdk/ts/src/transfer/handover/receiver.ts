import { type Bytes, equal, utf8 } from "../../bytes.js";
import { sha256 } from "../derive.js";
import type { Code } from "./code.js";
import { erased, HandoverError } from "./errors.js";
import type { Half } from "./half.js";
import { hearHello } from "./hello.js";
import { type Confirm, decodeMessage, type Envelope, type Grant, type Hello, type Receipt, type Recall, type StepUp } from "./messages.js";
import { makeOffer, type Random } from "./offer.js";
import type { HalfOptions, ReceiverOptions } from "./options.js";
import { numberOf, sharedKey } from "./schedule.js";
import { Secret } from "./secret.js";
import { openSecrets, type Secrets } from "./secrets.js";
import { Side } from "./side.js";
import { numberTries, readReceiver, writeReceiver } from "./state.js";

/**
 * Receiver is the new phone's half: a state machine without network, disk and clock. Store it
 * (marshal) after each step and before what the step made is sent, and go on with restore. A
 * method that is called again gives the very bytes that it gave before, and a message that
 * comes again changes nothing.
 */
export class Receiver extends Side {
  readonly #half: Half;
  readonly #o: HalfOptions;
  #seed: Secret | undefined; // of the KEM key, until there is K0
  #tries: number;
  #typed: boolean; // the number was right
  #opened: boolean; // the secrets were

  private constructor(o: HalfOptions, half: Half, more: { seed: Secret | undefined; tries: number; typed: boolean; opened: boolean }) {
    super(half);
    this.#half = half;
    this.#o = o;
    this.#seed = more.seed;
    this.#tries = more.tries;
    this.#typed = more.typed;
    this.#opened = more.opened;
  }

  /** create makes a code, the keys behind it, and the offer. It throws a HandoverError "malformed" for options out of bounds. */
  static create(o: ReceiverOptions): Promise<Receiver> {
    return Receiver.of(o, { id: crypto.getRandomValues(new Uint8Array(16)), qs: Secret.random(), prox: Secret.random(16), seed: Secret.random() });
  }

  /** of is create with what is random given, for the vectors. @internal */
  static async of(o: ReceiverOptions, random: Random): Promise<Receiver> {
    const half = await makeOffer(o, random);
    return new Receiver(o, half, { seed: random.seed, tries: numberTries, typed: false, opened: false });
  }

  /** restore goes on where marshal was called. It throws a HandoverError "malformed". */
  static async restore(state: Uint8Array, o: HalfOptions): Promise<Receiver> {
    const { half, ...more } = readReceiver(state, o);
    return new Receiver(o, half, more);
  }

  /** marshal is the half, with its secrets: keep it where only the app can read it. */
  marshal(): Promise<Bytes> {
    return this.#half.alone(async () =>
      writeReceiver({ half: this.#half, seed: this.#seed, tries: this.#tries, typed: this.#typed, opened: this.#opened }));
  }

  /** code is what to show as a QR code. Since the hello, and once the keys are erased, there is nothing left to scan. */
  code(): Code | undefined {
    return this.#half.erased || this.has("hello") ? undefined : this.#half.code;
  }

  /** offer is the first message, for the server. */
  offer(): Envelope {
    return this.#half.transcript.need("offer").envelope;
  }

  /** beacon is the 20 bytes to send over the air while the code is shown. */
  beacon(): Promise<Bytes> {
    return this.#half.alone(async () => {
      const half = this.#half;
      if (half.erased) {
        throw erased();
      }
      if (this.has("hello") || half.prox === undefined) {
        throw new HandoverError("order", "out of order: the code has been taken");
      }
      return half.code.beacon(half.prox);
    });
  }

  /** handleHello takes the current phone's first message and derives K0; one, ever. Show its label and device. */
  handleHello(e: Envelope): Promise<Hello> {
    return this.#half.alone(async () => {
      const half = this.#half;
      const repeat = half.transcript.again("hello", e);
      if (repeat) {
        return half.stored("hello");
      }
      if (half.erased) {
        throw erased();
      }
      try {
        const m = decodeMessage("hello", e.message);
        await hearHello(half, this.#seed, this.#o, m, e);
        this.#seed?.erase();
        this.#seed = undefined;
        half.code.secret.erase();
        half.forgetProximity();
        return m;
      } catch (error) {
        this.#erase();
        throw error;
      }
    });
  }

  /** answer is the nonce, made after the hello has come: so the other phone could not choose its part by the number that comes of it. */
  answer(): Promise<Envelope> {
    return this.answerWith(crypto.getRandomValues(new Uint8Array(32)));
  }

  /** answerWith is answer with a nonce that is given, for the vectors. @internal */
  answerWith(nonce: Bytes): Promise<Envelope> {
    return this.#half.alone(async () => this.#half.transcript.turn("answer")?.envelope ?? this.#half.make("answer", { nonce }));
  }

  /**
   * number takes what the person has typed of the other phone's screen; spaces and hyphens do
   * not count. A wrong one is a HandoverError "number", and after the third one the keys are
   * erased. Store the half before you say how it was: a try is not given back.
   */
  number(typed: string): Promise<void> {
    return this.#half.alone(async () => {
      if (this.#half.erased) {
        throw erased();
      }
      if (this.#typed) {
        return;
      }
      const want = numberOf(this.#half.secret(), this.#half.transcript.value("answer"));
      this.#tries--;
      if (equal(utf8(typed.replaceAll(/[ -]/g, "")), utf8(want))) {
        this.#typed = true;
        return;
      }
      if (this.#tries <= 0) {
        this.#erase();
      }
      throw new HandoverError("number", `not the number on the other phone: ${this.#tries} tries left`, { left: this.#tries });
    });
  }

  /** triesLeft is how often the number may still be typed. */
  get triesLeft(): number {
    return this.#tries;
  }

  /**
   * matched says that the number was right, and brings this phone's passkey (JSON in UTF-8): the
   * answer to the ceremony that came with the answer. If the server refuses the passkey it may
   * be called again with another one, until the other phone has confirmed.
   */
  matched(passkey: Bytes, keys?: Bytes): Promise<Envelope> {
    return this.#half.alone(async () => {
      this.#half.secret();
      if (!this.#typed) {
        throw new HandoverError("order", "out of order: the number has not been typed");
      }
      return this.#half.remake("matched", "confirm", keys === undefined ? { passkey } : { passkey, keys });
    });
  }

  /** handleConfirm takes the other phone's yes. About `bytes` will come. */
  handleConfirm(e: Envelope): Promise<Confirm> {
    return this.#half.alone(() => this.#half.ending(() => this.#half.taken("confirm", e)));
  }

  /** bulkKey is the key of the history, once the server has given the hold share. Another's share is a HandoverError "commitment". */
  bulkKey(hold: Secret): Promise<Bytes> {
    return this.#half.alone(async () => {
      const k0 = this.#half.secret();
      const m = this.#half.stored("confirm");
      if (!equal(sha256(hold.bytes()), m.holdShareHash)) {
        throw new HandoverError("commitment", "not what was committed to: the hold share");
      }
      return sharedKey(k0, "bulk", this.#half.transcript.value("confirm"), hold);
    });
  }

  /** handleGrant takes the grant. The receipt must be over the same stream. */
  handleGrant(e: Envelope): Promise<Grant> {
    return this.#half.alone(() => this.#half.taken("grant", e));
  }

  /**
   * receipt says that all of the stream is here: verified, imported, durable. What is not what
   * was granted is a HandoverError "stream".
   */
  receipt(m: Receipt): Promise<Envelope> {
    return this.#half.alone(async () => {
      answers(m, this.#half.stored("grant"));
      return this.#half.remake("receipt", "receipt", m);
    });
  }

  /**
   * open opens the secrets, once the server has committed and gives the commit share. It opens
   * nothing before the receipt: until then the other phone is in charge. Store the secrets
   * before you acknowledge. If it fails, keep all, and recall on the old phone.
   */
  open(commit: Secret, sealed: Bytes): Promise<Secrets> {
    return this.#half.alone(async () => {
      const k0 = this.#half.secret();
      this.#half.transcript.need("receipt");
      const g = this.#half.stored("grant");
      if (!equal(sha256(commit.bytes()), g.commitShareHash)) {
        throw new HandoverError("commitment", "not what was committed to: the commit share");
      }
      if (!equal(sha256(sealed), g.secretsHash)) {
        throw new HandoverError("commitment", "not what was committed to: the sealed secrets");
      }
      const secrets = await openSecrets(k0, this.#half.transcript.value("confirm"), commit, g.root, sealed);
      this.#opened = true;
      return secrets;
    });
  }

  /**
   * ack says that this phone has the keys: with the sealing public key that belongs to the
   * private one it has opened and stored. Another one than was granted is a HandoverError "key".
   */
  ack(sealingPublic: Uint8Array): Promise<Envelope> {
    return this.#half.alone(async () => {
      if (!this.#opened) {
        throw new HandoverError("order", "out of order: the secrets have not been opened");
      }
      const sealingKeyHash = sha256(sealingPublic);
      if (!equal(sealingKeyHash, this.#half.stored("grant").sealingKeyHash)) {
        throw new HandoverError("key", "not the sealing key that was granted");
      }
      return this.#half.remake("ack", "ack", { sealingKeyHash });
    });
  }

  /**
   * handleRecall takes the other phone's signed word that it has taken the account back: this one
   * wipes. The server's word alone is none.
   */
  handleRecall(e: Envelope): Promise<Recall> {
    return this.#half.alone(() => this.#half.taken("recall", e));
  }

  /**
   * final ends the window early, with a step-up over before("final"): here only if the phones
   * were near, for who has lured the old phone's owner from afar would do it at once.
   */
  final(stepUp: StepUp): Promise<Envelope> {
    return this.#half.alone(async () => {
      if (!this.#half.near()) {
        throw new HandoverError("order", "out of order: the phones were not near each other: finish on the old one");
      }
      return this.#half.final({ stepUp });
    });
  }

  /** handleFinal takes the signed word of either phone that the window is over. */
  handleFinal(e: Envelope): Promise<void> {
    return this.#half.alone(() => this.#half.handleFinal(e, this.#half.peer, this.#half.own));
  }

  /**
   * erase forgets all secrets: call it when the transfer is acknowledged, recalled or aborted, and
   * store the half. What was signed stays, so that a recall and the end of the window work.
   */
  erase(): Promise<void> {
    return this.#half.alone(async () => this.#erase());
  }

  #erase(): void {
    this.#half.erase();
    this.#seed?.erase();
    this.#seed = undefined;
  }
}

/** answers compares a receipt with a grant. It throws a HandoverError "stream". */
export function answers(m: Receipt, g: Grant): void {
  if (!equal(m.root, g.root) || m.bytes !== g.bytes || m.objects !== g.objects) {
    throw new HandoverError("stream",
      `what has arrived is not what was granted: ${m.bytes} bytes in ${m.objects} objects, and ${g.bytes} in ${g.objects} were granted, or another root`);
  }
}
