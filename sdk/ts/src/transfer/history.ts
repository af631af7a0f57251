/** The history on both phones, as an app gives it and takes it. */
import type { Entry, Sink } from "./sealed/index.js";

export type { Entry } from "./sealed/index.js";

/** FileState is what a file of the history is now. */
export interface FileState {
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/**
 * Source is the history on the current phone. It may grow while it is sent: the plan is what walk has given, and what
 * differs from it is noticed.
 */
export interface Source {
  /** Says which history it is: a move that was begun goes on with one of the same name only. */
  readonly name: string;
  /**
   * walk gives all entries in the order in which they are sent: files of records first, then the rest, each in the byte
   * order of a folder walk (comparePaths). It throws a MoveError "history" for what cannot be sent.
   */
  walk(): AsyncIterable<Entry>;
  /** stat says what a file is now, which is compared with the plan before it is read and after; undefined: it is gone. */
  stat(path: string): Promise<FileState | undefined>;
  /** read gives the bytes of a file from one on. */
  read(path: string, from: number): AsyncIterable<Uint8Array>;
}

/** Quarantined is a record, or a file, that was not imported as it should. */
export interface Quarantined {
  readonly path: string;
  /** 0: the whole file. */
  readonly line: number;
  readonly reason: string;
}

/**
 * Importer takes the history on the new phone, into staging: nothing of it is seen until place. What cannot be imported it
 * puts into quarantine and goes on: one bad record is no failed move. What it throws ends the call, such as a MoveError
 * "no_space".
 *
 * Between two calls the page may be closed. Then resume is called with the last checkpoint that was written down, and
 * everything after that comes once more.
 */
export interface Importer extends Sink {
  /** resume goes on from a checkpoint, having taken back all that came after it. undefined: from the beginning, with nothing. */
  resume(checkpoint: unknown): Promise<void>;
  /** checkpoint says what resume needs to go on from here, a value of structured clone. All so far is durable when it resolves. */
  checkpoint(): Promise<unknown>;
  /** quarantined says how many there are. */
  quarantined(): number;
  /** place makes all of it visible, whole or not at all; then it is durable. Called again it does nothing. */
  place(): Promise<void>;
  /** clear removes staging: the move has come to nothing. */
  clear(): Promise<void>;
  /** tell says who is told of what goes into quarantine. */
  tell(to: (q: Quarantined) => void): void;
}
