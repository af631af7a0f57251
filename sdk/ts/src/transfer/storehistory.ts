/**
 * A history that lies in the phone's own Store: for apps whose history is small enough for it, up to some hundred MB in
 * IndexedDB. Larger ones bring a Source and an Importer of their own.
 */
import { type Bytes, concat, copy } from "../bytes.js";
import type { Store } from "../phone/ports.js";
import type { Entry, FileState, Importer, Source } from "./history.js";
import { checkPath, comparePaths, SealedError } from "./sealed/index.js";
import { StoreImporter } from "./storeimporter.js";

export const pieceSize = 1 << 20; // bytes of a file in one value of the Store
export const pageEntries = 200; // of the list, so that a checkpoint does not write all of it again

/** Kept is an entry, and where its content lies. */
export interface Kept extends Entry {
  readonly id: string;
  readonly pieces: number;
}

/** Index says what is to be seen: the pages of a list. */
export interface Index {
  readonly generation: string;
  readonly pages: number;
}

/** StoreHistory is files by path. A path that ends in ".jsonl" is a file of records: one JSON value a line. */
export class StoreHistory {
  readonly #store: Store;
  readonly #prefix: string;

  /** prefix is where in the Store it lies: "history". */
  constructor(store: Store, prefix = "history") {
    this.#store = store;
    this.#prefix = prefix;
  }

  /** add writes a file, or replaces it. */
  async add(path: string, content: Uint8Array, modified = Date.now()): Promise<void> {
    checkPath(path);
    const all = await this.#all();
    const old = all.find((e) => e.path === path);
    const id = freshId();
    const changes: Record<string, unknown> = old === undefined ? {} : this.#dropped(old);
    let pieces = 0;
    for (let at = 0; at < content.length; at += pieceSize) {
      changes[this.#piece(id, pieces++)] = copy(content.subarray(at, at + pieceSize));
    }
    const kind = path.endsWith(".jsonl") ? "records" : "file";
    await this.#replace([...all.filter((e) => e.path !== path), { kind, path, size: content.length, modified, id, pieces }], changes);
  }

  /** entries are all files and folders, in the order in which they are sent. */
  async entries(): Promise<readonly Entry[]> {
    return this.#all();
  }

  /** read is the content of a file; undefined: there is none of this path. */
  async read(path: string): Promise<Bytes | undefined> {
    const e = (await this.#all()).find((k) => k.path === path);
    if (e === undefined) {
      return undefined;
    }
    const pieces: Uint8Array[] = [];
    for (let n = 0; n < e.pieces; n++) {
      pieces.push(await this.#content(e, n));
    }
    return concat(...pieces);
  }

  /** destroy deletes all of it. */
  async destroy(): Promise<void> {
    await this.#store.write(await droppedAll(this.#store, this.#prefix));
  }

  /** source is what a move sends. */
  source(): Source {
    const find = async (path: string): Promise<Kept | undefined> => (await this.#all()).find((e) => e.path === path);
    const content = (e: Kept, n: number): Promise<Uint8Array> => this.#content(e, n);
    const all = (): Promise<Kept[]> => this.#all();
    return {
      name: `store:${this.#prefix}`,
      async *walk() {
        yield* await all();
      },
      async stat(path): Promise<FileState | undefined> {
        const e = await find(path);
        return e === undefined ? undefined : { size: e.size, modified: e.modified };
      },
      async *read(path, from) {
        const e = await find(path);
        if (e === undefined) {
          throw new SealedError("changed", `${path} is gone`);
        }
        for (let n = Math.floor(from / pieceSize); n < e.pieces; n++) {
          const piece = await content(e, n);
          yield n * pieceSize < from ? piece.subarray(from - n * pieceSize) : piece;
        }
      },
    };
  }

  /** importer takes a history in its place. */
  importer(): Importer {
    return new StoreImporter(this.#store, this.#prefix);
  }

  /** all is the whole list, in order. */
  #all(): Promise<Kept[]> {
    return listOf(this.#store, this.#prefix);
  }

  async #replace(all: Kept[], changes: Record<string, unknown>): Promise<void> {
    const index = (await this.#store.read(`${this.#prefix}/index`)) as Index | undefined;
    Object.assign(changes, droppedList(this.#prefix, index));
    all.sort((a, b) => Number(b.kind === "records") - Number(a.kind === "records") || comparePaths(a.path, b.path));
    const generation = freshId();
    let pages = 0;
    for (let at = 0; at < all.length; at += pageEntries) {
      changes[`${this.#prefix}/list/${generation}/${pages++}`] = all.slice(at, at + pageEntries);
    }
    changes[`${this.#prefix}/index`] = { generation, pages } satisfies Index;
    await this.#store.write(changes);
  }

  /** content is one piece of a file. */
  async #content(e: Kept, n: number): Promise<Uint8Array> {
    const piece = (await this.#store.read(this.#piece(e.id, n))) as Uint8Array | undefined;
    if (piece === undefined) { // it was replaced meanwhile
      throw new SealedError("changed", `${e.path} has another content than it had`);
    }
    return piece;
  }

  #piece(id: string, n: number): string {
    return pieceName(this.#prefix, id, n);
  }

  #dropped(e: Kept): Record<string, undefined> {
    return dropped(this.#prefix, e);
  }
}

/** pieceName is where a piece of a file's content lies. */
export function pieceName(prefix: string, id: string, n: number): string {
  return `${prefix}/data/${id}/${n}`;
}

/** dropped are the changes that delete a file's content. */
function dropped(prefix: string, e: Kept): Record<string, undefined> {
  return Object.fromEntries(Array.from({ length: e.pieces }, (_, n) => [pieceName(prefix, e.id, n), undefined]));
}

async function listOf(store: Store, prefix: string): Promise<Kept[]> {
  const index = (await store.read(`${prefix}/index`)) as Index | undefined;
  const out: Kept[] = [];
  for (let n = 0; index !== undefined && n < index.pages; n++) {
    out.push(...((await store.read(`${prefix}/list/${index.generation}/${n}`)) as Kept[]));
  }
  return out;
}

/** droppedAll are the changes that delete all that is to be seen. */
export async function droppedAll(store: Store, prefix: string): Promise<Record<string, undefined>> {
  const index = (await store.read(`${prefix}/index`)) as Index | undefined;
  const contents = (await listOf(store, prefix)).map((e) => dropped(prefix, e));
  return Object.assign({ [`${prefix}/index`]: undefined }, droppedList(prefix, index), ...contents) as Record<string, undefined>;
}

/** droppedList are the changes that delete the pages of a list. */
export function droppedList(prefix: string, index: Index | undefined): Record<string, undefined> {
  return index === undefined ? {} : Object.fromEntries(Array.from({ length: index.pages }, (_, n) => [`${prefix}/list/${index.generation}/${n}`, undefined]));
}

function freshId(): string {
  return crypto.randomUUID();
}
