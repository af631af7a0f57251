/** The messages of a transfer, and the envelopes they come in (spec/transfer.md, section 4). */
import type { Bytes } from "../../bytes.js";
import { decode, encode, MalformedError } from "../../cbor.js";
import { hash } from "../derive.js";
import { choice, list, long, octets, type Shape, struct, text, tuple, whole } from "../shape.js";
import { publicSize } from "./code.js";
import { HandoverError } from "./errors.js";
import { encapsulatedSize, keySize } from "./schedule.js";

/** Step names a message in the transcript, in whose order they are here; recall follows receipt, final follows ack. */
export const steps = ["offer", "hello", "answer", "matched", "confirm", "grant", "receipt", "ack", "recall", "final"] as const;
export type Step = (typeof steps)[number];

/** Class is how near the two phones are, as the current one has found out: "lan" by TCP, "near" by BLE or NFC. */
export type Class = "none" | "lan" | "near";

/** StepUp is a confirmed approval of the account's owner: the approval, and the passkey's answer (JSON in UTF-8). */
export interface StepUp { readonly approval: string; readonly assertion: Bytes }

/** DeviceInfo is what a phone says of itself: 1 to 64 bytes each. */
export interface DeviceInfo { readonly model: string; readonly os: string; readonly app: string }

/** Offer is the new phone's first message: what the QR code commits to, and who it is. */
export interface Offer {
  readonly public: Bytes; // the first 51 bytes of the code
  readonly key: Bytes; // n_pub
  readonly device: Bytes; // n_dev, SubjectPublicKeyInfo
  readonly evidence: Bytes; // for n_dev, an encoded Evidence
  readonly challenge: Bytes; // the server's, over which the evidence is
  readonly info: DeviceInfo;
  readonly schema: { readonly low: number; readonly high: number }; // of the history, that it reads
  readonly freeBytes: number | bigint;
  readonly lan?: readonly string[]; // "ip:port" of its beacon, at most 4
}

/** Hello is the current phone's first message. */
export interface Hello {
  readonly encapsulated: Bytes;
  readonly device: Bytes; // c_dev, SubjectPublicKeyInfo
  readonly account: string;
  readonly deviceId: string;
  readonly audience: string; // app ID "@" host
  readonly class: Class;
  readonly info: DeviceInfo;
  readonly label: string; // for the new phone's screen, at most 64 bytes
  readonly evidence?: Bytes; // for c_dev
}

/** Answer is the new phone's nonce. */
export interface Answer { readonly nonce: Bytes }

/** Matched says that the number was typed on the new phone. */
export interface Matched { readonly passkey: Bytes; readonly keys?: Bytes }

/** Confirm is the current phone's yes, with its owner's passkey; about so many bytes will come. */
export interface Confirm { readonly holdShareHash: Bytes; readonly bytes: number; readonly stepUp: StepUp }

/** Grant is the current phone's word that the new one may have the account: over exactly this stream. */
export interface Grant {
  readonly revision: number;
  readonly records: number;
  readonly bytes: number;
  readonly objects: number;
  readonly root: Bytes;
  readonly secretsHash: Bytes;
  readonly commitShareHash: Bytes;
  readonly sealingKeyHash: Bytes; // SHA-256 of the sealing public key
  readonly expires: number; // seconds since 1970, by the server's clock
  readonly cursor?: Bytes; // where the new phone goes on reading its mailbox, at most 256 bytes
  readonly stepUp?: StepUp; // after a hold
  readonly link?: Bytes;
}

/** Receipt is the new phone's word that it has all of that stream. */
export interface Receipt {
  readonly root: Bytes; readonly bytes: number; readonly objects: number; readonly quarantined: number; readonly link?: Bytes;
}

/** Ack is the new phone's word that it has opened the keys. */
export interface Ack { readonly sealingKeyHash: Bytes }

/** Recall takes the account back; the reason has at most 64 bytes. */
export interface Recall { readonly reason: string; readonly stepUp: StepUp }

/** Final ends the time in which a recall is possible. */
export interface Final { readonly stepUp: StepUp }

/** Messages says which message each step has. */
export interface Messages {
  readonly offer: Offer; readonly hello: Hello; readonly answer: Answer; readonly matched: Matched; readonly confirm: Confirm;
  readonly grant: Grant; readonly receipt: Receipt; readonly ack: Ack; readonly recall: Recall; readonly final: Final;
}

const h32 = octets(32, 32);
const spki = octets(1, 256);
const name = text(1, 64);
const link = octets(1, 8 << 10);
const evidence = octets(1, 64 << 10);
const stepUp = tuple<StepUp>(["approval", name], ["assertion", octets(1, 16 << 10)]);
const info = struct<DeviceInfo>([1, "model", name], [2, "os", name], [3, "app", name]);
const schema = tuple<Offer["schema"]>(["low", whole(0xffff_ffff)], ["high", whole(0xffff_ffff)]);

