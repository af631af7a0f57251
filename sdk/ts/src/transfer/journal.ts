/**
 * What the current phone has sealed: a line for each segment, durable before the segment is sent. A segment at the server
 * that is not in it is not this phone's. It is 46 bytes for each 4 MiB.
 */
import { type Bytes, concat, equal, u32, u64 } from "../bytes.js";
import type { Notes } from "./record.js";

/** Sealing is one line: a range of records, and the leaf of the tree. */
export interface Sealing {
  readonly revision: number;
  readonly first: number;
  readonly records: number;
  readonly leaf: Bytes;
}

const lineSize = 4 + 8 + 2 + 32;
const pageLines = 128; // so that one more line does not write all of them again

/** Journal has all sealings of a transfer. */
export class Journal {
  readonly #notes: Notes;
  readonly #known = new Map<string, Bytes[]>();
  #page = 0;
  #last: Bytes = new Uint8Array();
  #turn: Promise<void> = Promise.resolve();

  private constructor(notes: Notes) {
    this.#notes = notes;
  }

  /** open reads the journal of a transfer, which may be empty. */
  static async open(notes: Notes): Promise<Journal> {
    const j = new Journal(notes);
    for (;; j.#page++) {
      const lines = (await notes.read(pageName(j.#page))) as Bytes | undefined;
      j.#last = lines ?? new Uint8Array();
      for (let at = 0; at + lineSize <= j.#last.length; at += lineSize) {
        j.#add(j.#last.subarray(at, at + lineSize));
      }
      if (j.#last.length < pageLines * lineSize) {
        return j;
      }
    }
  }

  /** note writes a segment down before it is sent. */
  note(s: Sealing): Promise<void> {
    const done = this.#turn.then(async () => {
      const line = concat(u32(s.revision), u64(s.first), u32(s.records).subarray(2), s.leaf);
      const lines = concat(this.#last, line);
      await this.#notes.write({ [pageName(this.#page)]: lines });
      this.#add(line);
      if (lines.length >= pageLines * lineSize) {
        this.#page++;
        this.#last = new Uint8Array();
      } else {
        this.#last = lines;
      }
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** knows reports whether this phone has sealed a segment. */
  knows(s: Sealing): boolean {
    return (this.#known.get(placeOf(s.revision, s.first, s.records)) ?? []).some((leaf) => equal(leaf, s.leaf));
  }

  /** forgotten are the changes that delete it. */
  forgotten(): Record<string, undefined> {
    return Object.fromEntries(Array.from({ length: this.#page + 1 }, (_, i) => [pageName(i), undefined]));
  }

  #add(line: Uint8Array): void {
    const view = new DataView(line.buffer, line.byteOffset, line.length);
    const place = placeOf(view.getUint32(0), Number(view.getBigUint64(4)), view.getUint16(12));
    this.#known.set(place, [...(this.#known.get(place) ?? []), new Uint8Array(line.subarray(14))]);
  }
}

function pageName(page: number): string {
  return `journal/${page}`;
}

function placeOf(revision: number, first: number, records: number): string {
  return `${revision}/${first}/${records}`;
}
