/**
 * Why a stream, or a part of one, is refused:
 *
 * - "segment": bytes that are no segment: a header, a length or a place that cannot be.
 *   The same bytes will not do later.
 * - "record": a record that does not open: another key, another place, or changed bytes.
 *   It can be fetched again; if it fails again, end the transfer.
 * - "order": a segment that is not the next one of its stream: another revision, a gap,
 *   an overlap, or one behind the end.
 * - "item": a stream whose items are not those of the format, or do not add up. What was
 *   sealed is wrong, not the way here: end the transfer.
 * - "changed": a source whose content is not what its plan says. Make a new plan, and a
 *   new revision.
 * - "key": a key that is none: wiped, or of another length.
 * - "checkpoint": stored state that cannot be read. Begin the stream anew.
 */
export type SealedCode = "segment" | "record" | "order" | "item" | "changed" | "key" | "checkpoint";

/** SealedError is what this folder refuses, by its code. */
export class SealedError extends Error {
  override readonly name = "SealedError";

  constructor(readonly code: SealedCode, message: string, options?: ErrorOptions) {
    super(`sealed: ${message}`, options);
  }
}
