package vault

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

// base is the first frame of a snapshot: where in the chain it stands. The frames
// after it hold entries, as batches without number.
type base struct {
	end    Head
	recent []byte // heads up to end, 32 bytes each
}

func (b *base) Code(c *cbor.Coder) {
	c.Array(2)
	b.end.Code(c)
	cbor.Octets(c, &b.recent, 0, maxBody)
}

// checkpoint writes all that the witness knows into a snapshot and returns when it
// counts.
func (j *journal) checkpoint() error {
	j.idle()
	if j.broken != nil {
		defer j.writing.Unlock()
		return j.broken
	}
	if err := j.rotate(); err != nil {
		j.broken = err
		defer j.writing.Unlock()
		return err
	}
	j.making = make(chan struct{})
	number, start, recent := j.number, j.end, j.recent
	j.writing.Unlock()
	return j.compact(number, start, recent)
}

// compact makes the snapshot that stands before the segment number, names it in
// the chain, and only then deletes what it replaces. What the witness learns
// meanwhile goes to the segment, and may be in the snapshot as well: marks only
// grow. A crash leaves what was before, or both.
func (j *journal) compact(number uint64, start Head, recent []wire.Hash) (err error) {
	defer func() {
		j.writing.Lock()
		defer j.writing.Unlock()
		close(j.making)
		if j.making = nil; err != nil && j.broken == nil {
			j.broken = fmt.Errorf("%w: a snapshot: %w", ErrJournal, err)
		}
	}()
	digest, size, err := j.writeSnapshot(number, start, recent)
	if err != nil {
		return err
	}
	named := j.add(nil, entry{kind: entrySnapshot, head: Head{number, digest}})
	if _, err := j.wait(named); err != nil {
		return err
	}
	j.writing.Lock()
	j.least = max(snapshotSize, 2*size)
	j.writing.Unlock()
	for _, prefix := range []string{segmentName, snapshotName} {
		files, err := numbered(j.dir, prefix)
		if err != nil {
			return err
		}
		for _, n := range files {
			if n < number {
				if err := os.Remove(filepath.Join(j.dir, fmt.Sprintf("%s%08d", prefix, n))); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (j *journal) writeSnapshot(number uint64, start Head, recent []wire.Hash) (digest wire.Hash, size int64, err error) {
	name := j.snapshot(number)
	f, err := os.OpenFile(name+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return digest, 0, err
	}
	defer f.Close()
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)
	put := func(v wire.Coded) error {
		body, err := encode(v)
		if err != nil {
			return err
		}
		n, err := out.Write(framed(body))
		size += int64(n)
		return err
	}
	first := &base{end: start}
	for _, h := range recent[max(0, len(recent)-maxRecent):] {
		first.recent = append(first.recent, h[:]...)
	}
	err = put(first)
	for entries := range j.state() {
		if err != nil {
			break
		}
		err = put(&chained{math.MaxUint64, wire.Hash{}, entries})
	}
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(name+".tmp", name)
	}
	if err == nil {
		err = syncDir(j.dir)
	}
	return wire.Hash(sum.Sum(nil)), size, err
}

// numbered lists the numbers of the files with this prefix, in order.
func numbered(dir, prefix string) ([]uint64, error) {
	files, err := os.ReadDir(dir) // in order of their names
	if err != nil {
		return nil, err
	}
	var all []uint64
	for _, f := range files {
		text, ok := strings.CutPrefix(f.Name(), prefix)
		if !ok || strings.HasSuffix(text, ".tmp") {
			continue
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s is no file of a journal", f.Name())
		}
		all = append(all, n)
	}
	return all, nil
}
