import { type Bytes, concat, u32, utf8 } from "../../bytes.js";
import { decode, encode, MalformedError, type Value } from "../../cbor.js";
import { constant, octets, type Shape, struct, text, wellFormed, whole } from "../shape.js";
import { SealedError } from "./errors.js";

/**
 * Kind is what an entry is. Records, files whose records are imported one by one, come
 * first in a stream, then the rest: what the user looks at first arrives first.
 */
export type Kind = "file" | "folder" | "records";

/** Entry is a file or folder of the history. */
export interface Entry {
  readonly kind: Kind;
  readonly path: string; // below the history's folder: see checkPath
  readonly size: number; // bytes of content; that of a folder is 0
  readonly modified: number; // milliseconds since 1970
}

/** Totals are the preamble of a stream: what it will come to, for progress. */
export interface Totals {
  readonly schema: number; // of the app's records
  readonly objects: number; // entries, folders too
  readonly bytes: number; // of their contents
}

/** Head is what comes before the content of an item. */
export type Head =
  | { readonly item: "preamble"; readonly totals: Totals }
  | { readonly item: "entry"; readonly entry: Entry }
  | { readonly item: "trailer"; readonly objects: number; readonly bytes: number; readonly heads: Bytes };

export const maxHead = 4 << 10; // bytes of an item's head
export const maxPath = 1024; // bytes

/**
 * checkPath throws a SealedError "item" for a path that cannot be an entry's: it is UTF-8 of
 * at most 1,024 bytes, parts separated by "/", none of them empty, "." or "..", without
 * NUL and backslash. Such a path cannot lead out of the folder it is created in, but by
 * links that are there already.
 */
export function checkPath(path: string): void {
  const shown = JSON.stringify(path.slice(0, 80));
  if (!wellFormed(path)) {
    throw new SealedError("item", `the path ${shown} is not UTF-8`);
  }
  const length = utf8(path).length;
  if (length < 1 || length > maxPath) {
    throw new SealedError("item", `a path of ${length} bytes, and it has 1 to ${maxPath}`);
  }
  if (path.includes("\0") || path.includes("\\")) {
    throw new SealedError("item", `the path ${shown} has a NUL or a backslash`);
  }
  if (path.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw new SealedError("item", `the path ${shown} has a part that is empty, "." or ".."`);
  }
}

/**
 * comparePaths is the order in which entries come: that of a folder walk, names by their
 * bytes. What is in a folder comes right behind it: a, a/b, a-b.
 */
export function comparePaths(a: string, b: string): number {
  const x = utf8(a), y = utf8(b);
  let n = 0;
  while (n < x.length && n < y.length && x[n] === y[n]) {
    n++;
  }
  return rank(x, n) - rank(y, n);
}

/** rank puts the end of a path before "/", and "/" before everything else. */
function rank(path: Uint8Array, i: number): number {
  const b = path[i];
  return b === undefined ? 0 : b === 0x2f ? 1 : 2 + b;
}

const size = whole(); // a size beyond 2^53 has no exact number, and no browser has room for it

/** time is milliseconds; what no exact number says is the nearest one: nobody's Date goes so far. */
const time: Shape<number> = {
  write: (value) => Math.round(value),
  read(value) {
    switch (typeof value) {
      case "number":
        return value;
      case "bigint":
        if (value >= -(1n << 63n) && value < 1n << 63n) {
          return value < 0n ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
        }
        break;
      default:
    }
    throw new MalformedError("a number of 64 bits is wanted");
  },
};

const preamble = struct<{ item: 0; schema: number; objects: number; bytes: number }>(
  [0, "item", constant(0)], [1, "schema", whole()], [2, "objects", whole()], [3, "bytes", size]);
const trailer = struct<{ item: 9; objects: number; bytes: number; heads: Bytes }>(
  [0, "item", constant(9)], [2, "objects", whole()], [3, "bytes", size], [4, "heads", octets(32, 32)]);
const kinds: readonly Kind[] = ["file", "folder", "records"]; // 1, 2, 3
const entry = struct<{ kind: number; path: string; size: number; modified: number }>(
  [0, "kind", whole(kinds.length)], [1, "path", text(1, maxPath)], [2, "size", size], [3, "modified", time]);

/** headItem is an item without its content: the length of the head, and the head, which is also given by itself. */
export function headItem(head: Head): { readonly item: Bytes; readonly raw: Bytes } {
  const raw = itemErrors(() => encode(written(head)));
  return { item: concat(u32(raw.length), raw), raw };
}

function written(head: Head): Value {
  switch (head.item) {
    case "preamble":
      return preamble.write({ item: 0, ...head.totals });
    case "entry":
      return entry.write({ ...head.entry, kind: kinds.indexOf(head.entry.kind) + 1 });
    case "trailer":
      return trailer.write({ item: 9, objects: head.objects, bytes: head.bytes, heads: head.heads });
  }
}

/** readHead reads a head, the whole of raw. It throws a SealedError "item". */
export function readHead(raw: Uint8Array): Head {
  return itemErrors(() => {
    const value = decode(raw, maxHead);
    switch (value instanceof Map ? value.get(0) : undefined) {
      case 0: {
        const { schema, objects, bytes } = preamble.read(value);
        return { item: "preamble", totals: { schema, objects, bytes } };
      }
      case 9: {
        const { objects, bytes, heads } = trailer.read(value);
        return { item: "trailer", objects, bytes, heads };
      }
      default: {
        const e = entry.read(value);
        const kind = kinds[e.kind - 1];
        if (kind === undefined) {
          throw new MalformedError(`an item of kind ${e.kind}`);
        }
        return { item: "entry", entry: { ...e, kind } };
      }
    }
  });
}

function itemErrors<T>(fn: () => T): T {
  try {
    return fn();
  } catch (e) {
    throw e instanceof MalformedError ? new SealedError("item", `no item of the format: ${e.message}`, { cause: e }) : e;
  }
}
