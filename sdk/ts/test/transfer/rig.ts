/** Two phones in one process, with keys and evidence that a test can bend. */
import { type Bytes, concat, equal, utf8 } from "../../src/bytes.js";
import { decode, encode } from "../../src/cbor.js";
import { sha256 } from "../../src/transfer/derive.js";
import {
  decodeMessage, deviceProof, encodeMessage, type Envelope, type Evidence, type EvidenceVerifier, type Granted, type Granting, type Messages, parseCode, type Prover,
  Receiver, type ReceiverOptions, type Secret, Sender, type SenderOptions, type Step, type StepUp, valueOf,
} from "../../src/transfer/handover/index.js";

export const audience = "demo@accounts.example.org";
export const sealingPublic = utf8("the public key");

/** newKey is a phone's attested key. */
export async function newKey(): Promise<Prover> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  return {
    spki: new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey)),
    sign: async (m) => new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, m as Bytes)),
  };
}

/** attest is evidence in the form of these tests: what is said of which key over which challenge. */
export function attest(device: Prover, challenge: Bytes, genuine = true): Evidence {
  return { platform: "android", chain: [encode([genuine, device.spki, challenge])], model: "N" };
}

/** trust judges that evidence. */
export const trust: EvidenceVerifier = {
  async verify(e, challenge) {
    const [genuine, key, over] = decode(e.chain?.[0] as Bytes, 1000) as unknown as [boolean, Bytes, Bytes];
    const findings = [...(genuine ? [] : [{ code: "test.genuine", detail: "no" }]), ...(equal(over, challenge) ? [] : [{ code: "test.challenge", detail: "another" }])];
    return { accepted: findings.length === 0, key, findings };
  },
};

export function stepUp(name: string): StepUp {
  return { approval: `a_${name}`, assertion: utf8(`{"id":"${name}"}`) };
}

export function granting(change: Partial<Granting> = {}): Granting {
  return {
    revision: 1, records: 3, bytes: 150_000, objects: 2, root: sha256(utf8("root")), sealingKeyHash: sha256(sealingPublic), expires: 1_800_000_000,
    secrets: new Map([["sealing", utf8("the private key")], ["recovery", utf8("state")]]), ...change,
  };
}

export function receiptOf(change: Partial<Messages["receipt"]> = {}): Messages["receipt"] {
  const { root, bytes, objects } = granting();
  return { root, bytes, objects, quarantined: 1, ...change };
}

/** Rig is two phones before they have met. */
export interface Rig {
  receiver: ReceiverOptions;
  sender: SenderOptions;
}

export async function newRig(): Promise<Rig> {
  const [n, c] = [await newKey(), await newKey()];
  const challenge = sha256(utf8("challenge of Begin"));
  return {
    receiver: {
      device: n, audience, trust, evidence: attest(n, challenge), challenge, info: { model: "New", os: "16", app: "2.0" },
      schema: { low: 1, high: 3 }, freeBytes: 2 ** 30, beacons: 4, lan: ["192.0.2.7:4711"],
    },
    sender: {
      device: c, audience, trust, schema: 2, bytes: 1000, account: "u_alice", deviceId: "d_current", info: { model: "Current", os: "15", app: "1.9" }, label: "Alice",
    },
  };
}

/** byReceiver are the steps that the new phone makes; Rig's current phone makes the others. */
export const byReceiver: readonly Step[] = ["offer", "answer", "matched", "receipt", "ack"];

/** straight are the steps of a whole transfer behind its offer. */
export const straight: readonly Step[] = ["hello", "answer", "matched", "confirm", "grant", "receipt", "ack"];

/** signed is a message with the proof of a key, as whoever has that key can make it. */
export async function signed(by: Prover, value: Bytes, message: Bytes, mac: Bytes = new Uint8Array(0)): Promise<Envelope> {
  return { message, mac, proof: await by.sign(deviceProof(value)) };
}

