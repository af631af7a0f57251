/** The public face of a move: what an app gives both loops, and what it is told. */
import type { Bytes } from "../bytes.js";
import type { Importer, Source } from "./history.js";
import type { EvidenceVerifier } from "./handover/index.js";

/** MoveInfo is what a phone says of itself: 1 to 64 bytes each. */
export interface MoveInfo {
  readonly model: string;
  readonly os: string;
  readonly app: string;
}

/** Secrets are the keys that go along, by name ("sealing", "recovery" …), at most 64 KiB in all. */
export type Secrets = ReadonlyMap<string, Bytes>;

/**
 * MoveHome is the app on this phone, as far as a move changes it. Each of its methods may be called again after a
 * crash, and does nothing then that it did already. When one resolves, its work survives a power cut.
 */
export interface MoveHome {
  /**
   * sealingPublic gives the public sealing key that the phone was enrolled with, or that sealing.rotate has set since; empty
   * if it has none. Of the current phone, before anybody is asked.
   */
  sealingPublic(): Promise<Bytes>;
  /** secrets gives the keys that go along. Of the current phone, when its owner has said yes and all has been sent. */
  secrets(): Promise<Secrets>;
  /** sealingKey gives the public half of the sealing key in secrets; empty if there is none. */
  sealingKey(secrets: Secrets): Promise<Bytes>;
  /** take stores them. Of the new phone. */
  take(secrets: Secrets): Promise<void>;
  /** lock puts keys and history out of use and keeps them: the account is the new phone's. */
  lock(): Promise<void>;
  /** unlock undoes it: the account was taken back. */
  unlock(): Promise<void>;
  /** wipe destroys keys and history: the move is final, or was recalled from this phone. */
  wipe(): Promise<void>;
}

/** Moving is what every call about a move needs. */
export interface Moving {
  readonly home: MoveHome;
  /** Told what happens, in order. */
  readonly events?: (event: MoveEvent) => void;
  /** Ends the call where it is: the same call again goes on there. */
  readonly signal?: AbortSignal;
}

/** Peer is the new phone, as the current one shows it. */
export interface Peer {
  readonly info: MoveInfo;
  /** Its evidence is good, by this phone's own verifier: always true where `ask` is called. */
  readonly verified: boolean;
  /** Of that: codes of package attest. */
  readonly findings: readonly string[];
  /** Of the server, which is only shown: "TRUSTED" … */
  readonly verdict: string;
  /** Where it is, in the server's word. */
  readonly place: string;
  /** Both come from one public address, in the server's word. */
  readonly sameNetwork: boolean;
  /** A browser hears no beacon: always "none". */
  readonly proximity: "none";
}

/** SendOptions are of the current phone. */
export interface SendOptions extends Moving {
  /** The scanned code. A move that has begun needs none. */
  readonly uri?: string;
  /** Judges the other phone's evidence, by the app's own roots: the server's verdict is only shown. */
  readonly trust: EvidenceVerifier;
  /** The history. Absent: none. */
  readonly source?: Source;
  /** What the person calls this phone, for the other's screen: at most 64 bytes. */
  readonly name?: string;
  readonly info: MoveInfo;
  /** Has the person look at the new phone: whether the account is to move there. */
  readonly ask: (peer: Peer) => Promise<boolean>;
  /** Shows the text that the person approves with his passkey. */
  readonly show: (text: string) => void | Promise<void>;
  /**
   * For how long this phone can take the account back at the least, in ms from when the new one has opened the keys, by
   * its own clock: whatever the server says, it destroys nothing before. Absent: three days; 0 leaves it to the server.
   */
  readonly leastRecall?: number;
  /** How far the app has read its mailbox, 1 to 256 bytes: where the new phone goes on. */
  readonly cursor?: () => Bytes | undefined;
}

/** ReceiveOptions are of the new phone. */
export interface ReceiveOptions extends Moving {
  readonly info: MoveInfo;
  /** Judges the current phone's evidence, where it brings any. Absent: one that does is refused. */
  readonly trust?: EvidenceVerifier;
  /** Takes the history. */
  readonly importer: Importer;
  /** Has the person type the number that the current phone shows. The signal says that nobody waits for it any more. */
  readonly number: (triesLeft: number, signal: AbortSignal) => Promise<string>;
  /** Free bytes for the history. Absent: the browser's estimate, or 1 TiB where it has none. */
  readonly freeBytes?: number;
}

/** Moved is a finished move. */
export interface Moved {
  readonly role: "sender" | "receiver";
  readonly transfer: string;
  readonly account: string;
  /** This phone's. */
  readonly device: string;
  readonly objects: number;
  readonly bytes: number;
  readonly quarantined: number;
  readonly sealingKeySha256: Bytes;
  readonly recallUntil?: Date;
  /** Of the receiver: where the app goes on reading. */
  readonly mailboxCursor?: Bytes;
}

/** MoveStanding is how a move stands on this phone. */
export interface MoveStanding {
  readonly role: "sender" | "receiver" | "none";
  readonly transfer: string;
  /** "offered" … "aborted"; empty: the server has not said. */
  readonly state: string;
  /** Of "aborted". */
  readonly reason: string;
  readonly class: string;
  readonly account: string;
  readonly device: string;
  readonly objects: number;
  readonly bytes: number;
  /** As in progress. */
  readonly done: number;
  readonly total: number;
  readonly quarantined: number;
  readonly sealingKeySha256?: Bytes;
  readonly heldUntil?: Date;
  readonly recallUntil?: Date;
  /** The server was. */
  readonly reachable: boolean;
}

/** Phase is what is done now. */
export type Phase = "pair" | "hold" | "copy" | "check" | "commit" | "open";

/** MoveEvent is what a person, or a program, wants to hear of a move. C: told on the current phone. N: on the new one. */
export type MoveEvent = { readonly at: Date; readonly transfer: string } & Told;

/** Told is an event without its time. */
export type Told =
  | { readonly event: "offer"; readonly uri: string; readonly expires: Date } // N: show the code
  | { readonly event: "claimed"; readonly label: string; readonly info: MoveInfo } // N: a phone has scanned it
  | { readonly event: "peer"; readonly peer: Peer } // C
  | { readonly event: "number"; readonly number: string } // C: six digits to show
  | { readonly event: "number_wanted" | "number_wrong"; readonly triesLeft: number } // N
  | { readonly event: "matched" }
  | { readonly event: "confirmed"; readonly class: string; readonly bytes: number }
  | { readonly event: "held"; readonly until: Date; readonly reasons: readonly string[] }
  | { readonly event: "resumed"; readonly state: string; readonly done: number }
  | { readonly event: "restarted"; readonly revision: number; readonly reason: string }
  | { readonly event: "retry"; readonly reason: string; readonly afterMs: number }
  | Progress
  | { readonly event: "quarantined"; readonly path: string; readonly line: number; readonly reason: string } // N. line 0: not of one line
  | { readonly event: "sealed"; readonly root: Bytes; readonly bytes: number; readonly objects: number }
  | { readonly event: "committed"; readonly account: string }
  | { readonly event: "signed_out"; readonly recallUntil: Date }; // C

/** Progress has one measure: plaintext bytes that are durable on the new phone. It never falls within a revision. */
export interface Progress {
  readonly event: "progress";
  readonly phase: Phase;
  readonly revision: number;
  readonly done: number;
  /** 0: not known yet. */
  readonly total: number;
  readonly objects: number;
  readonly objectsTotal: number;
  /** Bytes a second; absent: not known yet. */
  readonly rate?: number;
  /** Milliseconds; absent: not known. Never 0 before the account has moved. */
  readonly eta?: number;
}
