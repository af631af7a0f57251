// Package stream is what both retry streams share: the entry's bytes, the queue
// that tries each entry until its store takes it, and the dead letters.
//
// A vault has raised a count and the store would not take the record. Then the
// record goes into a retry stream before the phone has its answer, and from
// there into the store, however long that takes. The streams are
// stream/wal, a file of this machine, and stream/kafka. Both implement
// recovery.Retry and promise the same:
//
//   - an entry that Enqueue has answered is not lost, whatever is killed;
//   - it is applied at least once, and may be applied again: what applies it is a
//     conditional write, for which only the larger (gen, ver) counts;
//   - entries of one key (app, vault, account) are applied one at a time, and those
//     that wait are joined: of the records only the largest (gen, ver) counts;
//   - an error is tried again after 100 ms, doubling to 60 s, 20 % more or less;
//   - recovery.ErrPermanent, or too many attempts, makes a dead letter, which
//     `staunch recovery dlq` lists, puts back or drops.
//
// [Queue] is the part in memory. It has a lane for each key and more workers
// than a stream has partitions, so one key that cannot be stored holds up no
// other. It makes nothing durable: that is the stream's part, which gives it a
// place with each entry and gets the places back when they are done.
//
// A key that must not be tried, because its entry brings the store down say, is
// named in Options.Ignore: its entries become dead letters at once, so that
// nothing is lost.
package stream
