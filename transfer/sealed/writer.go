package sealed

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
)

// Source is a frozen plan of what is sent, and the way to the contents.
type Source interface {
	// Next gives the next entry in the order of the stream: records, then the rest, each
	// by ComparePaths. After the last one it gives io.EOF.
	Next() (Entry, error)
	// Open gives the content of an entry from a byte on. It checks that the content is
	// still that of the plan, and so does the Close of what it gives, whose error counts:
	// it wraps ErrChanged.
	Open(e Entry, from uint64) (io.ReadCloser, error)
}

// Writer makes the plaintext of a stream: it is an [io.Reader] of it. To go on in the
// middle, make one over the same plan and skip to the byte; the same plan gives the
// same bytes. After an error it gives nothing more.
type Writer struct {
	src      Source
	totals   Totals
	manifest manifest
	pending  []byte // of an item's head, to be given
	left     uint64 // bytes of the last entry's content, to be given after pending
	body     io.ReadCloser
	at       uint64
	err      error
}

// NewWriter begins the stream of a source that comes to these totals.
func NewWriter(t Totals, src Source) *Writer {
	w := &Writer{src: src, totals: t, manifest: newManifest()}
	w.err = w.item(&head{item: itemPreamble, totals: t})
	return w
}

// Measure says how many bytes the whole stream has. It opens nothing.
func Measure(t Totals, src Source) (uint64, error) {
	w := NewWriter(t, src)
	err := w.SkipTo(math.MaxUint64)
	if errors.Is(err, errEnd) {
		return w.at, nil
	}
	return 0, err
}

// errEnd says that the stream ends before a byte that was skipped to.
var errEnd = fmt.Errorf("%w: it ends earlier", ErrItem)

// Offset says how many bytes have been given or skipped.
func (w *Writer) Offset() uint64 { return w.at }

// Read gives the next bytes, and io.EOF after the trailer. ErrChanged means that a
// content is not what the plan says, ErrItem that the plan is none: its order, a path,
// the totals.
func (w *Writer) Read(p []byte) (int, error) {
	for w.err == nil && len(p) > 0 {
		switch {
		case len(w.pending) > 0:
			n := copy(p, w.pending)
			w.pending = w.pending[n:]
			w.at += uint64(n)
			return n, nil
		case w.left > 0:
			if n := w.content(p); n > 0 {
				return n, nil // an error comes with the next call
			}
		case w.manifest.ended:
			return 0, io.EOF
		default:
			w.err = w.next()
		}
	}
	return 0, w.err
}

// content reads of the content of the entry at hand.
func (w *Writer) content(p []byte) int {
	e := w.manifest.last
	if w.body == nil {
		if w.body, w.err = w.src.Open(e, e.Size-w.left); w.err != nil {
			w.err = fmt.Errorf("sealed: %.80q: %w", e.Path, w.err)
			w.body = nil
			return 0
		}
	}
	n, err := w.body.Read(p[:min(uint64(len(p)), w.left)])
	w.left -= uint64(n)
	w.at += uint64(n)
	switch {
	case w.left == 0:
		w.err = w.closeBody()
	case errors.Is(err, io.EOF):
		w.err = fmt.Errorf("%w: %.80q ends %d bytes early", ErrChanged, e.Path, w.left)
	case err != nil:
		w.err = fmt.Errorf("sealed: %.80q: %w", e.Path, err)
	}
	return n
}

func (w *Writer) closeBody() error {
	if w.body == nil {
		return nil
	}
	err := w.body.Close()
	w.body = nil
	if err != nil {
		return fmt.Errorf("sealed: %.80q: %w", w.manifest.last.Path, err)
	}
	return nil
}

// next takes the next entry of the plan, or makes the trailer.
func (w *Writer) next() error {
	e, err := w.src.Next()
	if errors.Is(err, io.EOF) {
		return w.item(w.manifest.end())
	}
	if err != nil {
		return fmt.Errorf("sealed: the plan: %w", err)
	}
	if err := w.item(&head{item: byte(e.Kind), entry: e}); err != nil {
		return err
	}
	w.left = e.Size
	return nil
}

// item makes the next head.
func (w *Writer) item(h *head) error {
	item, raw, err := appendItem(w.pending[:0], h)
	if err != nil {
		return err
	}
	if err := w.manifest.take(h, raw); err != nil {
		return err
	}
	w.pending = item
	return nil
}

// SkipTo leaves out what comes before a byte of the stream, without opening what lies
// there. It goes forward only.
func (w *Writer) SkipTo(offset uint64) error {
	if w.err == nil && offset < w.at {
		return fmt.Errorf("sealed: byte %d has passed, this is byte %d", offset, w.at)
	}
	for w.err == nil && w.at < offset {
		switch {
		case len(w.pending) > 0:
			n := min(offset-w.at, uint64(len(w.pending)))
			w.pending = w.pending[n:]
			w.at += n
		case w.left > 0:
			w.err = w.closeBody() // it is opened again where it is needed
			n := min(offset-w.at, w.left)
			w.left -= n
			w.at += n
		case w.manifest.ended:
			return errEnd
		default:
			w.err = w.next()
		}
	}
	return w.err
}

// Close closes what is open. It must be called when the stream is not read to its end.
func (w *Writer) Close() error {
	err := w.closeBody()
	if w.err == nil {
		w.err = fmt.Errorf("sealed: the writer: %w", fs.ErrClosed)
	}
	return err
}
