package sealed

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/internal/cbor"
)

// Sink takes what a [Reader] finds in a stream. An error of it ends the reading and
// comes out of Write.
type Sink interface {
	// Start comes first, once: what the stream will come to.
	Start(t Totals) error
	// Entry begins an entry. Its path has been checked (CheckPath) and comes behind the
	// one before it; whether the file system can create it is for the sink to find out.
	Entry(e Entry) error
	// Content gives the next bytes of the entry. They are valid during the call only.
	Content(p []byte) error
	// Finish ends the entry: all its bytes have come.
	Finish() error
}

// Reader takes a stream apart: its plaintext is written to it in order, in pieces of
// any length, and it may be stopped between any two of them ([Reader.MarshalBinary])
// and go on in another process ([ResumeReader]). It holds one head at the most.
//
// What it is given must have been opened and be in its place ([Open], [Stream.Add]).
// It is complete only when Close says so.
type Reader struct {
	sink     Sink
	manifest manifest
	pending  []byte // of an item's length and head, as far as it has come
	left     uint64 // bytes of the last entry's content, still to come
	inside   bool   // an entry has begun and not ended
	err      error
}

// NewReader returns one that waits for the first byte.
func NewReader(sink Sink) *Reader { return &Reader{sink: sink, manifest: newManifest()} }

// Write takes the next bytes. After an error, which is ErrItem or the sink's, it takes
// nothing more.
func (r *Reader) Write(p []byte) (int, error) {
	total := len(p)
	for r.err == nil && len(p) > 0 {
		if r.inside {
			n := min(uint64(len(p)), r.left)
			if r.err = r.sink.Content(p[:n]); r.err == nil {
				r.left -= n
				r.err = r.finish()
			}
			p = p[n:]
			continue
		}
		p = r.gather(p)
	}
	if r.err != nil {
		return total - len(p), r.err
	}
	return total, nil
}

// gather takes of p what still misses of the item's length and head.
func (r *Reader) gather(p []byte) []byte {
	if r.manifest.ended {
		r.err = fmt.Errorf("%w: bytes behind the trailer", ErrItem)
		return p
	}
	want := 4
	if len(r.pending) >= 4 {
		n := binary.BigEndian.Uint32(r.pending)
		if n > maxHead {
			r.err = fmt.Errorf("%w: a head of %d bytes, more than %d", ErrItem, n, maxHead)
			return p
		}
		want += int(n)
	}
	n := min(want-len(r.pending), len(p))
	r.pending = append(r.pending, p[:n]...)
	if len(r.pending) == want && want > 4 {
		r.err = r.item(r.pending[4:])
		r.pending = r.pending[:0]
	} else if n == 0 { // a length of 0
		r.err = fmt.Errorf("%w: a head of no bytes", ErrItem)
	}
	return p[n:]
}

// item takes a whole head.
func (r *Reader) item(raw []byte) error {
	var h head
	if err := cbor.Decode(raw, h.code); err != nil {
		return fmt.Errorf("%w: %w", ErrItem, err)
	}
	if err := r.manifest.take(&h, raw); err != nil {
		return err
	}
	switch h.item {
	case itemPreamble:
		return r.sink.Start(h.totals)
	case itemTrailer:
		return nil
	}
	r.inside, r.left = true, h.entry.Size
	if err := r.sink.Entry(h.entry); err != nil {
		return err
	}
	return r.finish()
}

// finish ends the entry at hand if all of it has come.
func (r *Reader) finish() error {
	if r.left > 0 {
		return nil
	}
	r.inside = false
	return r.sink.Finish()
}

// Close reports whether the stream is complete: the error is ErrItem if it has not
// ended with its trailer.
func (r *Reader) Close() error {
	switch {
	case r.err != nil:
		return r.err
	case !r.manifest.ended:
		return fmt.Errorf("%w: cut short after %d of %d objects", ErrItem, r.manifest.seen.Objects, r.manifest.totals.Objects)
	}
	return nil
}

// Totals is the preamble, or nothing before it has come.
func (r *Reader) Totals() Totals { return r.manifest.totals }

// Objects says how many entries have begun.
func (r *Reader) Objects() uint64 { return r.manifest.seen.Objects }

// Bytes says how many bytes of content have come.
func (r *Reader) Bytes() uint64 { return r.manifest.seen.Bytes - r.left }

// At gives the entry whose content is coming, and how many bytes of it have come. ok
// is false between entries.
func (r *Reader) At() (e Entry, done uint64, ok bool) {
	if !r.inside {
		return Entry{}, 0, false
	}
	return r.manifest.last, r.manifest.last.Size - r.left, true
}

// errBroken says why there is no checkpoint.
var errBroken = errors.New("sealed: no checkpoint of a reader that has failed")
