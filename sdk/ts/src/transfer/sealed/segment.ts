/**
 * A segment: up to 64 records of 64 KiB under a key of its own, with the header that says
 * where in the stream they are (spec/transfer.md, section 8).
 */
import { type Bytes, concat, copy } from "../../bytes.js";
import { sha256 } from "../derive.js";
import { SealedError } from "./errors.js";
import { checkHeader, type Header, headerBytes, headerSize, parseHeader, recordSize, recordsOf, sizeOf, tagSize } from "./header.js";
import type { Key } from "./key.js";

/** Leaf is SHA-256(0x00 ‖ header ‖ the tags of a segment): it stands for the segment in the tree. */
export type Leaf = Bytes;

/** Sealed is a segment that was made. */
export interface Sealed {
  readonly header: Header;
  readonly leaf: Leaf;
  readonly segment: Bytes;
}

/** Opened is a segment that was opened. */
export interface Opened {
  readonly header: Header;
  readonly leaf: Leaf;
  readonly plain: Bytes;
}

/**
 * sealSegment makes the segment of this plaintext, which begins with record `first` of a
 * revision. It draws a fresh salt each time: a range may be sealed again after a crash,
 * whatever has changed on the disk, and no nonce is used twice under one key. Only the
 * last segment of a stream may end in a short record; Stream sees to it. Leave plain as it
 * is until the segment is there.
 */
export function sealSegment(key: Key, at: { readonly revision: number; readonly first: number }, plain: Uint8Array): Promise<Sealed> {
  return sealSalted(key, at, plain, crypto.getRandomValues(new Uint8Array(32)));
}

/** sealSalted is sealSegment under a salt that is given, for the vectors alone: a salt that comes twice breaks the seal. */
export async function sealSalted(
  key: Key, at: { readonly revision: number; readonly first: number }, plain: Uint8Array, salt: Bytes,
): Promise<Sealed> {
  const header: Header = { revision: at.revision, first: at.first, plain: plain.length, salt };
  checkHeader(header);
  const written = headerBytes(header);
  const k = await key.segment(written, "encrypt");
  const records = recordsOf(plain.length);
  const segment = new Uint8Array(sizeOf(plain.length));
  const leaf = newLeaf(written, records);
  segment.set(written, 0);
  // All records at once: the browser seals them on threads of its own.
  await Promise.all(Array.from({ length: records }, async (_, j) => {
    const part = own(plain.subarray(j * recordSize, (j + 1) * recordSize));
    const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: place(j, records) }, k, part));
    segment.set(sealed, headerSize + j * (recordSize + tagSize));
    leaf.set(sealed.subarray(sealed.length - tagSize), 1 + headerSize + j * tagSize);
  }));
  return { header, leaf: sha256(leaf), segment };
}

/**
 * openSegment opens a whole segment. It is all or nothing: if one record does not open
 * (SealedError "record"), none of the others is given. The header is only what the segment
 * says of itself, under the right key: that it is the next one of the right revision is
 * for Stream to say. Leave segment as it is until its plaintext is there.
 */
export async function openSegment(key: Key, segment: Uint8Array): Promise<Opened> {
  const written = copy(segment.subarray(0, headerSize));
  const header = parseHeader(written);
  if (segment.length !== sizeOf(header.plain)) {
    throw new SealedError("segment", `${segment.length} bytes, and its header says ${sizeOf(header.plain)}`);
  }
  const k = await key.segment(written, "decrypt");
  const records = recordsOf(header.plain);
  const plain = new Uint8Array(header.plain);
  const leaf = newLeaf(written, records);
  const done = await Promise.allSettled(Array.from({ length: records }, async (_, j) => {
    const start = headerSize + j * (recordSize + tagSize);
    const sealed = own(segment.subarray(start, start + recordSize + tagSize));
    leaf.set(sealed.subarray(sealed.length - tagSize), 1 + headerSize + j * tagSize);
    plain.set(new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: place(j, records) }, k, sealed)), j * recordSize);
  }));
  const bad = done.findIndex((d) => d.status === "rejected");
  if (bad >= 0) {
    plain.fill(0);
    throw new SealedError("record", `record ${header.first + bad} of revision ${header.revision} does not open`);
  }
  return { header, leaf: sha256(leaf), plain };
}

/** newLeaf is 0x00 ‖ header ‖ room for the tags. */
function newLeaf(header: Uint8Array, records: number): Bytes {
  return concat(Uint8Array.of(0), header, new Uint8Array(records * tagSize));
}

/** place is the nonce of record j: 4 zero bytes ‖ u32be j ‖ 3 zero bytes ‖ last. */
function place(j: number, records: number): Bytes {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(4, j);
  nonce[11] = j === records - 1 ? 1 : 0;
  return nonce;
}

/** own is a view as Web Cryptography takes it: memory that others can write at the same time is copied first. */
function own(part: Uint8Array): Bytes {
  return part.buffer instanceof ArrayBuffer ? part as Bytes : new Uint8Array(part);
}
