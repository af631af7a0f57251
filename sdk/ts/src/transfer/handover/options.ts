/** What the two halves are made with, and what they show. */
import type { Bytes } from "../../bytes.js";
import type { Evidence, EvidenceVerifier, Verdict } from "./evidence.js";
import type { DeviceInfo, Envelope, Grant, Offer } from "./messages.js";
import type { Secret } from "./secret.js";
import type { Secrets } from "./secrets.js";

/** Prover is a phone's attested key: as DeviceKey of the phone. */
export interface Prover {
  readonly spki: Bytes; // SubjectPublicKeyInfo
  sign(message: Uint8Array): Promise<Bytes>;
}

/** HalfOptions are what both halves need. */
export interface HalfOptions {
  readonly device: Prover;
  readonly audience: string; // app ID "@" host: as the server says, and as the app expects
  /** Judges the other phone's evidence. Without one every phone with evidence is refused. */
  readonly trust: EvidenceVerifier;
}

/** ReceiverOptions is the new phone. */
export interface ReceiverOptions extends HalfOptions {
  readonly evidence: Evidence;
  readonly challenge: Bytes; // 32 bytes, over which the evidence was made
  readonly info: DeviceInfo;
  readonly schema: { readonly low: number; readonly high: number }; // of the history, that the app can read
  readonly freeBytes: number; // for the history
  readonly beacons?: number; // beaconBLE and so on; none: 0
  readonly lan?: readonly string[]; // "ip:port" where the beacon is; with beaconLAN only
}

/** SenderOptions is the current phone. */
export interface SenderOptions extends HalfOptions {
  /** The history's schema, and about how many bytes it has: a phone that cannot read or hold it is refused. */
  readonly schema: number;
  readonly bytes: number;
  // What the hello says.
  readonly account: string;
  readonly deviceId: string;
  readonly info: DeviceInfo;
  readonly label: string; // for the new phone's screen, at most 64 bytes
  /** Makes fresh evidence for the own key over a challenge, where the platform can. */
  readonly evidence?: (challenge: Bytes) => Promise<Evidence>;
}

/** Peer is the new phone, as its offer and its evidence show it: for the screen, and for the person to say yes to. */
export interface Peer {
  readonly info: DeviceInfo; // what it says of itself
  readonly verdict?: Verdict; // none after a restart
  readonly lan: readonly string[]; // where its beacon is
  readonly schema: Offer["schema"];
  readonly freeBytes: number | bigint;
}

/** Granting is what the current phone says yes to when all has been sent. */
export interface Granting extends Omit<Grant, "secretsHash" | "commitShareHash"> {
  readonly secrets: Secrets;
}

/** Granted is a grant and what the server keeps with it until the new phone has committed. */
export interface Granted {
  readonly envelope: Envelope;
  readonly commitShare: Secret; // for the server: the new phone gets it in the committing transaction
  readonly sealed: Bytes; // the secrets, for who has K0 and the share
}
