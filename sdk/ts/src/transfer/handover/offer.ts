/** The offer, behind the code that the new phone shows: making it there, and checking it on the current phone. */
import { type Bytes, copy, equal } from "../../bytes.js";
import { sha256 } from "../derive.js";
import { beaconLAN, Code } from "./code.js";
import { HandoverError } from "./errors.js";
import { decodeEvidence, encodeEvidence, judge } from "./evidence.js";
import { Half } from "./half.js";
import { decodeMessage, type Envelope, type Offer } from "./messages.js";
import type { Peer, ReceiverOptions, SenderOptions } from "./options.js";
import { publicKey } from "./schedule.js";
import type { Secret } from "./secret.js";

/** Random is what is random in an offer: the name of the transfer, and the secrets of the code, the beacon and the KEM key. */
export interface Random {
  readonly id: Bytes;
  readonly qs: Secret;
  readonly prox: Secret;
  readonly seed: Secret;
}

/** makeOffer is the new phone's half with its offer. It throws a HandoverError "malformed" for options out of bounds. */
export async function makeOffer(o: ReceiverOptions, random: Random): Promise<Half> {
  const beacons = o.beacons ?? 0, lan = o.lan ?? [];
  if ((beacons & beaconLAN) !== 0 !== lan.length > 0) {
    throw new HandoverError("malformed", "options: beaconLAN and lan go together");
  }
  const key = await publicKey(random.seed);
  const code = new Code({ beacons, id: copy(random.id), keyHash: sha256(key), secret: random.qs });
  const half = new Half(o, code, random.prox);
  await half.make("offer", {
    public: code.public(), key, device: half.own, evidence: encodeEvidence(o.evidence), challenge: o.challenge, info: o.info, schema: o.schema,
    freeBytes: o.freeBytes, ...(lan.length > 0 ? { lan } : {}),
  });
  return half;
}

/**
 * checkOffer is the current phone's half, once it believes an offer: that it is of the code that was scanned, the evidence in
 * it, and that the history fits, in the order of spec/transfer.md, section 7. It throws a HandoverError.
 */
export async function checkOffer(code: Code, offer: Envelope, o: SenderOptions): Promise<{ readonly half: Half; readonly peer: Peer }> {
  const m = decodeMessage("offer", offer.message);
  if (!equal(m.public, code.public())) {
    throw new HandoverError("commitment", "not what was committed to: the offer is for another code");
  }
  if (!equal(sha256(m.key), code.keyHash)) {
    throw new HandoverError("commitment", "not what was committed to: the new phone's key is not the one in the code");
  }
  const half = new Half(o, code.copy(), undefined);
  half.peer = m.device;
  const value = await half.check("offer", offer, m.device);
  half.transcript.put("offer", { envelope: offer, value });
  const verdict = await judge(o.trust, decodeEvidence(m.evidence), m.challenge, m.device);
  if (o.schema < m.schema.low || o.schema > m.schema.high) {
    throw new HandoverError("schema",
      `the app on the new phone cannot read this history: update it there. It reads ${m.schema.low} to ${m.schema.high}, and this is ${o.schema}`);
  }
  if (o.bytes > m.freeBytes) {
    throw new HandoverError("space", `the new phone has no room for the history: ${m.freeBytes} bytes are free there, and this has ${o.bytes}`);
  }
  return { half, peer: { ...peerOf(m), verdict } };
}

/** peerOf is the new phone as its offer shows it, without a verdict. */
export function peerOf(m: Offer): Peer {
  return { info: m.info, lan: m.lan ?? [], schema: m.schema, freeBytes: m.freeBytes };
}