/** changed is a message with something else in it, signed by a key that its sender might have. */
export async function changed<S extends Step>(step: S, e: Envelope, by: Prover, before: Bytes, change: Partial<Messages[S]>): Promise<Envelope> {
  const message = encodeMessage(step, { ...decodeMessage(step, e.message), ...change });
  return signed(by, valueOf(step, before, message), message, e.mac);
}

/** Phones are both halves, and what has passed between them. */
export class Phones {
  e = new Map<Step, Envelope>();
  share: Secret | undefined;
  granted: Granted | undefined;

  private constructor(readonly rig: Rig, public n: Receiver, public c: Sender) {
    this.e.set("offer", n.offer());
  }

  /** meet makes both halves: the offer is checked, nothing else has happened. */
  static async meet(rig: Rig, last?: Step): Promise<Phones> {
    const n = await Receiver.create(rig.receiver);
    const p = new Phones(rig, n, await Sender.create(parseCode(n.code()?.uri() ?? ""), n.offer(), rig.sender));
    for (const step of last === undefined ? [] : straight.slice(0, straight.indexOf(last) + 1)) {
      await p.make(step);
      await p.take(step);
    }
    return p;
  }

  got(step: Step): Envelope {
    return this.e.get(step) as Envelope;
  }

  /** make makes a message, as its sender does. */
  async make(step: Step): Promise<void> {
    this.e.set(step, await this.#made(step));
  }

  async #made(step: Step): Promise<Envelope> {
    const { n, c } = this;
    switch (step) {
      case "offer":
        return n.offer();
      case "hello": {
        const beacons = this.rig.receiver.beacons ?? 0;
        return c.hello(beacons === 0 ? "none" : beacons === 4 ? "lan" : "near", beacons === 0 || c.has("hello") ? undefined : await n.beacon());
      }
      case "answer":
        return n.answer();
      case "matched":
        await n.number(await c.number());
        return n.matched(utf8('{"passkey":1}'));
      case "confirm": {
        const { envelope, share } = await c.confirm(stepUp("approve"), 1000);
        this.share = share;
        return envelope;
      }
      case "grant":
        this.granted = await c.grant(granting());
        return this.granted.envelope;
      case "receipt":
        return n.receipt(receiptOf());
      case "ack":
        await n.open((this.granted as Granted).commitShare, (this.granted as Granted).sealed);
        return n.ack(sealingPublic);
      case "recall":
        return c.recall("lost", stepUp("recall"));
      case "final":
        return c.final(stepUp("finish"));
    }
  }

  /** take hands a message to the other phone. */
  async take(step: Step, e: Envelope = this.got(step)): Promise<unknown> {
    const { n, c } = this;
    switch (step) {
      case "offer":
        return Sender.create(parseCode(n.code()?.uri() ?? ""), e, this.rig.sender);
      case "hello":
        return n.handleHello(e);
      case "answer":
        return c.handleAnswer(e);
      case "matched":
        return c.handleMatched(e);
      case "confirm":
        return n.handleConfirm(e);
      case "grant":
        return n.handleGrant(e);
      case "receipt":
        return c.handleReceipt(e);
      case "ack":
        return c.handleAck(e);
      case "recall":
        return n.handleRecall(e);
      case "final":
        return n.handleFinal(e);
    }
  }

  /** restart stores both halves and has them go on from there. */
  async restart(): Promise<void> {
    const [n, c] = [await this.n.marshal(), await this.c.marshal()];
    this.n = await Receiver.restore(n, this.rig.receiver);
    this.c = await Sender.restore(c, this.rig.sender);
    const again = concat(await this.n.marshal(), await this.c.marshal());
    if (!equal(again, concat(n, c))) {
      throw new Error("a half is stored differently after a restart");
    }
  }

  /** before is the value that a message follows. */
  before(step: Step): Bytes {
    return byReceiver.includes(step) ? this.n.before(step) : this.c.before(step);
  }
}
