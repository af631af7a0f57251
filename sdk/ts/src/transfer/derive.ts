/**
 * The notation in which the transfer protocol is written (spec/transfer.md, section 1):
 * how labels and values become the input of a hash or a key derivation. Every hash and
 * every key of a transfer is made by it, so that no two of them share an input.
 *
 *     I(l, a, b…)   = "staunch/transfer/v1" ‖ 0x00 ‖ L(l) ‖ L(a) ‖ L(b) …
 *     T(l, a, b…)   = SHA-256(I(l, a, b…))
 *     X(k, l, c, n) = HKDF-Expand-SHA256(k, I(l, c), n)
 *
 * L(x) is the length of x in 4 bytes, big-endian, then x.
 */
import { expand, extract as extractHKDF } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as hash256 } from "@noble/hashes/sha2.js";

import { type Bytes, concat, u32, utf8 } from "../bytes.js";

const domain = utf8("staunch/transfer/v1\0");

/** input is I(label, parts…). */
export function input(label: string, ...parts: readonly Uint8Array[]): Bytes {
  return concat(domain, ...[utf8(label), ...parts].flatMap((p) => [u32(p.length), p]));
}

/** hash is T(label, parts…), 32 bytes. */
export function hash(label: string, ...parts: readonly Uint8Array[]): Bytes {
  return sha256(input(label, ...parts));
}

/** key is X(k, label, context, length), at most 8,160 bytes. */
export function key(k: Uint8Array, label: string, context: Uint8Array, length: number): Bytes {
  return expand(hash256, k, input(label, context), length) as Bytes;
}

/** extract is HKDF-Extract-SHA256(salt, ikm), 32 bytes. */
export function extract(salt: Uint8Array, ikm: Uint8Array): Bytes {
  return extractHKDF(hash256, ikm, salt) as Bytes;
}

/** sha256 is SHA-256 of bytes. */
export function sha256(bytes: Uint8Array): Bytes {
  return hash256(bytes) as Bytes;
}

/** hmac256 is HMAC-SHA256, 32 bytes. */
export function hmac256(k: Uint8Array, bytes: Uint8Array): Bytes {
  return hmac(hash256, k, bytes) as Bytes;
}
