/**
 * The threshold OPRF (spec/kr1.md, section 3; RFC 9497 in mode 0x01): the phone's part,
 * and Shamir's scheme over its scalars. A vault that answers falsely spoils the output:
 * with more than t answers onPolynomial notices it, and a proof tells who it was.
 */
import { type Bytes, concat, copy, utf8 } from "../bytes.js";
import { encode, MalformedError } from "../cbor.js";
import { type Group, modulo } from "./group.js";

/** Blinded is a stretched PIN that vaults can evaluate and cannot see. */
export interface Blinded {
  readonly element: Bytes; // B
  /** finalize takes the blinding off k·B and hashes: rwd (RFC 9497, Section 3.3.1). */
  finalize(combined: Uint8Array): Bytes;
}

/** blind derives the blinding scalar from a seed, the registration and x: the same three give the same B. */
export function blind(g: Group, x: Bytes, seed: Bytes, reg: Bytes): Blinded {
  const r = g.hashToScalar(encode([seed, reg, x]), "staunch/kr1/blind");
  if (r === 0n) {
    throw new MalformedError("recovery: the blinding scalar is zero");
  }
  const p = g.hashToElement(x, `HashToGroup-${g.context}`);
  return {
    element: g.sum([[r, p]]),
    finalize: (combined) => {
      const n = g.sum([[g.inverse(r), combined]]);
      return g.hash(concat(...prefixed(x), ...prefixed(n), utf8("Finalize")));
    },
  };
}

/** Evaluation is one vault's: E = k_i·B at the point of its share. */
export interface Evaluation { readonly index: number; readonly e: Bytes }

/** combine gives k·B from exactly t evaluations. It cannot tell a false one. */
export function combine(g: Group, t: number, all: readonly Evaluation[]): Bytes {
  const points = indices(t, all);
  return g.sum(all.map(({ e }, i) => [lagrange(g, points, i, 0), e]));
}

/**
 * onPolynomial reports whether all evaluations, more than t, lie on one polynomial of
 * degree t−1 in the exponent. Of exactly t it cannot know, and says yes.
 */
export function onPolynomial(g: Group, t: number, all: readonly Evaluation[]): boolean {
  const first = all.slice(0, t);
  const points = indices(t, first);
  return all.slice(t).every(({ index, e }) => {
    if (points.includes(index)) {
      return false;
    }
    try {
      const want = g.sum(first.map((one, i) => [lagrange(g, points, i, index), one.e]));
      return want.every((b, i) => b === e[i]) && want.length === e.length; // public values
    } catch {
      return false; // the identity
    }
  });
}

/**
 * proves reports whether a proof shows that e was made of b with the share behind
 * publicShare, K_i (RFC 9497, Section 2.2.2, a batch of one).
 */
export function proves(g: Group, publicShare: Uint8Array, b: Uint8Array, e: Uint8Array, proof: Uint8Array): boolean {
  try {
    const c = g.scalar(proof.subarray(0, 32));
    const s = g.scalar(proof.subarray(32));
    const { m, z } = composites(g, publicShare, b, e);
    const t2 = g.sum([[s, null], [c, publicShare]]);
    const t3 = g.sum([[s, m], [c, z]]);
    return c === challenge(g, publicShare, m, z, t2, t3);
  } catch (err) {
    if (err instanceof MalformedError) {
      return false;
    }
    throw err;
  }
}

/** composites are M and Z (RFC 9497, Section 2.2.2, ComputeComposites). */
export function composites(g: Group, publicShare: Uint8Array, b: Uint8Array, e: Uint8Array): { m: Bytes; z: Bytes } {
  const seed = g.hash(concat(...prefixed(publicShare), ...prefixed(utf8(`Seed-${g.context}`))));
  const d = g.hashToScalar(concat(...prefixed(seed), Uint8Array.of(0, 0), ...prefixed(b), ...prefixed(e), utf8("Composite")), `HashToScalar-${g.context}`);
  return { m: g.sum([[d, b]]), z: g.sum([[d, e]]) };
}

/** challenge is the scalar that a proof answers. */
export function challenge(g: Group, ...parts: readonly Uint8Array[]): bigint {
  return g.hashToScalar(concat(...parts.flatMap((p) => prefixed(p)), utf8("Challenge")), `HashToScalar-${g.context}`);
}

/** Share is one vault's part of a dealt secret: the scalar, and K_i = k_i·G. */
export interface Share { readonly index: number; readonly scalar: bigint; readonly publicShare: Bytes }

/** deal cuts a secret into n shares of which t give it back, at the points 1 to n. */
export function deal(g: Group, secret: bigint, t: number, n: number): Share[] {
  if (t < 1 || t > n || n > 255) {
    throw new MalformedError(`recovery: shares for ${t} of ${n}`);
  }
  return dealWith(g, [secret, ...Array.from({ length: t - 1 }, () => g.randomScalar())], n);
}

/** dealWith evaluates the polynomial, the constant term first, at 1 to n. */
export function dealWith(g: Group, coefficients: readonly bigint[], n: number): Share[] {
  return Array.from({ length: n }, (_, i) => {
    const scalar = coefficients.reduceRight((y, c) => modulo(y * BigInt(i + 1) + c, g.order), 0n);
    return { index: i + 1, scalar, publicShare: g.sum([[scalar, null]]) };
  });
}

/** combineScalars gives a dealt secret back from exactly t shares. */
export function combineScalars(g: Group, t: number, shares: readonly Pick<Share, "index" | "scalar">[]): bigint {
  const points = indices(t, shares);
  const secret = shares.reduce((sum, { scalar }, i) => modulo(sum + lagrange(g, points, i, 0) * scalar, g.order), 0n);
  if (secret === 0n) {
    throw new MalformedError("recovery: the shares give zero");
  }
  return secret;
}

/** indices wants exactly t points, from 1 to 255, none twice. */
function indices(t: number, all: readonly { readonly index: number }[]): number[] {
  const points = all.map(({ index }) => index);
  if (t < 1 || points.length !== t || new Set(points).size !== t || points.some((i) => !Number.isInteger(i) || i < 1 || i > 255)) {
    throw new MalformedError(`recovery: ${points.length} shares at the points ${points.join(", ")}, and ${t} are wanted`);
  }
  return points;
}

/** lagrange is the coefficient of point number i when the polynomial is evaluated at the point at. */
function lagrange(g: Group, points: readonly number[], i: number, at: number): bigint {
  let num = 1n;
  let den = 1n;
  points.forEach((x, j) => {
    if (j !== i) {
      num = modulo(num * BigInt(at - x), g.order);
      den = modulo(den * BigInt((points[i] as number) - x), g.order);
    }
  });
  return modulo(num * g.inverse(den), g.order);
}

/** prefixed is a part behind its length in two bytes. */
function prefixed(part: Uint8Array): [Bytes, Bytes] {
  return [Uint8Array.of(part.length >> 8, part.length & 0xff), copy(part)];
}
