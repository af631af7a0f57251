/** The Importer of a StoreHistory. */
import { concat } from "../bytes.js";
import type { Store } from "../phone/ports.js";
import { MoveError } from "./errors.js";
import type { Entry, Importer, Quarantined } from "./history.js";
import { Lines, type LinesAt } from "./lines.js";
import type { Totals } from "./sealed/index.js";
import { droppedAll, droppedList, type Index, type Kept, pageEntries, pieceName, pieceSize } from "./storehistory.js";

const batchSize = 4 << 20; // bytes that are kept in memory before they are written

/** Staging says what of a history is there that nobody sees yet. */
interface Staging extends Index {
  readonly files: number; // that have begun
}

/** At is a checkpoint. */
interface At extends Staging {
  readonly page: readonly Kept[]; // the last page of the list, which is not full
  readonly open?: { readonly entry: Entry; readonly size: number; readonly lines?: LinesAt };
  readonly quarantined: number;
}

/** StoreImporter stages a history in the Store, under ids of its own, and shows it by one write. */
export class StoreImporter implements Importer {
  readonly #store: Store;
  readonly #prefix: string;
  #generation = "";
  #files = 0;
  #pages = 0; // full ones
  #page: Kept[] = [];
  #entry: Entry | undefined;
  #size = 0; // of the entry's content so far
  #piece: Uint8Array[] = []; // of its last piece so far
  #lines: Lines | undefined;
  #batch: Record<string, unknown> = {};
  #batched = 0; // bytes
  #quarantined = 0;
  #tell: (q: Quarantined) => void = () => undefined;

  constructor(store: Store, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  tell(to: (q: Quarantined) => void): void {
    this.#tell = to;
  }

  quarantined(): number {
    return this.#quarantined;
  }

  async resume(checkpoint: unknown): Promise<void> {
    const at = checkpoint as At | undefined;
    if (at === undefined) {
      await this.clear();
      this.#generation = crypto.randomUUID();
    } else {
      this.#generation = at.generation;
    }
    this.#files = at?.files ?? 0;
    this.#page = [...(at?.page ?? [])];
    this.#pages = (at?.pages ?? 0) - (this.#page.length > 0 ? 1 : 0);
    this.#quarantined = at?.quarantined ?? 0;
    this.#batch = {};
    this.#batched = 0;
    this.#entry = at?.open?.entry;
    this.#size = at?.open?.size ?? 0;
    this.#lines = at?.open?.lines === undefined ? undefined : this.#linesOf(at.open.entry, at.open.lines);
    const inPiece = this.#size % pieceSize;
    this.#piece = [];
    if (this.#entry !== undefined && inPiece > 0) {
      const written = (await this.#store.read(this.#pieceName(Math.floor(this.#size / pieceSize)))) as Uint8Array | undefined;
      if (written === undefined || written.length < inPiece) {
        throw new MoveError("check", `${this.#entry.path} is shorter than it was: cancel the move and begin again`);
      }
      this.#piece = [written.subarray(0, inPiece)];
    }
  }

  start(_: Totals): void {
    // It is the browser that knows what there is room for.
  }

  entry(e: Entry): void {
    this.#entry = e;
    this.#files++;
    this.#size = 0;
    this.#piece = [];
    this.#lines = e.kind === "records" ? this.#linesOf(e, undefined) : undefined;
  }

  async content(bytes: Uint8Array): Promise<void> {
    this.#lines?.write(bytes);
    for (let rest = bytes; rest.length > 0;) {
      const part = rest.subarray(0, pieceSize - (this.#size % pieceSize));
      this.#piece.push(new Uint8Array(part)); // it is another's after this call
      this.#size += part.length;
      rest = rest.subarray(part.length);
      if (this.#size % pieceSize === 0) {
        this.#put(this.#size / pieceSize - 1);
        this.#piece = [];
      }
      if (this.#batched >= batchSize) {
        await this.#flush();
      }
    }
  }

  async finish(): Promise<void> {
    const e = this.#entry as Entry;
    this.#lines?.end();
    if (this.#size % pieceSize > 0) {
      this.#put(Math.floor(this.#size / pieceSize));
    }
    this.#page.push({ kind: e.kind, path: e.path, size: e.size, modified: e.modified, id: this.#id(), pieces: Math.ceil(this.#size / pieceSize) });
    this.#entry = undefined;
    this.#piece = [];
    this.#lines = undefined;
    if (this.#page.length === pageEntries) {
      this.#batch[this.#pageName(this.#pages++)] = this.#page;
      this.#page = [];
    }
    if (this.#batched >= batchSize) {
      await this.#flush();
    }
  }

  async checkpoint(): Promise<unknown> {
    if (this.#piece.length > 0) {
      this.#put(Math.floor(this.#size / pieceSize)); // once more when it is full
    }
    if (this.#page.length > 0) {
      this.#batch[this.#pageName(this.#pages)] = [...this.#page];
    }
    await this.#flush();
    const at: At = {
      ...this.#staging(), page: [...this.#page], quarantined: this.#quarantined,
      ...(this.#entry === undefined ? {} : { open: { entry: this.#entry, size: this.#size, ...(this.#lines === undefined ? {} : { lines: this.#lines.at() }) } }),
    };
    return at;
  }

  async place(): Promise<void> {
    const staging = (await this.#store.read(`${this.#prefix}/staging`)) as Staging | undefined;
    if (staging === undefined) {
      return; // it was done
    }
    await this.#store.write({
      ...(await droppedAll(this.#store, this.#prefix)), [`${this.#prefix}/index`]: { generation: staging.generation, pages: staging.pages } satisfies Index,
      [`${this.#prefix}/staging`]: undefined,
    });
  }

  async clear(): Promise<void> {
    const staging = (await this.#store.read(`${this.#prefix}/staging`)) as Staging | undefined;
    if (staging === undefined) {
      return;
    }
    const changes: Record<string, unknown> = { ...droppedList(this.#prefix, staging), [`${this.#prefix}/staging`]: undefined };
    for (let file = 1; file <= staging.files; file++) {
      for (let n = 0; ; n++) {
        const name = pieceName(this.#prefix, `${staging.generation}-${file}`, n);
        if ((await this.#store.read(name)) === undefined) {
          break;
        }
        changes[name] = undefined;
      }
    }
    await this.#store.write(changes);
  }

  #linesOf(e: Entry, at: LinesAt | undefined): Lines {
    const bad = (line: number, reason: string): void => {
      this.#quarantined++;
      this.#tell({ path: e.path, line, reason });
    };
    return new Lines(bad, at);
  }

  #id(): string {
    return `${this.#generation}-${this.#files}`;
  }

  #pieceName(n: number): string {
    return pieceName(this.#prefix, this.#id(), n);
  }

  #pageName(n: number): string {
    return `${this.#prefix}/list/${this.#generation}/${n}`;
  }

  #staging(): Staging {
    return { generation: this.#generation, files: this.#files, pages: this.#pages + (this.#page.length > 0 ? 1 : 0) };
  }

  #put(n: number): void {
    const piece = concat(...this.#piece);
    this.#batch[this.#pieceName(n)] = piece;
    this.#batched += piece.length;
  }

  async #flush(): Promise<void> {
    await this.#store.write({ ...this.#batch, [`${this.#prefix}/staging`]: this.#staging() });
    this.#batch = {};
    this.#batched = 0;
  }
}
