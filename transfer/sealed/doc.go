// Package sealed is the stream in which a phone's history goes to the new phone:
// what is in it, how it is cut and encrypted, and the one hash that both phones
// sign (spec/transfer.md, "The sealed stream"). It is pure: no network, no clock,
// no files.
//
// The plaintext is a sequence of items: a preamble with the totals, an [Entry] with
// its content for each file and folder, and a trailer. [Writer] makes it from a
// [Source] and can begin anywhere in it, [Reader] takes it apart into a [Sink] and
// can be stopped at any byte and go on later. Neither holds more than a few
// kilobytes, whatever the size of the history. The heads of the items are the
// manifest: it travels inside the stream, where no server can see or supply it.
//
// The stream is cut into records of 64 KiB, and up to [MaxRecords] of them are a
// segment, under a key of its own:
//
//	header (64) = "SXS1" ‖ revision ‖ first record ‖ plaintext length ‖ 12 zero bytes ‖ salt
//	segment     = header ‖ record 0 ‖ … ‖ record r−1
//
// [Seal] draws the salt, each time anew: a range may be sealed again after a crash,
// whatever has changed on the disk, and no nonce is used twice under one key.
// Revision, place and length are in the key, so [Open] fails for a segment that is
// not where its header says. The hash over header and tags is its [Leaf], which a
// server computes from the ciphertext alone as it passes ([LeafHasher]).
//
// A [Stream] takes the segments in order, without gap or overlap, and gives the
// [Root] over their leaves, revision and totals: the value that the old phone grants
// and the new one acknowledges. Whoever holds back, swaps, repeats, adds or reorders
// anything gives another root.
//
// What the package does not do: it does not know which of two phones it works for,
// keeps nothing, creates no files. A [Sink] that does must create each path
// exclusively and below one folder (os.Root); the paths it is given cannot climb
// out, and none comes twice in its group, but a file system may hold two names for
// one, and links.
package sealed
