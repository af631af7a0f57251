import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

import { base64url, fromBase64url } from "../bytes.js";
import { StaunchError } from "../phone/errors.js";
import type { Store } from "../phone/ports.js";

/** FileStore is a store in one file, for programs in Node. Whoever reads the file is the phone. */
export class FileStore implements Store {
  readonly #path: string;
  #values: Record<string, unknown>; // as they are on the disk
  #last: Promise<void> = Promise.resolve(); // the write before

  private constructor(path: string, values: Record<string, unknown>) {
    this.#path = path;
    this.#values = values;
  }

  /** open reads the file, which need not be there yet. One program at a time may have it open. */
  static async open(path: string): Promise<FileStore> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== "ENOENT") {
        throw err;
      }
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      return new FileStore(path, {});
    }
    return new FileStore(path, JSON.parse(text, revive) as Record<string, unknown>);
  }

  read(name: string): Promise<unknown> {
    return Promise.resolve(structuredClone(this.#values[name]));
  }

  write(changes: Readonly<Record<string, unknown>>): Promise<void> {
    const own = structuredClone(changes);
    const mine = this.#last.then(async () => {
      const values = { ...this.#values, ...own };
      await this.#replace(JSON.stringify(written(values)));
      this.#values = values; // what is not on the disk is not there
    });
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  /** The file is replaced as a whole, and is on the disk afterwards. */
  async #replace(text: string): Promise<void> {
    const part = `${this.#path}.part`;
    const f = await open(part, "w", 0o600);
    try {
      await f.writeFile(text);
      await f.sync();
    } finally {
      await f.close();
    }
    await rename(part, this.#path);
    const dir = await open(dirname(this.#path), "r");
    try {
      await dir.sync();
    } finally {
      await dir.close();
    }
  }
}

/** written is a value as JSON can have it: what JSON has no form for is an object with one member, whose name begins with $. */
function written(v: unknown): unknown {
  switch (true) {
    case v instanceof Uint8Array: return { $bytes: base64url(v) };
    case v instanceof Date: return { $date: v.toISOString() };
    case v instanceof Map: return { $map: [...v].map(([k, e]) => [written(k), written(e)]) };
    case typeof v === "bigint": return { $bigint: String(v) };
    case Array.isArray(v): return v.map(written);
    case typeof v === "object" && v !== null: {
      const proto: unknown = Object.getPrototypeOf(v);
      if (proto !== Object.prototype && proto !== null) {
        throw new StaunchError("STORE", `client: a file cannot hold a ${v.constructor.name}`);
      }
      return Object.fromEntries(Object.entries(v).map(([name, e]) => {
        if (name.startsWith("$")) {
          throw new StaunchError("STORE", `client: a file cannot hold an object with the member ${name}`);
        }
        return [name, written(e)];
      }));
    }
    default: return v;
  }
}

function revive(_name: string, v: unknown): unknown {
  if (typeof v !== "object" || v === null) {
    return v;
  }
  const o = v as Record<string, unknown>;
  switch (true) {
    case typeof o["$bytes"] === "string": return fromBase64url(o["$bytes"]);
    case typeof o["$date"] === "string": return new Date(o["$date"]);
    case typeof o["$bigint"] === "string": return BigInt(o["$bigint"]);
    case Array.isArray(o["$map"]): return new Map(o["$map"] as [unknown, unknown][]);
    default: return v;
  }
}
