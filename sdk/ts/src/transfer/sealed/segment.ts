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
  /** The bytes of the segment: its header, and each record. They are sent as they are, as parts of a Blob, or put together by concat. */
  readonly parts: readonly Bytes[];
}

/** Opened is a segment that was opened. */
export interface Opened {
  readonly header: Header;
  readonly leaf: Leaf;
  /** The plaintext of each record, in order. */
  readonly records: readonly Bytes[];
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
  const count = recordsOf(plain.length);
  // All records at once: the browser seals them on threads of its own, each into memory of its own.
  const records = await Promise.all(Array.from({ length: count }, (_, j) =>
    crypto.subtle.encrypt(place(j, count), k, own(plain.subarray(j * recordSize, (j + 1) * recordSize)))));
  const sealed = records.map((r) => new Uint8Array(r));
  return { header, leaf: leafOf(written, sealed), parts: [written, ...sealed] };
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
  const count = recordsOf(header.plain);
  const size = recordSize + tagSize;
  const sealed = Array.from({ length: count }, (_, j) => own(segment.subarray(headerSize + j * size, headerSize + (j + 1) * size)));
  const leaf = leafOf(written, sealed); // before anything is waited for: of the bytes that are opened
  const opened = await Promise.allSettled(sealed.map((s, j) => crypto.subtle.decrypt(place(j, count), k, s)));
  const records = opened.map((o, j) => {
    if (o.status === "rejected") {
      throw new SealedError("record", `record ${header.first + j} of revision ${header.revision} does not open`);
    }
    return new Uint8Array(o.value);
  });
  return { header, leaf, records };
}

/** leafOf is SHA-256(0x00 ‖ header ‖ the tags of the records). */
function leafOf(header: Uint8Array, sealed: readonly Uint8Array[]): Leaf {
  return sha256(concat(Uint8Array.of(0), header, ...sealed.map((s) => s.subarray(s.length - tagSize))));
}

/** place is the nonce of record j: 4 zero bytes ‖ u32be j ‖ 3 zero bytes ‖ last. */
function place(j: number, count: number): AesGcmParams {
  const iv = new Uint8Array(12);
  iv[7] = j; // of at most 64
  iv[11] = j === count - 1 ? 1 : 0;
  return { name: "AES-GCM", iv };
}

/** own is a view as Web Cryptography takes it: memory that others can write at the same time is copied first. */
function own(part: Uint8Array): Bytes {
  return part.buffer instanceof ArrayBuffer ? part as Bytes : new Uint8Array(part);
}
