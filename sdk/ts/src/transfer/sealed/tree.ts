import { type Bytes, concat, copy, u32, u64 } from "../../bytes.js";
import { hash, sha256 } from "../derive.js";
import { SealedError } from "./errors.js";
import type { Leaf } from "./segment.js";

/**
 * Tree is a Merkle tree to which leaves are appended; of its nodes it keeps only those
 * that are still needed, one for each set bit of their number. Its shape is RFC 9162,
 * Section 2.1.1.
 */
export class Tree {
  #leaves = 0;
  #nodes: Bytes[] = []; // full subtrees, the largest first

  /** append adds the next leaf. */
  append(leaf: Leaf): void {
    let node = copy(leaf);
    for (let n = this.#leaves; n % 2 === 1; n = (n - 1) / 2) {
      node = nodeHash(this.#nodes.pop() as Bytes, node);
    }
    this.#nodes.push(node);
    this.#leaves++;
  }

  /** leaves says how many there are. */
  get leaves(): number {
    return this.#leaves;
  }

  /** hash is the tree hash of the leaves so far; that of none is SHA-256 of nothing. */
  hash(): Bytes {
    return this.#nodes.length === 0 ? sha256(new Uint8Array(0)) : this.#nodes.reduceRight((right, left) => nodeHash(left, right));
  }

  /** marshal is for a checkpoint: the number of leaves, then the nodes. */
  marshal(): Bytes {
    return concat(u64(this.#leaves), ...this.#nodes);
  }

  /** unmarshal reads what marshal wrote. It throws a SealedError "checkpoint". */
  static unmarshal(bytes: Uint8Array): Tree {
    if (bytes.length < 8) {
      throw new SealedError("checkpoint", `a tree of ${bytes.length} bytes`);
    }
    const leaves = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
    if (!Number.isSafeInteger(leaves) || bytes.length !== 8 + 32 * ones(leaves)) {
      throw new SealedError("checkpoint", `${bytes.length - 8} bytes for the nodes of ${leaves} leaves`);
    }
    const tree = new Tree();
    tree.#leaves = leaves;
    for (let at = 8; at < bytes.length; at += 32) {
      tree.#nodes.push(copy(bytes.subarray(at, at + 32)));
    }
    return tree;
  }
}

/** ones counts the set bits of a whole number below 2^53. */
function ones(n: number): number {
  let count = 0;
  for (; n > 0; n = Math.floor(n / 2)) {
    count += n % 2;
  }
  return count;
}

/** nodeHash is SHA-256(0x01 ‖ left ‖ right). */
function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(concat(Uint8Array.of(1), left, right));
}

/**
 * streamRoot is what grant and receipt name: T("root", u32be revision ‖ u64be records ‖
 * u64be bytes ‖ u64be segments, tree hash).
 */
export function streamRoot(revision: number, records: number, bytes: number, segments: number, tree: Uint8Array): Bytes {
  return hash("root", concat(u32(revision), u64(records), u64(bytes), u64(segments)), tree);
}
