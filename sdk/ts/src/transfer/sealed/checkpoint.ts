import type { Bytes } from "../../bytes.js";
import { decode, encode, MalformedError } from "../../cbor.js";
import { constant, flag, octets, struct, text, whole } from "../shape.js";
import { type Kind, maxHead, maxPath } from "./entry.js";
import { SealedError } from "./errors.js";
import type { Progress } from "./manifest.js";

/** Checkpoint is what is stored of a StreamReader. */
export interface Checkpoint {
  readonly progress: Progress;
  readonly heads: Bytes; // the state of the hash; empty behind the trailer
  readonly pending: Bytes;
  readonly left: number;
  readonly inside: boolean;
}

interface Stored {
  version: 1;
  begun: boolean; ended: boolean; inside: boolean;
  schema: number; allObjects: number; allBytes: number;
  objects: number; bytes: number; left: number;
  heads: Bytes; pending: Bytes;
  kind?: number; path?: string; size?: number; sinceEpoch?: number; beforeEpoch?: number;
}

const maxHashState = 256; // bytes; that of hash-wasm's SHA-256 has 116
const maxState = 8 << 10;
const kinds: readonly Kind[] = ["file", "folder", "records"];

const stored = struct<Stored>(
  [0, "version", constant(1)], [1, "begun", flag], [2, "ended", flag], [3, "inside", flag],
  [4, "schema", whole()], [5, "allObjects", whole()], [6, "allBytes", whole()], [7, "objects", whole()], [8, "bytes", whole()], [9, "left", whole()],
  [10, "heads", octets(0, maxHashState)], [11, "pending", octets(0, 4 + maxHead)],
  [12, "kind", whole(kinds.length - 1), "optional"], [13, "path", text(1, maxPath), "optional"], [14, "size", whole(), "optional"],
  [15, "sinceEpoch", whole(), "optional"], [16, "beforeEpoch", whole(), "optional"]);

/** writeCheckpoint encodes it. */
export function writeCheckpoint(c: Checkpoint): Bytes {
  const { begun, ended, totals, objects, bytes, last } = c.progress;
  const entry = last === undefined ? {} : {
    kind: kinds.indexOf(last.kind), path: last.path, size: last.size, [last.modified < 0 ? "beforeEpoch" : "sinceEpoch"]: Math.abs(last.modified),
  };
  return encode(stored.write({
    version: 1, begun, ended, inside: c.inside, schema: totals.schema, allObjects: totals.objects, allBytes: totals.bytes,
    objects, bytes, left: c.left, heads: c.heads, pending: c.pending, ...entry,
  }));
}

/** readCheckpoint reads what writeCheckpoint wrote. It throws a SealedError "checkpoint". */
export function readCheckpoint(state: Uint8Array): Checkpoint {
  let s: Stored;
  try {
    s = stored.read(decode(state, maxState));
  } catch (e) {
    throw e instanceof MalformedError ? new SealedError("checkpoint", `a checkpoint that cannot be read: ${e.message}`, { cause: e }) : e;
  }
  const kind = s.kind === undefined ? undefined : kinds[s.kind];
  const last = kind === undefined || s.path === undefined || s.size === undefined ? undefined
    : { kind, path: s.path, size: s.size, modified: (s.sinceEpoch ?? 0) - (s.beforeEpoch ?? 0) };
  const size = last?.size ?? 0;
  const sound = s.left <= size && size <= s.bytes && s.inside === s.left > 0 && s.objects <= s.allObjects && s.bytes <= s.allBytes
    && (s.begun || s.objects === 0 && s.bytes === 0 && !s.ended) && s.objects > 0 === (last !== undefined)
    && (!s.ended || !s.inside) && (s.pending.length === 0 || !s.inside && !s.ended) && s.ended === (s.heads.length === 0);
  if (!sound) {
    throw new SealedError("checkpoint", "a state that no reader has been in");
  }
  return {
    progress: { begun: s.begun, ended: s.ended, totals: { schema: s.schema, objects: s.allObjects, bytes: s.allBytes }, objects: s.objects, bytes: s.bytes, last },
    heads: s.heads, pending: s.pending, left: s.left, inside: s.inside,
  };
}
