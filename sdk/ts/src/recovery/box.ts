/** Opening the payload with the shares that vaults have released. */
import { type Bytes, hex } from "../bytes.js";
import { MalformedError } from "../cbor.js";
import { deriveDataKey, sum } from "./derive.js";
import type { Group } from "./group.js";
import { combineScalars, type Share } from "./oprf.js";
import { openBlob, UnreadableError } from "./seal.js";
import type { Answer, Header, WirePayload } from "./wire.js";

type ScalarShare = Pick<Share, "index" | "scalar">;

/** Opened is a payload, the key that opened it, and the blob and the header that it was in. */
interface Opened { readonly payload: WirePayload; readonly key: Bytes; readonly hash: Bytes; readonly header: Header }

/** Box is what came of opening: opened undefined if nothing did; who has lied, and how. */
interface Box { readonly opened: Opened | undefined; readonly shares: number; readonly liars: readonly (readonly [vault: string, why: string])[] }

/**
 * openBox opens the payload: with s from t shares, and of the blobs that vaults name the one
 * with the highest seq. With more than t shares a false one does no harm, and is found.
 */
export async function openBox(g: Group, header: Header, rwd: Bytes, blobs: readonly Bytes[], released: ReadonlyMap<string, Answer>): Promise<Box> {
  const named = new Set<string>();
  const shares: ScalarShare[] = [];
  const liars: [string, string][] = [];
  header.vaults.forEach(({ vault }, i) => {
    const a = released.get(vault);
    if (a?.s === undefined || a.blobHash === undefined) {
      return;
    }
    named.add(hex(a.blobHash));
    try {
      shares.push({ index: i + 1, scalar: g.scalar(a.s) });
    } catch {
      liars.push([vault, "its share is no scalar"]);
    }
  });
  const candidates = blobs.filter((b) => named.has(hex(sum(b))));
  for (const some of subsets(shares, header.t)) {
    const s = secretOf(g, header.t, some);
    const opened = s === undefined ? undefined : await newest(deriveDataKey(header.suite, header.reg, rwd, g.scalarBytes(s)), candidates);
    if (opened !== undefined) {
      return { opened, shares: shares.length, liars: [...liars, ...falseShares(g, header, some, s, shares)] };
    }
  }
  return { opened: undefined, shares: shares.length, liars };
}

/** secretOf combines exactly t shares; undefined: they give zero, so some are false. */
function secretOf(g: Group, t: number, some: readonly ScalarShare[]): bigint | undefined {
  try {
    return combineScalars(g, t, some);
  } catch {
    return undefined;
  }
}

/** newest is the payload with the highest seq, of those that the key opens: hashes are split when an update was interrupted. */
async function newest(key: Bytes, blobs: readonly Bytes[]): Promise<Opened | undefined> {
  let best: Opened | undefined;
  for (const blob of blobs) {
    try {
      const { header, payload } = await openBlob(key, blob);
      if (best === undefined || payload.seq > best.payload.seq) {
        best = { payload, key, hash: sum(blob), header };
      }
    } catch (err) {
      if (!(err instanceof UnreadableError || err instanceof MalformedError)) {
        throw err;
      }
    }
  }
  return best;
}

/** falseShares names the vaults whose shares do not lie on the polynomial of those that have opened the box. */
function falseShares(g: Group, header: Header, right: readonly ScalarShare[], want: bigint | undefined, all: readonly ScalarShare[]): [string, string][] {
  return all.flatMap((share): [string, string][] => {
    const others = right.filter((o) => o.index !== share.index);
    return secretOf(g, header.t, [share, ...others].slice(0, header.t)) === want ? [] : [[header.vaults[share.index - 1]?.vault ?? "", "its share of s"]];
  });
}

/** subsets yields those of t of the shares: at most 12,870, of eight of sixteen. */
function* subsets(shares: readonly ScalarShare[], t: number, from = 0, some: readonly ScalarShare[] = []): Generator<readonly ScalarShare[]> {
  if (some.length === t) {
    yield some;
    return;
  }
  for (let i = from; i <= shares.length - (t - some.length); i++) {
    yield* subsets(shares, t, i + 1, [...some, shares[i] as ScalarShare]);
  }
}
