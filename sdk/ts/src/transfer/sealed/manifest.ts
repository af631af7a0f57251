import { type Bytes, equal } from "../../bytes.js";
import { checkPath, comparePaths, type Entry, type Head, type Totals } from "./entry.js";
import { SealedError } from "./errors.js";

/** HeadsHash is SHA-256 over the heads of a stream as they come. */
export interface HeadsHash {
  update(bytes: Uint8Array): unknown;
  digest(): Bytes;
}

/** Progress is what a manifest has seen so far. */
export interface Progress {
  readonly begun: boolean;
  readonly ended: boolean;
  readonly totals: Totals;
  readonly objects: number;
  readonly bytes: number;
  readonly last?: Entry | undefined; // none before the first
}

/**
 * Manifest follows the heads of a stream and applies their rules, the same where the stream
 * is made and where it is taken apart. It is of constant size: that no path comes twice
 * follows from their order.
 */
export class Manifest {
  #heads: HeadsHash;
  #at: Progress;

  constructor(heads: HeadsHash, at: Progress = { begun: false, ended: false, totals: { schema: 0, objects: 0, bytes: 0 }, objects: 0, bytes: 0 }) {
    this.#heads = heads;
    this.#at = at;
  }

  /** progress is what was seen so far. */
  get progress(): Progress {
    return this.#at;
  }

  /** take checks the next head; raw is its encoding. It throws a SealedError "item". */
  take(head: Head, raw: Uint8Array): void {
    if (this.#at.ended) {
      throw new SealedError("item", "an item behind the trailer");
    }
    if (this.#at.begun === (head.item === "preamble")) { // spec/transfer.md, "Items": item(preamble) item(entry)* item(trailer)
      throw new SealedError("item", "a stream begins with one preamble");
    }
    switch (head.item) {
      case "preamble":
        this.#at = { ...this.#at, begun: true, totals: head.totals };
        break;
      case "entry":
        this.#entry(head.entry);
        break;
      case "trailer":
        this.#trailer(head);
        this.#at = { ...this.#at, ended: true };
        return;
    }
    this.#heads.update(raw);
  }

  /** end is the trailer that belongs to the heads so far. Only take(end()) may follow. */
  end(): Head {
    return { item: "trailer", objects: this.#at.objects, bytes: this.#at.bytes, heads: this.#digest() };
  }

  #entry(e: Entry): void {
    checkPath(e.path);
    if (e.kind === "folder" && e.size !== 0) {
      throw new SealedError("item", `the folder ${shown(e)} has content`);
    }
    const { totals, objects, bytes } = this.#at;
    if (objects === totals.objects || e.size > totals.bytes - bytes) {
      throw new SealedError("item", `with ${shown(e)} there is more than the preamble says: ${totals.objects} objects of ${totals.bytes} bytes`);
    }
    this.#follows(e);
    this.#at = { ...this.#at, objects: objects + 1, bytes: bytes + e.size, last: e };
  }

  /**
   * follows checks the order: records first, then the rest, each in the order of a folder
   * walk, none twice, and nothing within a file.
   */
  #follows(e: Entry): void {
    const { last } = this.#at;
    if (last === undefined || last.kind === "records" && e.kind !== "records") {
      return; // the first of its group
    }
    if (last.kind !== "records" && e.kind === "records") {
      throw new SealedError("item", `the records of ${shown(e)} come behind ${shown(last)}`);
    }
    if (comparePaths(last.path, e.path) >= 0) {
      throw new SealedError("item", `${shown(e)} comes behind ${shown(last)}, which is not the order of a folder walk`);
    }
    if (last.kind !== "folder" && e.path.startsWith(`${last.path}/`)) {
      throw new SealedError("item", `${shown(e)} is within a file`);
    }
  }

  /** trailer checks that what came is what was announced, at both ends. */
  #trailer(head: Extract<Head, { item: "trailer" }>): void {
    const { totals, objects, bytes } = this.#at;
    if (head.objects !== objects || head.bytes !== bytes) {
      throw new SealedError("item", `${objects} objects of ${bytes} bytes came, and the trailer says ${head.objects} of ${head.bytes}`);
    }
    if (totals.objects !== objects || totals.bytes !== bytes) {
      throw new SealedError("item", `${objects} objects of ${bytes} bytes came, and the preamble says ${totals.objects} of ${totals.bytes}`);
    }
    if (!equal(head.heads, this.#digest())) {
      throw new SealedError("item", "the hash in the trailer is not that of the heads that came");
    }
  }

  #sum: Bytes | undefined;

  /** digest is the hash of all heads; it is made once. */
  #digest(): Bytes {
    return this.#sum ??= this.#heads.digest();
  }
}

/** shown is a path for the words of an error. */
function shown(e: Entry): string {
  return JSON.stringify(e.path.slice(0, 80));
}
