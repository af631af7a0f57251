/**
 * The two groups of KR-1 (spec/kr1.md, section 2): ristretto255 and P-256. Elements are
 * their canonical encodings, never the identity, so equal bytes are equal elements.
 * Scalars are numbers below the order.
 *
 * The arithmetic is that of @noble/curves on big integers: it does the same steps for
 * every scalar, and JavaScript's engine does not promise that each takes the same time.
 */
import { ed25519, ristretto255, ristretto255_hasher } from "@noble/curves/ed25519.js";
import { p256, p256_hasher } from "@noble/curves/nist.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";

import { type Bytes, copy, equal, utf8 } from "../bytes.js";
import { MalformedError } from "../cbor.js";

/** Group is a group of prime order with the hashes of RFC 9380 and RFC 9497. */
export interface Group {
  readonly suite: number;
  /** context is the contextString of RFC 9497, Section 3.1, in mode 0x01. */
  readonly context: string;
  readonly order: bigint;
  hash(message: Uint8Array): Bytes;
  /** element checks an encoding: canonical, and not the identity (RFC 9497, Section 2.1). */
  element(encoded: Uint8Array): Bytes;
  /** scalar reads 32 bytes, little-endian in suite 1. It refuses what is not below the order, and 0. */
  scalar(encoded: Uint8Array): bigint;
  scalarBytes(k: bigint): Bytes;
  /** randomScalar is never 0. */
  randomScalar(): bigint;
  hashToElement(message: Uint8Array, dst: string): Bytes;
  hashToScalar(message: Uint8Array, dst: string): bigint;
  /** sum is Σ k·E over pairs of a scalar that is not 0 modulo the order, and an element; null is the generator. */
  sum(pairs: readonly (readonly [bigint, Uint8Array | null])[]): Bytes;
  /** inverse is 1/k modulo the order. */
  inverse(k: bigint): bigint;
}

/** Point is what the two libraries' points have in common. */
interface Point<P> {
  add(other: P): P;
  multiply(k: bigint): P;
  is0(): boolean;
  toBytes(): Uint8Array;
}

interface Parts<P> {
  suite: number;
  name: string;
  size: number;
  little: boolean;
  order: bigint;
  base: P;
  zero: P;
  fromBytes(encoded: Uint8Array): P;
  invert(k: bigint): bigint;
  hash(message: Uint8Array): Uint8Array;
  toPoint(message: Uint8Array, dst: Uint8Array): P;
  toScalar(message: Uint8Array, dst: Uint8Array): bigint;
}

/** groupOf is the group of a suite. It throws a MalformedError if there is no such suite. */
export function groupOf(suite: number): Group {
  switch (suite) {
    case 1:
      return make({
        suite, name: "ristretto255-SHA512", size: 32, little: true, order: ed25519.Point.Fn.ORDER,
        base: ristretto255.Point.BASE, zero: ristretto255.Point.ZERO, fromBytes: (b) => ristretto255.Point.fromBytes(b),
        invert: (k) => ed25519.Point.Fn.inv(k), hash: (m) => sha512(m),
        toPoint: (m, DST) => ristretto255_hasher.hashToCurve(m, { DST }), toScalar: (m, DST) => ristretto255_hasher.hashToScalar(m, { DST }),
      });
    case 2:
      return make({
        suite, name: "P256-SHA256", size: 33, little: false, order: p256.Point.Fn.ORDER,
        base: p256.Point.BASE, zero: p256.Point.ZERO, fromBytes: (b) => p256.Point.fromBytes(b),
        invert: (k) => p256.Point.Fn.inv(k), hash: (m) => sha256(m),
        toPoint: (m, DST) => p256_hasher.hashToCurve(m, { DST }), toScalar: (m, DST) => p256_hasher.hashToScalar(m, { DST }),
      });
    default:
      throw new MalformedError(`recovery: there is no suite ${suite}`);
  }
}

function make<P extends Point<P>>(g: Parts<P>): Group {
  const read = (encoded: Uint8Array): P => {
    let p: P | undefined;
    if (encoded.length === g.size) {
      try {
        p = g.fromBytes(encoded);
      } catch {
        p = undefined;
      }
    }
    if (p === undefined || p.is0() || !equal(p.toBytes(), encoded)) { // RFC 9496, Section 4.3.1: one encoding for each
      throw new MalformedError(`recovery: no element of ${g.name}`);
    }
    return p;
  };
  const written = (p: P): Bytes => {
    if (p.is0()) {
      throw new MalformedError("recovery: the identity");
    }
    return copy(p.toBytes());
  };
  return {
    suite: g.suite,
    context: `OPRFV1-\x01-${g.name}`,
    order: g.order,
    hash: (message) => copy(g.hash(message)),
    element: (encoded) => written(read(encoded)),
    scalar: (encoded) => {
      const k = number(g.little ? encoded.slice().reverse() : encoded);
      if (encoded.length !== 32 || k === 0n || k >= g.order) {
        throw new MalformedError("recovery: a scalar that is zero, or not canonical");
      }
      return k;
    },
    scalarBytes: (k) => {
      const out = new Uint8Array(32);
      for (let i = 31, left = k; i >= 0; i--, left >>= 8n) {
        out[i] = Number(left & 0xffn);
      }
      return g.little ? out.reverse() : out;
    },
    randomScalar: () => {
      for (;;) { // 48 bytes: no value is likelier than another by more than 2^-128
        const k = number(crypto.getRandomValues(new Uint8Array(48))) % g.order;
        if (k !== 0n) {
          return k;
        }
      }
    },
    hashToElement: (message, dst) => written(g.toPoint(message, utf8(dst))),
    hashToScalar: (message, dst) => g.toScalar(message, utf8(dst)),
    sum: (pairs) => written(pairs.reduce((total, [k, e]) => {
      const by = modulo(k, g.order);
      if (by === 0n) {
        throw new MalformedError("recovery: the scalar zero");
      }
      return total.add((e === null ? g.base : read(e)).multiply(by));
    }, g.zero)),
    inverse: (k) => g.invert(modulo(k, g.order)),
  };
}

/** number is big-endian bytes as a number. */
export function number(bytes: Uint8Array): bigint {
  return bytes.reduce((n, b) => (n << 8n) | BigInt(b), 0n);
}

/** modulo is n mod m, from 0 to m−1, also of a negative n. */
export function modulo(n: bigint, m: bigint): bigint {
  const r = n % m;
  return r < 0n ? r + m : r;
}
