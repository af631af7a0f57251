/** Bytes, and the few forms in which they are written: UTF-8, hex, base64url. */

/** Bytes that are in memory of their own: what Web Cryptography takes and gives. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** utf8 is text in UTF-8. */
export function utf8(text: string): Bytes {
  return encoder.encode(text) as Bytes;
}

/** text is what UTF-8 bytes say. It throws a TypeError for bytes that are no UTF-8. */
export function text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** concat is all parts, one behind the other, in memory of its own. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** copy is the same bytes in memory of their own. */
export function copy(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes) as Bytes;
}

/** equal compares in a time that depends on the lengths alone. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) {
    return false;
  }
  let differ = 0;
  for (let i = 0; i < a.length; i++) {
    differ |= (a[i] as number) ^ (b[i] as number);
  }
  return differ === 0;
}

/** u32 is a number below 2^32 in four bytes, big-endian. */
export function u32(n: number): Bytes {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, n);
  return out;
}

/** u64 is a number below 2^64 in eight bytes, big-endian. */
export function u64(n: number | bigint): Bytes {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(n));
  return out;
}

/** hex is bytes as lower-case hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  let out = "";
  for (const b of bytes) {
    out += b.toString(16).padStart(2, "0");
  }
  return out;
}

/** fromHex reads what hex writes. It throws a RangeError for anything else. */
export function fromHex(digits: string): Bytes {
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/.test(digits)) {
    throw new RangeError("hex: an even number of the digits 0 to 9 and a to f is wanted");
  }
  const out = new Uint8Array(digits.length / 2);
  for (let i = 0; i < out.length; i++) {
    out[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return out;
}

/** base64 is bytes as in RFC 4648, Section 4, with padding. */
export function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(binary);
}

/** base64url is bytes as in RFC 4648, Section 5, without padding. */
export function base64url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** fromBase64url reads base64url without padding. It throws a RangeError for anything else. */
export function fromBase64url(written: string): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(written) || written.length % 4 === 1) {
    throw new RangeError("base64url: the alphabet of RFC 4648, Section 5, without padding, is wanted");
  }
  const binary = atob(written.replaceAll("-", "+").replaceAll("_", "/"));
  const out = new Uint8Array(binary.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = binary.charCodeAt(i);
  }
  if (base64url(out) !== written) {
    throw new RangeError("base64url: the last character has bits that no byte has");
  }
  return out;
}
