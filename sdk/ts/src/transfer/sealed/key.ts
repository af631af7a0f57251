import { type Bytes, copy } from "../../bytes.js";
import { key as deriveKey } from "../derive.js";
import { SealedError } from "./errors.js";

/**
 * Key is K_bulk, from which the key of each segment is derived. Wipe it when the stream
 * is over; nothing may be sealing or opening with it meanwhile. It prints as [redacted].
 */
export class Key {
  #bulk: Bytes | undefined;

  private constructor(bulk: Bytes) {
    this.#bulk = bulk;
  }

  /** of takes the 32 bytes that the two phones have agreed on, and keeps a copy. */
  static of(bulk: Uint8Array): Key {
    if (bulk.length !== 32) {
      throw new SealedError("key", `a key of ${bulk.length} bytes, not 32`);
    }
    return new Key(copy(bulk));
  }

  /** wipe overwrites the key. */
  wipe(): void {
    this.#bulk?.fill(0);
    this.#bulk = undefined;
  }

  /**
   * segment is the AES-256-GCM key of the segment with these 64 bytes of header:
   * X(K_bulk, "segment", header, 32).
   */
  async segment(header: Uint8Array, usage: "encrypt" | "decrypt"): Promise<CryptoKey> {
    if (this.#bulk === undefined) {
      throw new SealedError("key", "the key was wiped");
    }
    const k = deriveKey(this.#bulk, "segment", header, 32);
    try {
      return await crypto.subtle.importKey("raw", k, "AES-GCM", false, [usage]);
    } finally {
      k.fill(0);
    }
  }

  toJSON(): string {
    return "[redacted]";
  }

  toString(): string {
    return "[redacted]";
  }
}
