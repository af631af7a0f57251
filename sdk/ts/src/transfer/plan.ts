/** The plan of a revision: one frozen list of what is sent, in pages of the Store. */
import { SealedError } from "./sealed/errors.js";
import { type Entry, measure, type Source as SealedSource } from "./sealed/index.js";
import { MoveError } from "./errors.js";
import type { Source } from "./history.js";
import type { Notes, Plan } from "./record.js";

/** The version of what the entries of a history mean. */
export const historySchema = 1;

const pageEntries = 500;

function pageName(revision: number, page: number): string {
  return `plan/${revision}/${page}`;
}

/** freeze writes down what there is to send. Without a source the plan has no entries: preamble and trailer. */
export async function freeze(notes: Notes, revision: number, source: Source | undefined): Promise<Plan> {
  const totals = { schema: historySchema, objects: 0, bytes: 0 };
  let page: Entry[] = [];
  let pages = 0;
  const flush = async (): Promise<void> => {
    if (page.length > 0) {
      await notes.write({ [pageName(revision, pages++)]: page });
      page = [];
    }
  };
  if (source !== undefined) {
    for await (const e of source.walk()) {
      page.push({ kind: e.kind, path: e.path, size: e.size, modified: e.modified });
      totals.objects++;
      totals.bytes += e.size;
      if (page.length === pageEntries) {
        await flush();
      }
    }
  }
  await flush();
  const plan: Plan = { revision, schema: historySchema, objects: totals.objects, content: totals.bytes, bytes: 0, pages };
  try {
    return { ...plan, bytes: await measure(totals, entriesOf(notes, plan, undefined)) };
  } catch (cause) {
    await notes.write(forgotten(plan));
    if (cause instanceof SealedError) {
      throw new MoveError("history", `this history cannot be sent: ${cause.message}`, { cause });
    }
    throw cause;
  }
}

/** forgotten are the changes that delete a plan's pages. */
export function forgotten(plan: Plan): Record<string, undefined> {
  return Object.fromEntries(Array.from({ length: plan.pages }, (_, i) => [pageName(plan.revision, i), undefined]));
}

/** entriesOf gives the entries of a plan, with their contents as they are now. */
export function entriesOf(notes: Notes, plan: Plan, source: Source | undefined): SealedSource {
  let at = 0;
  let page: Entry[] = [];
  let pages = 0;
  return {
    async next(): Promise<Entry | undefined> {
      if (at === page.length) {
        if (pages === plan.pages) {
          return undefined;
        }
        page = (await notes.read(pageName(plan.revision, pages++))) as Entry[];
        at = 0;
      }
      return page[at++];
    },
    async *open(e: Entry, from: number): AsyncGenerator<Uint8Array> {
      if (source === undefined) {
        throw new MoveError("history", `the history is wanted that this move was begun with: ${e.path}`);
      }
      await same(source, e);
      yield* source.read(e.path, from);
      await same(source, e); // what was read while the file changed is torn
    },
  };
}

/** same throws a SealedError "changed" if a file is not what the plan has. */
async function same(source: Source, e: Entry): Promise<void> {
  const now = await source.stat(e.path);
  if (now === undefined || now.size !== e.size || now.modified !== e.modified) {
    throw new SealedError("changed", `${e.path} ${now === undefined ? "is gone" : "has changed"}`);
  }
}

/** ObjectCount says how many entries of a plan are within so many bytes of its stream, about: heads are not counted. */
export class ObjectCount {
  readonly #entries: SealedSource;
  readonly #objects: number;
  #n = 0;
  #sum = 0;
  #next: Entry | undefined;
  #begun = false;

  constructor(notes: Notes, plan: Plan) {
    this.#entries = entriesOf(notes, plan, undefined);
    this.#objects = plan.objects;
  }

  async at(done: number, total: number): Promise<number> {
    if (done >= total) {
      return this.#objects;
    }
    if (!this.#begun) {
      this.#begun = true;
      this.#next = await this.#entries.next();
    }
    while (this.#next !== undefined && this.#sum + this.#next.size < done) {
      this.#sum += this.#next.size;
      this.#n++;
      this.#next = await this.#entries.next();
    }
    return this.#n;
  }
}
