/** What is stored of the two halves. Values are not stored but computed again. */
import { type Bytes, equal } from "../../bytes.js";
import { decode, encode } from "../../cbor.js";
import { sha256 } from "../derive.js";
import { constant, flag, list, octets, orNull, type Shape, struct, whole } from "../shape.js";
import { Code, publicSize } from "./code.js";
import { HandoverError } from "./errors.js";
import { Half } from "./half.js";
import { type Envelope, envelopeShape, malformed, type Offer, steps, valueOf } from "./messages.js";
import type { HalfOptions } from "./options.js";
import { seedSize } from "./schedule.js";
import { Secret } from "./secret.js";
import type { Turn } from "./transcript.js";

const receiverVersion = "staunch/transfer/receiver/v1/ts";
const senderVersion = "staunch/transfer/sender/v1/ts";
const maxState = 4 << 20; // bytes

/** maxGrants is how often a grant may be replaced. */
export const maxGrants = 16;

/** numberTries is how often the number may be typed, in all. */
export const numberTries = 3;

interface Common {
  readonly public: Bytes;
  readonly erased: boolean;
  readonly qs?: Bytes;
  readonly prox?: Bytes;
  readonly k0?: Bytes;
  readonly turns: readonly (Envelope | undefined)[];
}

const common = struct<Common>(
  [1, "public", octets(publicSize, publicSize)], [2, "erased", flag], [3, "qs", octets(32, 32), "optional"], [4, "prox", octets(16, 16), "optional"],
  [5, "k0", octets(32, 32), "optional"], [6, "turns", list(orNull(envelopeShape), steps.length, steps.length)]);

interface StoredReceiver { version: typeof receiverVersion; half: Common; seed?: Bytes; tries: number; typed: boolean; opened: boolean }

const receiver = struct<StoredReceiver>(
  [0, "version", constant(receiverVersion)], [1, "half", common], [2, "seed", octets(seedSize, seedSize), "optional"], [3, "tries", whole(numberTries)],
  [4, "typed", flag], [5, "opened", flag]);

interface StoredSender { version: typeof senderVersion; half: Common; hold?: Bytes; share?: Bytes; sealed?: Bytes; older: readonly Envelope[] }

const sender = struct<StoredSender>(
  [0, "version", constant(senderVersion)], [1, "half", common], [2, "hold", octets(32, 32), "optional"], [3, "share", octets(32, 32), "optional"],
  [4, "sealed", octets(16, (64 << 10) + 16), "optional"], [5, "older", list(envelopeShape, 0, maxGrants)]);

/** writeReceiver encodes a new phone's half. */
export function writeReceiver(r: { half: Half; seed: Secret | undefined; tries: number; typed: boolean; opened: boolean }): Bytes {
  return malformed("the half", () => encode(receiver.write({
    version: receiverVersion, half: commonOf(r.half), tries: Math.max(r.tries, 0), typed: r.typed, opened: r.opened, ...given({ seed: r.seed }),
  })));
}

/** readReceiver reads what writeReceiver wrote. It throws a HandoverError "malformed". */
export function readReceiver(state: Uint8Array, o: HalfOptions): { half: Half; seed: Secret | undefined; tries: number; typed: boolean; opened: boolean } {
  const s = read(receiver, state);
  const half = halfOf(s.half, o);
  if (!equal(half.stored("offer").device, o.device.spki)) {
    throw foreign();
  }
  if (half.transcript.has("hello")) {
    half.peer = half.stored("hello").device;
  }
  return { half, seed: s.seed && Secret.of(s.seed), tries: s.tries, typed: s.typed, opened: s.opened };
}

/** writeSender encodes a current phone's half. */
export function writeSender(s: { half: Half; hold: Secret | undefined; share: Secret | undefined; sealed: Bytes | undefined; older: readonly Turn[] }): Bytes {
  return malformed("the half", () => encode(sender.write({
    version: senderVersion, half: commonOf(s.half), older: s.older.map((t) => t.envelope), ...given({ hold: s.hold, share: s.share }),
    ...(s.sealed === undefined ? {} : { sealed: s.sealed }),
  })));
}

/** readSender reads what writeSender wrote. It throws a HandoverError "malformed". */
export function readSender(state: Uint8Array, o: HalfOptions): { half: Half; offer: Offer; hold?: Secret; share?: Secret; sealed?: Bytes; older: Turn[] } {
  const s = read(sender, state);
  const half = halfOf(s.half, o);
  const offer = half.stored("offer");
  if (!equal(sha256(offer.key), half.code.keyHash)) {
    throw new HandoverError("malformed", "stored state: the offer is not the code's");
  }
  if (half.transcript.has("hello") && !equal(half.stored("hello").device, o.device.spki)) {
    throw foreign();
  }
  half.peer = offer.device;
  const older = s.older.map((envelope) => ({ envelope, value: valueOf("grant", half.transcript.before("grant"), envelope.message) }));
  return {
    half, offer, older, ...(s.hold && { hold: Secret.of(s.hold) }), ...(s.share && { share: Secret.of(s.share) }), ...(s.sealed && { sealed: s.sealed }),
  };
}

function foreign(): HandoverError {
  return new HandoverError("malformed", "stored state: it belongs to another device key");
}

function read<T>(shape: Shape<T>, state: Uint8Array): T {
  return malformed("stored state", () => shape.read(decode(state, maxState)));
}

function commonOf(half: Half): Common {
  const said = half.erased || half.transcript.has("hello"); // then the code's secret is gone
  return {
    public: half.code.public(), erased: half.erased, turns: steps.map((s) => half.transcript.turn(s)?.envelope),
    ...given({ qs: said ? undefined : half.code.secret, prox: half.prox, k0: half.k0 }),
  };
}

/** given are the secrets that are there. */
function given<K extends string>(secrets: { readonly [N in K]: Secret | undefined }): { [N in K]?: Bytes } {
  const all = Object.entries(secrets) as [K, Secret | undefined][];
  return Object.fromEntries(all.flatMap(([name, s]) => s === undefined ? [] : [[name, s.bytes()]])) as { [N in K]?: Bytes };
}

function halfOf(s: Common, o: HalfOptions): Half {
  const secret = Secret.of(s.qs ?? new Uint8Array(32));
  if (s.qs === undefined) {
    secret.erase();
  }
  const code = malformed("stored state", () => new Code({
    beacons: s.public[1] as number, id: s.public.slice(3, 19), keyHash: s.public.slice(19), secret,
  }));
  const half = new Half(o, code, s.prox && Secret.of(s.prox));
  half.erased = s.erased;
  half.k0 = s.k0 && Secret.of(s.k0);
  for (const [i, step] of steps.entries()) {
    const envelope = s.turns[i];
    if (envelope !== undefined) {
      half.transcript.put(step, { envelope, value: half.transcript.next(step, envelope.message) });
    }
  }
  return half;
}
