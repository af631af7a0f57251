import { type Bytes, equal } from "../../bytes.js";
import { sha256 } from "../derive.js";
import type { Code } from "./code.js";
import { erased, HandoverError } from "./errors.js";
import { type Half, offered } from "./half.js";
import { sayHello } from "./hello.js";
import { type Ack, type Class, encodeMessage, type Envelope, type Matched, type Receipt, type StepUp } from "./messages.js";
import { checkOffer, peerOf } from "./offer.js";
import type { Granted, Granting, Peer, SenderOptions } from "./options.js";
import { answers } from "./receiver.js";
import { numberOf, sharedKey } from "./schedule.js";
import { Secret } from "./secret.js";
import { sealSecrets } from "./secrets.js";
import { Side } from "./side.js";
import { maxGrants, readSender, writeSender } from "./state.js";
import type { Turn } from "./transcript.js";

/**
 * Sender is the current phone's half: a state machine without network, disk and clock. Store it
 * (marshal) after each step and before what the step made is sent, and go on with restore. A
 * method that is called again gives the very bytes that it gave before, and a message that
 * comes again changes nothing.
 */
export class Sender extends Side {
  readonly #half: Half;
  readonly #o: SenderOptions;
  readonly #peer: Peer;
  #hold: Secret | undefined; // since confirm
  #share: Secret | undefined; // since grant
  #sealed: Bytes | undefined; // since grant
  #older: Turn[]; // grants that were replaced, oldest first

  private constructor(o: SenderOptions, half: Half, peer: Peer, more: { hold?: Secret; share?: Secret; sealed?: Bytes; older?: Turn[] } = {}) {
    super(half);
    if (o.account === "" || o.deviceId === "") {
      throw new TypeError("handover: options: account and deviceId are required");
    }
    this.#half = half;
    this.#o = o;
    this.#peer = peer;
    this.#hold = more.hold;
    this.#share = more.share;
    this.#sealed = more.sealed;
    this.#older = more.older ?? [];
  }

  /**
   * create checks an offer against the code that was scanned, the evidence in it, and whether the
   * history fits, in the order of spec/transfer.md, section 7. Nothing is told to the new
   * phone before hello. An offer that is refused is the end of this transfer: tell the server.
   */
  static async create(code: Code, offer: Envelope, o: SenderOptions): Promise<Sender> {
    const { half, peer } = await checkOffer(code, offer, o);
    return new Sender(o, half, peer);
  }

  /**
   * restore goes on where marshal was called. The new phone's evidence has been judged before and
   * is not judged again: peer has no verdict. It throws a HandoverError "malformed".
   */
  static async restore(state: Uint8Array, o: SenderOptions): Promise<Sender> {
    const { half, offer, ...more } = readSender(state, o);
    return new Sender(o, half, peerOf(offer), more);
  }

  /** marshal is the half, with its secrets: keep it where only the app can read it. */
  marshal(): Promise<Bytes> {
    return this.#half.alone(async () =>
      writeSender({ half: this.#half, hold: this.#hold, share: this.#share, sealed: this.#sealed, older: this.#older }));
  }

  /** peer is the new phone, as its offer shows it. */
  peer(): Peer {
    return this.#peer;
  }

  /** openBeacon reads what was heard. What is no beacon of the code is a HandoverError "beacon": listen on. */
  openBeacon(heard: Uint8Array): Promise<Secret> {
    return this.#half.alone(async () => {
      if (this.#half.erased || this.has("hello")) {
        throw new HandoverError("order", "out of order: the hello has been said");
      }
      return this.#half.code.openBeacon(heard);
    });
  }

