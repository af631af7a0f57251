// Package wal is the retry stream of one machine: a write-ahead log in a folder.
// It implements recovery.Retry.
//
//	log, err := wal.Open(&wal.Options{Dir: dir, Stream: stream.Options{Rate: -1}})
//	defer log.Close()
//	go log.Run(ctx, apply)
//	err = log.Enqueue(ctx, record) // durable when it returns
//
// # The folder
//
//	LOCK            one process at a time
//	0000000001.log  segments, at most 64 MiB each
//	dead/ID         dead letters, a file each
//	again/ID        letters that `staunch recovery dlq retry` has put back
//
// A segment is a row of frames: length 4 || CRC-32C 4 || dCBOR. Entries that wait
// for the disk at the same time share one fsync, and each is answered after it. A
// segment is deleted when all its entries are done.
//
// Marks in the log say which entries are done. They are written without fsync and
// go with their segment, so after a restart an entry may be applied once more:
// only one whose segment is still there, so never more than the log's size.
// Applying is a conditional write and does nothing then.
//
// Put the folder on a disk of its own, or at least not on the one whose failure it
// is to outlive. A full disk is an error of Enqueue: what was written of the
// batch is cut off again, and nothing of it is held.
//
// # Damage
//
// What a power cut leaves of the last frame is cut off when the log is opened: it
// was never acknowledged. Anything else is [ErrDamaged] with file and offset, and
// nothing is cut: entries after the damage may be whole. Restore the file, or
// move it away to do without what it holds; the accounts in it are told to try
// again until a newer record is stored.
//
// The package does not encrypt: entries hold sealed records, account IDs and
// counts. The folder is readable by its owner only.
package wal
