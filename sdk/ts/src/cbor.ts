/**
 * CBOR in the core deterministic form (RFC 8949, Section 4.2.1), which is the only
 * form that Staunch's structures have: shortest heads, definite lengths, map keys in
 * bytewise order, no tags, no floats. What decodes encodes to the same bytes.
 */
import { decode as decodeAny, encode as encodeAny, rfc8949EncodeOptions } from "cborg";

import { type Bytes, copy, equal } from "./bytes.js";

/** A value of CBOR as TypeScript has it. Numbers beyond 2^53 are bigints. */
export type Value = number | bigint | boolean | null | string | Uint8Array | readonly Value[] | ReadonlyMap<number | string, Value>;

/** MalformedError: bytes that are no structure of Staunch's, or one with other members. */
export class MalformedError extends Error {
  override readonly name = "MalformedError";
}

/** encode writes a value. Maps are Map objects; it throws a TypeError for anything that has no form. */
export function encode(value: Value): Bytes {
  check(value);
  return copy(encodeAny(value, rfc8949EncodeOptions));
}

/** decode reads one value that fills bytes. It throws a MalformedError for every other form, and for more than max bytes. */
export function decode(bytes: Uint8Array, max: number): Value {
  if (bytes.length > max) {
    throw new MalformedError(`cbor: ${bytes.length} bytes, and at most ${max} are allowed`);
  }
  let value: Value;
  try {
    value = decodeAny(bytes, {
      strict: true, useMaps: true, allowIndefinite: false, allowUndefined: false, allowBigInt: true,
      allowInfinity: false, allowNaN: false, rejectDuplicateMapKeys: true,
    }) as Value;
    if (!equal(encode(value), bytes)) {
      throw new MalformedError("another order or form than the deterministic one");
    }
  } catch (cause) {
    throw new MalformedError(`cbor: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return value;
}

/** check throws for what the deterministic form of Staunch's structures has no place for. */
function check(value: Value): void {
  switch (typeof value) {
    case "number":
      if (!Number.isSafeInteger(value)) {
        throw new TypeError(`cbor: ${value} is no whole number that is exact`);
      }
      return;
    case "bigint": case "boolean": case "string":
      return;
    default:
  }
  if (value === null || value instanceof Uint8Array) {
    return;
  }
  if (Array.isArray(value)) {
    value.forEach(check);
    return;
  }
  if (value instanceof Map) {
    for (const [k, v] of value) {
      check(k as Value);
      check(v as Value);
    }
    return;
  }
  throw new TypeError("cbor: a Map, an array, bytes, text, a whole number, a boolean or null is wanted");
}