  /** hello is the first message, once the person has said yes. beacon is what was heard, for the classes lan and near. */
  hello(how: Class, beacon?: Uint8Array): Promise<Envelope> {
    return this.#half.alone(async () => {
      const half = this.#half;
      const said = half.transcript.turn("hello")?.envelope;
      if (said !== undefined) {
        const old = half.stored("hello").class;
        if (old !== how) {
          throw new HandoverError("order", `out of order: the hello has been said, with class ${old}`);
        }
        return said;
      }
      if (half.erased) {
        throw erased();
      }
      if (!offered(how, half.code.beacons)) {
        throw new HandoverError("beacon", `the code offers no class ${how}`);
      }
      if ((how === "none") !== (beacon === undefined)) {
        throw new HandoverError("beacon", "a beacon goes with the classes lan and near, and with no other");
      }
      return sayHello(half, this.#o, how, beacon === undefined ? undefined : await half.code.openBeacon(beacon));
    });
  }

  /** handleAnswer takes the new phone's nonce. Only now there is a number. */
  async handleAnswer(e: Envelope): Promise<void> {
    await this.#half.alone(() => this.#half.ending(() => this.#half.taken("answer", e)));
  }

  /** number is what to show: six digits, which the person types on the new phone. */
  number(): Promise<string> {
    return this.#half.alone(async () => numberOf(this.#half.secret(), this.#half.transcript.value("answer")));
  }

  /** handleMatched takes the new phone's word that the number was typed there. */
  handleMatched(e: Envelope): Promise<Matched> {
    return this.#half.alone(() => this.#half.ending(() => this.#half.taken("matched", e)));
  }

  /**
   * confirm is the owner's yes, with a step-up over before("confirm"), and the hold share for the
   * server. If the server refuses the step-up it may be called again with another one, before
   * anything is sealed.
   */
  confirm(stepUp: StepUp, bytes: number): Promise<{ readonly envelope: Envelope; readonly share: Secret }> {
    return this.#half.alone(async () => {
      this.#half.secret();
      const share = this.#hold ??= Secret.random();
      return { envelope: await this.#half.remake("confirm", "grant", { holdShareHash: sha256(share.bytes()), bytes, stepUp }), share };
    });
  }

  /** bulkKey is the key of the history. */
  bulkKey(): Promise<Bytes> {
    return this.#half.alone(async () => {
      const k0 = this.#half.secret(), th4 = this.#half.transcript.value("confirm");
      return sharedKey(k0, "bulk", th4, this.#hold as Secret);
    });
  }

  /**
   * grant seals the secrets under a fresh share and signs what the new phone may have. Called with
   * the same again it gives the same. With something else it makes a new grant, for when the
   * server has said that the stream was not complete: the new phone may still answer an older
   * one, which this phone has signed too.
   */
  grant(want: Granting): Promise<Granted> {
    return this.#half.alone(async () => {
      this.#half.secret();
      if (this.has("receipt")) {
        throw new HandoverError("order", "out of order: the new phone has answered the grant");
      }
      const old = this.#half.transcript.turn("grant"), granted = this.granted();
      if (old !== undefined && granted !== undefined) {
        const { message, sealed } = await this.#seal(want, granted.commitShare);
        if (equal(message, old.envelope.message) && equal(sealed, granted.sealed)) {
          return granted;
        }
        if (this.#older.length === maxGrants) {
          throw new HandoverError("order", `the grant has been replaced ${maxGrants} times: cancel, and begin anew`);
        }
      }
      const share = Secret.random();
      const { message, sealed } = await this.#seal(want, share);
      const envelope = await this.#half.makeBytes("grant", message);
      if (old !== undefined) {
        this.#older.push(old);
      }
      this.#share = share;
      this.#sealed = sealed;
      return { envelope, commitShare: share, sealed };
    });
  }

  /** granted is the last grant, if there is one and its secrets are not erased. */
  granted(): Granted | undefined {
    const turn = this.#half.transcript.turn("grant");
    return turn === undefined || this.#share === undefined || this.#sealed === undefined ? undefined
      : { envelope: turn.envelope, commitShare: this.#share, sealed: this.#sealed };
  }

  /** seal gives the message and the sealed secrets. Both are functions of the share. */
  async #seal(want: Granting, share: Secret): Promise<{ readonly message: Bytes; readonly sealed: Bytes }> {
    const { secrets, ...grant } = want;
    const th4 = this.#half.transcript.value("confirm");
    const sealed = await sealSecrets(this.#half.secret(), th4, share, want.root, secrets);
    const message = encodeMessage("grant", { ...grant, secretsHash: sha256(sealed), commitShareHash: sha256(share.bytes()) });
    return { message, sealed };
  }

  /**
   * handleReceipt is what this phone signs itself out for, and for nothing less: the new phone's
   * signed word that it has all that was granted. The server's word alone is none.
   */
  handleReceipt(e: Envelope): Promise<Receipt> {
    return this.#half.alone(async () => {
      const transcript = this.#half.transcript;
      const last = transcript.need("grant");
      if (transcript.has("receipt")) {
        return this.#receipt(e);
      }
      let wrong: unknown;
      for (const grant of [last, ...[...this.#older].reverse()]) { // or to a grant that was replaced
        transcript.put("grant", grant);
        try {
          return await this.#receipt(e);
        } catch (error) {
          wrong ??= error;
        }
      }
      transcript.put("grant", last);
      throw wrong;
    });
  }

  #receipt(e: Envelope): Promise<Receipt> {
    return this.#half.taken("receipt", e, (m) => answers(m, this.#half.stored("grant")));
  }

  /**
   * handleAck takes the new phone's word that it has opened the keys that were granted. From then
   * on the window to recall runs, by this phone's own clock.
   */
  handleAck(e: Envelope): Promise<Ack> {
    return this.#half.alone(() => this.#half.taken("ack", e, (m) => {
      if (!equal(m.sealingKeyHash, this.#half.stored("grant").sealingKeyHash)) {
        throw new HandoverError("key", "not the sealing key that was granted");
      }
    }));
  }

  /** recall takes the account back, with a step-up over before("recall"). If the server refuses that, call it again with another one. */
  recall(reason: string, stepUp: StepUp): Promise<Envelope> {
    return this.#half.alone(async () => {
      if (this.has("final")) {
        throw new HandoverError("order", "out of order: the move is final");
      }
      return this.#half.remake("recall", undefined, { reason, stepUp });
    });
  }

  /** final ends the window early, with a step-up over before("final"). */
  final(stepUp: StepUp): Promise<Envelope> {
    return this.#half.alone(() => this.#half.final({ stepUp }));
  }

  /** handleFinal takes the signed word of either phone that the window is over: this one wipes. The new phone's counts only if they were near. */
  handleFinal(e: Envelope): Promise<void> {
    return this.#half.alone(() => this.#half.handleFinal(e, this.#half.own, this.#half.peer));
  }

  /**
   * erase forgets all secrets: call it when the transfer is acknowledged, recalled or aborted, and
   * store the half. What was signed stays, so that a recall and the end of the window work.
   */
  erase(): Promise<void> {
    return this.#half.alone(async () => {
      this.#half.erase();
      this.#hold?.erase();
      this.#share?.erase();
      this.#hold = this.#share = this.#sealed = undefined;
    });
  }
}