const shapes: { readonly [S in Step]: Shape<Messages[S]> } = {
  offer: struct<Offer>(
    [1, "public", octets(publicSize, publicSize)], [2, "key", octets(keySize, keySize)], [3, "device", spki], [4, "evidence", evidence],
    [5, "challenge", h32], [6, "info", info], [7, "schema", schema], [8, "freeBytes", long], [9, "lan", list(name, 1, 4), "optional"]),
  hello: struct<Hello>(
    [1, "encapsulated", octets(encapsulatedSize, encapsulatedSize)], [2, "device", spki], [3, "account", name], [4, "deviceId", name],
    [5, "audience", text(1, 320)], [6, "class", choice("none", "lan", "near")], [7, "info", info], [8, "label", text(0, 64)],
    [9, "evidence", evidence, "optional"]),
  answer: struct<Answer>([1, "nonce", h32]),
  matched: struct<Matched>([1, "passkey", octets(1, 64 << 10)], [2, "keys", link, "optional"]),
  confirm: struct<Confirm>([1, "holdShareHash", h32], [2, "bytes", whole()], [3, "stepUp", stepUp]),
  grant: struct<Grant>(
    [1, "revision", whole()], [2, "records", whole()], [3, "bytes", whole()], [4, "objects", whole()], [5, "root", h32], [6, "secretsHash", h32],
    [7, "commitShareHash", h32], [8, "sealingKeyHash", h32], [9, "expires", whole()], [10, "cursor", octets(1, 256), "optional"],
    [11, "stepUp", stepUp, "optional"], [12, "link", link, "optional"]),
  receipt: struct<Receipt>(
    [1, "root", h32], [2, "bytes", whole()], [3, "objects", whole()], [4, "quarantined", whole()], [5, "link", link, "optional"]),
  ack: struct<Ack>([1, "sealingKeyHash", h32]),
  recall: struct<Recall>([1, "reason", text(0, 64)], [2, "stepUp", stepUp]),
  final: struct<Final>([1, "stepUp", stepUp]),
};

/** Envelope is a message on its way: with its sender's MAC, if the message has one, and device proof. */
export interface Envelope {
  readonly message: Bytes; // a deterministic encoding of one of the messages
  readonly mac: Bytes; // 32 bytes, or none
  readonly proof: Bytes; // over the transcript value
}

/** maxEnvelope is how many bytes an envelope has at most. */
export const maxEnvelope = 96 << 10;

/** envelopeShape is an envelope's, also where it is stored. */
export const envelopeShape: Shape<Envelope> = tuple<Envelope>(
  ["message", octets(1, maxEnvelope)], ["mac", noneOr32()], ["proof", octets(1, 4096)]);

function noneOr32(): Shape<Bytes> {
  const some = octets(0, 32);
  const check = (value: Bytes): Bytes => {
    if (value.length !== 0 && value.length !== 32) {
      throw new MalformedError(`a MAC of ${value.length} bytes`);
    }
    return value;
  };
  return { write: (value) => some.write(check(value)), read: (value) => check(some.read(value)) };
}

/** encodeEnvelope gives its bytes. It throws a HandoverError "malformed". */
export function encodeEnvelope(e: Envelope): Bytes {
  return malformed("envelope", () => {
    const bytes = encode(envelopeShape.write(e));
    if (bytes.length > maxEnvelope) {
      throw new MalformedError(`${bytes.length} bytes, and at most ${maxEnvelope} are allowed`);
    }
    return bytes;
  });
}

/** decodeEnvelope reads one. It throws a HandoverError "malformed". */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  return malformed("envelope", () => envelopeShape.read(decode(bytes, maxEnvelope)));
}

/** encodeMessage gives the bytes of a message. It throws a HandoverError "malformed". */
export function encodeMessage<S extends Step>(step: S, message: Messages[S]): Bytes {
  return malformed(step, () => encode(shapes[step].write(message)));
}

/** decodeMessage reads a message, the whole of bytes. It throws a HandoverError "malformed". */
export function decodeMessage<S extends Step>(step: S, bytes: Uint8Array): Messages[S] {
  return malformed(step, () => shapes[step].read(decode(bytes, maxEnvelope)));
}

/** malformed gives errors of a structure this folder's name for them. */
export function malformed<T>(what: string, fn: () => T): T {
  try {
    return fn();
  } catch (e) {
    throw e instanceof MalformedError ? new HandoverError("malformed", `${what}: ${e.message}`, { cause: e }) : e;
  }
}

/**
 * valueOf is the transcript value of a message: what its sender's proof, and its MAC, are
 * over. before is the value of the message before it; an offer has none.
 */
export function valueOf(step: Step, before: Uint8Array, message: Uint8Array): Bytes {
  return step === "offer" ? hash(step, message) : hash(step, before, message);
}
