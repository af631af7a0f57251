import { concat } from "../bytes.js";

/** How long a record may be that is looked at. A longer one is kept as it is, as every record is, and listed. */
const longestLine = 1 << 20;

/** LinesAt is where a Lines was, for a checkpoint. */
export interface LinesAt {
  readonly line: number;
  readonly open: Uint8Array;
}

/**
 * Lines finds the lines of a file of records that are not JSON, as its bytes pass. It keeps one line, and may go on in the
 * middle of a file.
 */
export class Lines {
  #line: number; // complete lines before the one that is open
  #open: Uint8Array[];
  #size: number;
  readonly #bad: (line: number, reason: string) => void;

  constructor(bad: (line: number, reason: string) => void, at: LinesAt = { line: 0, open: new Uint8Array() }) {
    this.#bad = bad;
    this.#line = at.line;
    this.#open = at.open.length > 0 ? [at.open] : [];
    this.#size = at.open.length;
  }

  /** write looks at the next bytes. */
  write(bytes: Uint8Array): void {
    for (let rest = bytes; ;) {
      const n = rest.indexOf(0x0a);
      if (n < 0) {
        this.#keep(rest);
        return;
      }
      this.#keep(rest.subarray(0, n));
      this.#end();
      rest = rest.subarray(n + 1);
    }
  }

  /** end looks at a last line without its end. */
  end(): void {
    if (this.#size > 0) {
      this.#end();
    }
  }

  /** at is for a checkpoint. */
  at(): LinesAt {
    return { line: this.#line, open: concat(...this.#open) };
  }

  #keep(bytes: Uint8Array): void {
    const room = longestLine + 1 - this.#size;
    const part = bytes.length > room ? bytes.subarray(0, room) : bytes;
    if (part.length > 0) {
      this.#open.push(new Uint8Array(part)); // the bytes are another's after this call
      this.#size += part.length;
    }
  }

  #end(): void {
    this.#line++;
    if (this.#size > longestLine) {
      this.#bad(this.#line, "longer than 1 MiB: not looked at");
    } else if (!isJSON(concat(...this.#open))) {
      this.#bad(this.#line, "not JSON");
    }
    this.#open = [];
    this.#size = 0;
  }
}

function isJSON(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}
