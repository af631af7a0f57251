import { type Bytes, equal } from "../../bytes.js";
import { SealedError } from "./errors.js";

/** Sizes that the format fixes, in bytes, and how many records a segment has at most. */
export const headerSize = 64;
export const recordSize = 64 << 10; // plaintext under one tag
export const tagSize = 16;
export const maxRecords = 64;

const magic = Uint8Array.of(0x53, 0x58, 0x53, 0x31); // "SXS1"
const maxPlain = maxRecords * recordSize;

/** Records are counted below this, so that their bytes can be counted in 63 bits. */
export const maxFirst = 2 ** 47 - maxRecords;

/** Header says which part of which stream a segment is. */
export interface Header {
  readonly revision: number; // below 2^32
  readonly first: number; // number of its first record
  readonly plain: number; // bytes of plaintext
  readonly salt: Bytes; // 32 bytes, drawn by sealSegment
}

/** parseHeader reads the first 64 bytes of a segment. It throws a SealedError "segment". */
export function parseHeader(bytes: Uint8Array): Header {
  if (bytes.length < headerSize) {
    throw new SealedError("segment", `${bytes.length} bytes, and a header has ${headerSize}`);
  }
  if (!equal(bytes.subarray(0, 4), magic)) {
    throw new SealedError("segment", "no segment: it does not begin with SXS1");
  }
  if (bytes.subarray(20, 32).some((b) => b !== 0)) {
    throw new SealedError("segment", "no segment: bytes 20 to 31 of its header are not zero");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerSize);
  const first = view.getBigUint64(8);
  if (first > BigInt(maxFirst)) {
    throw new SealedError("segment", `its first record is ${first}, and the last that can be counted is ${maxFirst}`);
  }
  const header = { revision: view.getUint32(4), first: Number(first), plain: view.getUint32(16), salt: new Uint8Array(bytes.subarray(32, 64)) };
  checkHeader(header);
  return header;
}

/** checkHeader throws a SealedError "segment" for what no header may say, read or to be written. */
export function checkHeader(h: Omit<Header, "salt">): void {
  if (!Number.isInteger(h.plain) || h.plain < 1 || h.plain > maxPlain) { // spec/transfer.md, "Segment": 1 ≤ r ≤ 64
    throw new SealedError("segment", `${h.plain} bytes of plaintext, and a segment has 1 to ${maxPlain}`);
  }
  if (!Number.isInteger(h.first) || h.first < 0 || h.first > maxFirst) {
    throw new SealedError("segment", `its first record is ${h.first}, and the last that can be counted is ${maxFirst}`);
  }
  if (!Number.isInteger(h.revision) || h.revision < 0 || h.revision > 0xffff_ffff) {
    throw new SealedError("segment", `revision ${h.revision}, and it has 32 bits`);
  }
}

/** headerBytes writes the 64 bytes. */
export function headerBytes(h: Header): Bytes {
  const out = new Uint8Array(headerSize);
  const view = new DataView(out.buffer);
  out.set(magic, 0);
  view.setUint32(4, h.revision);
  view.setBigUint64(8, BigInt(h.first));
  view.setUint32(16, h.plain);
  out.set(h.salt, 32);
  return out;
}

/** recordsOf says how many records a segment with so many bytes of plaintext has. */
export function recordsOf(plain: number): number {
  return Math.ceil(plain / recordSize);
}

/** sizeOf is the length in bytes of a segment with so many bytes of plaintext. */
export function sizeOf(plain: number): number {
  return headerSize + plain + recordsOf(plain) * tagSize;
}
