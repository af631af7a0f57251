/**
 * The stream in which a phone's history goes to the new phone: what is in it, how it is cut
 * and encrypted, and the one hash that both phones sign (spec/transfer.md, section 8). It
 * is pure: no network, no clock, no files.
 *
 * The plaintext is a sequence of items: a preamble with the totals, an entry with its content
 * for each file and folder, and a trailer. StreamWriter makes it from a Source and can begin
 * anywhere in it, StreamReader takes it apart into a Sink and can be stopped at any byte and
 * go on later. It is cut into records of 64 KiB, and up to 64 of them are a segment, under a
 * key of its own (sealSegment, openSegment). A Stream takes the segments in order, without
 * gap or overlap, and gives the root over their leaves, revision and totals: the value that
 * the old phone grants and the new one acknowledges.
 */
export { checkPath, comparePaths, type Entry, type Kind, type Totals } from "./entry.js";
export { type SealedCode, SealedError } from "./errors.js";
export { type Header, headerSize, maxRecords, parseHeader, recordSize, recordsOf, sizeOf, tagSize } from "./header.js";
export { Key } from "./key.js";
export { type Sink, StreamReader } from "./reader.js";
export { type Leaf, type Opened, openSegment, type Sealed, sealSegment } from "./segment.js";
export { Stream } from "./stream.js";
export { streamRoot, Tree } from "./tree.js";
export { measure, type Source, StreamWriter } from "./writer.js";
