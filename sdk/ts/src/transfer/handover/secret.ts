import { type Bytes, copy } from "../../bytes.js";
import { erased } from "./errors.js";

/** Secret is bytes that nobody may see: the code's, a share, a key. It prints as [redacted]. */
export class Secret {
  #bytes: Bytes | undefined;

  private constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  /** of keeps a copy of bytes. */
  static of(bytes: Uint8Array): Secret {
    return new Secret(copy(bytes));
  }

  /** random draws so many bytes. */
  static random(length = 32): Secret {
    return new Secret(crypto.getRandomValues(new Uint8Array(length)));
  }

  /** bytes gives a copy: for a share, to be sent to the server. After erase it throws. */
  bytes(): Bytes {
    if (this.#bytes === undefined) {
      throw erased();
    }
    return copy(this.#bytes);
  }

  /** erase overwrites it. */
  erase(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }

  toJSON(): string {
    return "[redacted]";
  }

  toString(): string {
    return "[redacted]";
  }
}
