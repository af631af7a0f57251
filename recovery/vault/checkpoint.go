package vault

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrJournal: the journal of a witness is damaged, or cannot be written. What
// its message names is lost or the disk is full. Move the folder away: the
// witness then joins the others, if enough of them remember.
var ErrJournal = errors.New("vault: the journal of the witness is damaged or cannot be written: free the disk, or move the folder away")

// journal is the checkpoint of rule Q5: what a witness acknowledges is on its disk
// first. It is a chain: each batch of entries carries the hash of the one before,
// and others keep the hash of the last, so that a disk that was put back shows.
//
// Who waits for a batch while another is being written waits together with all
// that come meanwhile, so a sync pays for many.
type journal struct {
	dir   string
	state func() state // what a snapshot holds; called with no lock of ours

	mu      sync.Mutex
	pending *batch // guarded by mu: not written yet

	writing sync.Mutex // held while a batch is written; all below is guarded by it
	file    *os.File
	number  uint64 // of the segment that file is
	size    int64  // of the segments since the last snapshot
	least   int64  // the size at which another snapshot is made
	end     Head
	recent  []wire.Hash   // heads up to end: see headAt
	marked  []uint64      // batches with marks that were there at the start, after the last snapshot
	broken  error         // for good
	making  chan struct{} // closed when the snapshot that is being made is; nil: none is
}

// batch is entries that are written at once.
type batch struct {
	entries []entry
	heads   map[string]Head // of the journals of others
	written bool            // guarded by journal.writing, as the rest
	end     Head
	err     error
}

// state is all that a witness knows: entries in pieces, so that it need not be in
// memory twice.
type state func(yield func([]entry) bool)

const (
	// snapshotSize is what the segments have at least before a snapshot replaces
	// them.
	snapshotSize = 8 << 20
	// maxRecent is how many heads can be looked up.
	maxRecent = 65_536
)

// add puts entries into the next batch. The caller holds the lock that orders
// them, and calls wait without it.
func (j *journal) add(heads map[string]Head, entries ...entry) *batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.pending == nil {
		j.pending = &batch{heads: map[string]Head{}}
	}
	b := j.pending
	b.entries = append(b.entries, entries...)
	for id, h := range heads {
		b.heads[id] = h
	}
	return b
}

// wait returns the head of b once it is on the disk.
func (j *journal) wait(b *batch) (Head, error) {
	j.writing.Lock()
	defer j.writing.Unlock()
	if !b.written { // then it is the pending one: batches are written in order
		j.mu.Lock()
		j.pending = nil
		j.mu.Unlock()
		b.end, b.err = j.write(b)
		b.written = true
		b.entries = nil
	}
	return b.end, b.err
}

// write appends b and syncs. After an error nothing is written any more: nobody
// knows what is on the disk.
func (j *journal) write(b *batch) (Head, error) {
	if j.broken != nil {
		return Head{}, j.broken
	}
	for id, h := range b.heads {
		b.entries = append(b.entries, entry{kind: entryHead, name: id, head: h})
	}
	body, err := encode(&chained{j.end.N + 1, j.end.Hash, b.entries})
	if err == nil {
		_, err = j.file.Write(framed(body))
	}
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.broken = fmt.Errorf("%w: %w", ErrJournal, err)
		return Head{}, j.broken
	}
	j.advance(body)
	j.size += int64(len(body) + frameHead)
	if j.size > j.least && j.making == nil {
		j.replace()
	}
	return j.end, nil
}

// replace begins a segment, and a snapshot for those before it. What is on the
// disk is safe also when that fails.
func (j *journal) replace() {
	if j.broken = j.rotate(); j.broken != nil {
		return
	}
	j.making = make(chan struct{})
	number, start, recent := j.number, j.end, j.recent
	go j.compact(number, start, recent) //nolint:errcheck // it notes its error in broken
}

// advance is the chain: the end after a batch.
func (j *journal) advance(body []byte) {
	j.end = Head{j.end.N + 1, sha256.Sum256(body)}
	if len(j.recent) >= 2*maxRecent {
		j.recent = append([]wire.Hash(nil), j.recent[maxRecent:]...)
	}
	j.recent = append(j.recent, j.end.Hash)
}

// since is how many batches with marks were read when the journal was opened, of
// those after n and of its last life.
func (j *journal) since(n uint64) (count int) {
	j.writing.Lock()
	defer j.writing.Unlock()
	for _, at := range j.marked {
		if at > n {
			count++
		}
	}
	return count
}

// headAt looks up the head after n batches.
func (j *journal) headAt(n uint64) HeadAnswer {
	j.writing.Lock()
	defer j.writing.Unlock()
	if n == 0 || n > j.end.N {
		return HeadAnswer{}
	}
	back := j.end.N - n
	if back >= uint64(len(j.recent)) {
		return HeadAnswer{Past: true}
	}
	return HeadAnswer{Known: true, Hash: j.recent[uint64(len(j.recent))-1-back]}
}

// rotate begins the next segment.
func (j *journal) rotate() error {
	next, err := os.OpenFile(j.segment(j.number+1), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err == nil {
		err = syncDir(j.dir)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	if j.file != nil {
		j.file.Close()
	}
	j.file, j.number, j.size = next, j.number+1, 0
	return nil
}

func (j *journal) segment(n uint64) string {
	return filepath.Join(j.dir, fmt.Sprintf("%s%08d", segmentName, n))
}

func (j *journal) snapshot(n uint64) string {
	return filepath.Join(j.dir, fmt.Sprintf("%s%08d", snapshotName, n))
}

const (
	segmentName  = "journal-"
	snapshotName = "marks-"
)

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// idle takes j.writing when no snapshot is being made.
func (j *journal) idle() {
	for {
		j.writing.Lock()
		making := j.making
		if making == nil {
			return
		}
		j.writing.Unlock()
		<-making
	}
}

// close waits for a snapshot that is being made, and closes the file.
func (j *journal) close() error {
	j.idle()
	defer j.writing.Unlock()
	if j.broken == nil {
		j.broken = fmt.Errorf("%w: it was closed", ErrJournal)
	}
	return j.file.Close()
}
