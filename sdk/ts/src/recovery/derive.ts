/** The derivations of KR-1 that a phone makes (spec/kr1.md, section 3). */
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { argon2id } from "hash-wasm";

import { type Bytes, concat, copy, utf8 } from "../bytes.js";
import { encode, MalformedError } from "../cbor.js";
import { number } from "./group.js";
import { type Argon2, outputSize } from "./wire.js";

/** sum is SHA-256. */
export function sum(message: Uint8Array): Bytes {
  return copy(sha256(message));
}

/** expandKey is HKDF-Expand of RFC 5869 to length bytes. */
export function expandKey(prk: Uint8Array, info: Uint8Array, length = 32): Bytes {
  return copy(expand(sha256, prk, info, length));
}

/** extractKey is HKDF-Extract. */
export function extractKey(salt: Uint8Array, key: Uint8Array): Bytes {
  return copy(extract(sha256, key, salt));
}

/** stretch is x: the PIN in NFKC, slowed down, with the registration as salt. */
export async function stretch(pin: string, reg: Bytes, a: Argon2): Promise<Bytes> {
  return copy(await argon2id({
    password: utf8(pin), salt: reg, iterations: a.t, parallelism: a.p, memorySize: a.m, hashLength: 32, outputType: "binary",
  }));
}

/** derivePRS is prs_i, what phone and vault have in common. */
export function derivePRS(suite: number, reg: Bytes, rwd: Bytes, vault: string): Bytes {
  return expandKey(extractKey(reg, output(suite, rwd)), encode(["staunch/kr1/prs", vault]));
}

/** deriveDataKey is K, which seals the payload. s: the shared scalar, encoded. */
export function deriveDataKey(suite: number, reg: Bytes, rwd: Bytes, s: Bytes): Bytes {
  return expandKey(extractKey(reg, concat(output(suite, rwd), s)), encode(["staunch/kr1/data"]));
}

function output(suite: number, rwd: Bytes): Bytes {
  if (rwd.length !== outputSize(suite)) {
    throw new MalformedError(`recovery: an OPRF output of ${rwd.length} bytes`);
  }
  return rwd;
}

/** attemptName is h, which names an attempt: one blinded element of one registration. */
export function attemptName(reg: Bytes, b: Bytes): Bytes {
  return sum(encode([reg, b])).slice(0, 16);
}

/** ManageKey signs what changes a registration. Its private half stays inside. */
export interface ManageKey {
  readonly public: Bytes; // 32 bytes; in suite 2 a compressed point
  sign(message: Uint8Array): Bytes; // 64 bytes; in suite 2 r then s
}

/** manageKey derives it from the seed in the payload. */
export function manageKey(suite: number, seed: Bytes): ManageKey {
  if (suite === 1) {
    return { public: copy(ed25519.getPublicKey(seed)), sign: (m) => copy(ed25519.sign(m, seed)) };
  }
  // FIPS 186-5, A.2.1: 48 bytes, so that no value is likelier than another.
  const wide = number(expandKey(seed, encode(["staunch/kr1/manage"]), 48));
  const secret = p256.Point.Fn.toBytes((wide % (p256.Point.Fn.ORDER - 1n)) + 1n);
  return { public: copy(p256.getPublicKey(secret, true)), sign: (m) => copy(p256.sign(m, secret, { lowS: false })) };
}

/** verifyManaged reports whether a manage key has signed exactly these bytes. */
export function verifyManaged(suite: number, key: Uint8Array, message: Uint8Array, sig: Uint8Array): boolean {
  try {
    return suite === 1
      ? ed25519.verify(sig, message, key, { zip215: false })
      : key.length === 33 && p256.verify(sig, message, key, { lowS: false });
  } catch {
    return false; // a key or a signature that is no point or scalar
  }
}

/** mac is HMAC-SHA-256. */
export function mac(key: Uint8Array, message: Uint8Array): Bytes {
  return copy(hmac(sha256, key, message));
}
