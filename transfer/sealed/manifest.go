package sealed

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"strings"
)

// manifest follows the heads of a stream and applies their rules, the same where the
// stream is made and where it is taken apart. It is of constant size: that no path
// comes twice follows from their order.
type manifest struct {
	begun  bool
	ended  bool
	totals Totals
	seen   Totals // objects and bytes so far
	heads  hash.Hash
	last   Entry // the zero Entry before the first
}

func newManifest() manifest { return manifest{heads: sha256.New()} }

// take checks the next head. raw is its encoding.
func (m *manifest) take(h *head, raw []byte) error {
	switch {
	case m.ended:
		return fmt.Errorf("%w: an item behind the trailer", ErrItem)
	case m.begun == (h.item == itemPreamble): // spec/transfer.md, "Items": item(preamble) item(entry)* item(trailer)
		return fmt.Errorf("%w: a stream begins with one preamble", ErrItem)
	case h.item == itemPreamble:
		m.begun, m.totals = true, h.totals
	case h.item == itemTrailer:
		m.ended = true
		return m.trailer(h)
	default:
		if err := m.entry(h.entry); err != nil {
			return err
		}
	}
	m.heads.Write(raw) //nolint:errcheck // hash.Hash: never returns an error
	return nil
}

// entry checks the next entry.
func (m *manifest) entry(e Entry) error {
	if err := CheckPath(e.Path); err != nil {
		return err
	}
	if e.Kind == Folder && e.Size != 0 {
		return fmt.Errorf("%w: the folder %.80q has content", ErrItem, e.Path)
	}
	if m.seen.Objects == m.totals.Objects || e.Size > m.totals.Bytes-m.seen.Bytes {
		return fmt.Errorf("%w: with %.80q there is more than the preamble says: %d objects of %d bytes", ErrItem, e.Path, m.totals.Objects, m.totals.Bytes)
	}
	if err := m.follows(e); err != nil {
		return err
	}
	m.seen.Objects++
	m.seen.Bytes += e.Size
	m.last = e
	return nil
}

// follows checks the order: records first, then the rest, each in the order of a
// folder walk, none twice, and nothing within a file.
func (m *manifest) follows(e Entry) error {
	last := m.last
	switch {
	case last == Entry{}, last.Kind == Records && e.Kind != Records:
		return nil // the first of its group
	case last.Kind != Records && e.Kind == Records:
		return fmt.Errorf("%w: the records of %.80q come behind %.80q", ErrItem, e.Path, last.Path)
	case ComparePaths(last.Path, e.Path) >= 0:
		return fmt.Errorf("%w: %.80q comes behind %.80q, which is not the order of a folder walk", ErrItem, e.Path, last.Path)
	case last.Kind != Folder && strings.HasPrefix(e.Path, last.Path+"/"):
		return fmt.Errorf("%w: %.80q is within a file", ErrItem, e.Path)
	}
	return nil
}

// trailer checks that what came is what was announced, at both ends.
func (m *manifest) trailer(h *head) error {
	counted := Totals{Objects: m.seen.Objects, Bytes: m.seen.Bytes}
	switch {
	case h.totals != counted:
		return fmt.Errorf("%w: %d objects of %d bytes came, the trailer says %d of %d", ErrItem, counted.Objects, counted.Bytes, h.totals.Objects, h.totals.Bytes)
	case m.totals.Objects != counted.Objects || m.totals.Bytes != counted.Bytes:
		return fmt.Errorf("%w: %d objects of %d bytes came, the preamble says %d of %d", ErrItem, counted.Objects, counted.Bytes, m.totals.Objects, m.totals.Bytes)
	case h.heads != [32]byte(m.heads.Sum(nil)):
		return fmt.Errorf("%w: the hash in the trailer is not that of the heads that came", ErrItem)
	}
	return nil
}

// end is the trailer that belongs to the heads so far.
func (m *manifest) end() *head {
	return &head{item: itemTrailer, totals: Totals{Objects: m.seen.Objects, Bytes: m.seen.Bytes}, heads: [32]byte(m.heads.Sum(nil))}
}
