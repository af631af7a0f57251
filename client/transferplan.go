package client

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/staunchid/staunch/transfer/sealed"
)

// historySchema is the version of what the entries of a history mean.
const historySchema = 1

// plan is one frozen list of what is sent: a file with a line an entry, so that a
// history of any length takes no memory. Its totals are in the state of the move.
type plan struct {
	Revision uint32        `json:"revision"`
	Totals   sealed.Totals `json:"totals"`
	Bytes    uint64        `json:"bytes"` // of the whole stream
	path     string
}

// planEntry: kind, size, time of change, length of the path, path.
func appendPlanEntry(b []byte, e sealed.Entry) []byte {
	b = append(b, byte(e.Kind))
	b = binary.AppendUvarint(b, e.Size)
	b = binary.AppendVarint(b, e.MTime)
	b = binary.AppendUvarint(b, uint64(len(e.Path)))
	return append(b, e.Path...)
}

func readPlanEntry(r *bufio.Reader) (e sealed.Entry, err error) {
	kind, err := r.ReadByte()
	if err != nil {
		return e, err //nolint:wrapcheck // io.EOF is the end of the plan
	}
	e.Kind = sealed.Kind(kind)
	if e.Size, err = binary.ReadUvarint(r); err == nil {
		e.MTime, err = binary.ReadVarint(r)
	}
	var n uint64
	if err == nil {
		n, err = binary.ReadUvarint(r)
	}
	if err == nil && n > planPathMax {
		err = fmt.Errorf("a path of %d bytes", n)
	}
	if err == nil {
		name := make([]byte, n)
		_, err = io.ReadFull(r, name)
		e.Path = string(name)
	}
	if err != nil {
		return e, fmt.Errorf("client: the plan of the move is damaged: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	return e, nil
}

const planPathMax = 1024 // spec/transfer.md, "Stream"

// freeze writes down what there is to send. With nothing there the plan has no
// entries, and the stream is preamble and trailer.
func freeze(ctx context.Context, d *moveDir, revision uint32, src Source) (p *plan, err error) {
	path := d.plan(revision)
	p = &plan{Revision: revision, Totals: sealed.Totals{Schema: historySchema}, path: path}
	part := path + ".new"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, diskError(err)
	}
	w := bufio.NewWriterSize(f, 64<<10)
	if src != nil {
		var b []byte
		err = src.Walk(ctx, func(e sealed.Entry) error {
			p.Totals.Objects++
			p.Totals.Bytes += e.Size
			b = appendPlanEntry(b[:0], e)
			_, err := w.Write(b)
			return err //nolint:wrapcheck // by diskError, below
		})
	}
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		if errors.Is(err, ErrHistory) {
			return nil, errors.Join(err, os.Remove(part))
		}
		return nil, diskError(err)
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	r, err := p.open(nil)
	if err != nil {
		return nil, err
	}
	defer r.close()
	p.Bytes, err = sealed.Measure(p.Totals, r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHistory, err)
	}
	return p, nil
}

// planned is a sealed.Source: the entries of a plan, with their content as it is
// on the disk now.
type planned struct {
	file *os.File
	read *bufio.Reader
	src  Source
}

// open reads a plan from its beginning.
func (p *plan) open(src Source) (*planned, error) {
	f, err := os.Open(p.path)
	if err != nil {
		return nil, diskError(err)
	}
	return &planned{file: f, read: bufio.NewReaderSize(f, 64<<10), src: src}, nil
}

func (p *planned) close() { _ = p.file.Close() }

// Next gives the next entry.
func (p *planned) Next() (sealed.Entry, error) { return readPlanEntry(p.read) }

// Open opens the content of an entry. It is sealed.ErrChanged if the file is not
// what the plan has, before it is read and after.
func (p *planned) Open(e sealed.Entry, from uint64) (io.ReadCloser, error) {
	f, err := p.src.Open(e.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is gone", sealed.ErrChanged, e.Path)
	}
	if err != nil {
		return nil, err
	}
	r := &plannedFile{File: f, entry: e}
	if err := r.same(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if from > 0 {
		s, ok := f.(io.Seeker)
		if !ok {
			return nil, errors.Join(fmt.Errorf("client: history: %s cannot be read from the middle on", e.Path), f.Close())
		}
		if _, err := s.Seek(int64(from), io.SeekStart); err != nil { //nolint:gosec // less than the file's size
			return nil, errors.Join(diskError(err), f.Close())
		}
	}
	return r, nil
}

// plannedFile is a file that must stay as the plan has it.
type plannedFile struct {
	fs.File
	entry sealed.Entry
}

func (r *plannedFile) same() error {
	info, err := r.Stat()
	if err != nil {
		return diskError(err)
	}
	if uint64(info.Size()) != r.entry.Size || info.ModTime().UnixMilli() != r.entry.MTime { //nolint:gosec // of a regular file
		return fmt.Errorf("%w: %s", sealed.ErrChanged, r.entry.Path)
	}
	return nil
}

// Close looks once more: what was read while the file changed is torn.
func (r *plannedFile) Close() error { return errors.Join(r.same(), r.File.Close()) }

// objectCount says how many entries of a plan are within so many bytes of its
// stream: about, for the heads between them are not counted until the end.
type objectCount struct {
	plan    *plan
	entries *planned
	n, sum  uint64
	next    sealed.Entry
	ended   bool
}

func (c *objectCount) at(done, total uint64) uint64 {
	if done >= total {
		return c.plan.Totals.Objects
	}
	if c.entries == nil {
		var err error
		if c.entries, err = c.plan.open(nil); err != nil {
			return 0 // a number to look at
		}
		c.step()
	}
	for !c.ended && c.sum+c.next.Size < done {
		c.sum += c.next.Size
		c.n++
		c.step()
	}
	return c.n
}

func (c *objectCount) step() {
	var err error
	c.next, err = c.entries.Next()
	c.ended = err != nil
}

func (c *objectCount) close() {
	if c.entries != nil {
		c.entries.close()
	}
}
