import { type Bytes, concat, u32, u64 } from "../../bytes.js";
import { SealedError } from "./errors.js";
import { checkHeader, type Header, maxFirst, maxRecords, recordSize, recordsOf } from "./header.js";
import type { Leaf } from "./segment.js";
import { streamRoot, Tree } from "./tree.js";

const version = 1;

/**
 * Stream is what is known of a stream whose segments have come one after the other from
 * its beginning: how far it goes, and the tree over their leaves. The old phone keeps one
 * over what it has sealed, the server computes one from its rows, the new phone keeps one
 * over what it has opened: all three come to the same root, or one of them sees another
 * stream. It is a few hundred bytes, at any length.
 */
export class Stream {
  #records = 0;
  #bytes = 0;
  #tree = new Tree();

  /** A Stream is empty at first. */
  constructor(readonly revision: number) {}

  /**
   * add takes the next segment: its header, of which the salt is not looked at, and its
   * leaf. It throws a SealedError "order", and nothing has changed.
   */
  add(h: Omit<Header, "salt">, leaf: Leaf): void {
    checkHeader(h);
    if (h.revision !== this.revision) {
      throw new SealedError("order", `it is of revision ${h.revision}, and the stream is revision ${this.revision}`);
    }
    if (h.first !== this.#records) { // no gap, no overlap, none twice
      throw new SealedError("order", `it begins with record ${h.first}, and the next is ${this.#records}`);
    }
    if (this.#bytes !== this.#records * recordSize) { // spec/transfer.md, "Segment": only the last one may end in a short record
      throw new SealedError("order", `the stream has ended with the short record ${this.#records - 1}`);
    }
    this.#records += recordsOf(h.plain);
    this.#bytes += h.plain;
    this.#tree.append(leaf);
  }

  /** records says how many there are: the number of the next one. */
  get records(): number {
    return this.#records;
  }

  /** bytes says how many bytes of plaintext there are. */
  get bytes(): number {
    return this.#bytes;
  }

  /** segments says how many there are. */
  get segments(): number {
    return this.#tree.leaves;
  }

  /** root is the root of the stream, if it ends here. */
  root(): Bytes {
    return streamRoot(this.revision, this.#records, this.#bytes, this.#tree.leaves, this.#tree.hash());
  }

  /** marshal is for a checkpoint. */
  marshal(): Bytes {
    return concat(Uint8Array.of(version), u32(this.revision), u64(this.#records), u64(this.#bytes), this.#tree.marshal());
  }

  /** unmarshal reads what marshal wrote. It throws a SealedError "checkpoint". */
  static unmarshal(bytes: Uint8Array): Stream {
    if (bytes.length < 21 || bytes[0] !== version) {
      throw new SealedError("checkpoint", `no stream of version ${version}`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const stream = new Stream(view.getUint32(1));
    stream.#records = Number(view.getBigUint64(5));
    stream.#bytes = Number(view.getBigUint64(13));
    stream.#tree = Tree.unmarshal(bytes.subarray(21));
    const full = stream.#records * recordSize;
    if (stream.#records > maxFirst + maxRecords || stream.#bytes > full || full - stream.#bytes >= recordSize
      || stream.#tree.leaves > stream.#records) {
      throw new SealedError("checkpoint", `${stream.#records} records of ${stream.#bytes} bytes in ${stream.#tree.leaves} segments`);
    }
    return stream;
  }
}
