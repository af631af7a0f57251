package sealed

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/staunchid/staunch/internal/cbor"
)

// Kind is what an entry is.
type Kind uint8

// The kinds. Records come first in a stream, then the rest: what the user looks at
// first arrives first.
const (
	File    Kind = 1
	Folder  Kind = 2
	Records Kind = 3 // a file whose records are imported one by one
)

const (
	maxHead  = 4 << 10 // bytes of an item's head
	maxPath  = 1024    // bytes
	maxBytes = 1 << 62 // of all contents: the stream around them can still be counted
)

// Entry is a file or folder of the history.
type Entry struct {
	Kind  Kind
	Path  string // below the history's folder: see CheckPath
	Size  uint64 // bytes of content; that of a folder is 0
	MTime int64  // milliseconds since 1970
}

// Totals are the preamble of a stream: what it will come to, for progress.
type Totals struct {
	Schema  uint64 // of the app's records
	Objects uint64 // entries, folders too
	Bytes   uint64 // of their contents
}

// CheckPath reports why a path cannot be an entry's: it is valid UTF-8 of at most
// 1,024 bytes, parts separated by "/", none of them empty, "." or "..", without NUL
// and backslash. Such a path cannot lead out of the folder it is created in, but by
// links that are there already. The error is ErrItem.
func CheckPath(path string) error {
	switch {
	case path == "" || len(path) > maxPath:
		return fmt.Errorf("%w: a path of %d bytes, not within 1 and %d", ErrItem, len(path), maxPath)
	case !utf8.ValidString(path):
		return fmt.Errorf("%w: the path %.80q is not UTF-8", ErrItem, path)
	case strings.ContainsAny(path, "\x00\\"):
		return fmt.Errorf("%w: the path %.80q has a NUL or a backslash", ErrItem, path)
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("%w: the path %.80q has a part %q", ErrItem, path, part)
		}
	}
	return nil
}

// ComparePaths is the order in which entries come: that of a folder walk, names by
// their bytes. What is in a folder comes right behind it: a, a/b, a-b.
func ComparePaths(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return rank(a, n) - rank(b, n)
}

// rank puts the end of a path before "/", and "/" before everything else.
func rank(path string, i int) int {
	switch {
	case i == len(path):
		return 0
	case path[i] == '/':
		return 1
	}
	return 2 + int(path[i])
}

// What an item's head says it is, beside the kinds of entries.
const (
	itemPreamble = 0
	itemTrailer  = 9
)

// head is the head of any item.
type head struct {
	item   uint8    // itemPreamble, a Kind or itemTrailer
	totals Totals   // of a preamble; of a trailer without Schema
	entry  Entry    // of an entry
	heads  [32]byte // of a trailer: SHA-256 over all heads before it
}

func (h *head) code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(0)
		cbor.Uint(c, &h.item, 0, itemTrailer)
		switch h.item {
		case itemPreamble:
			f.Key(1)
			cbor.Uint(c, &h.totals.Schema, 0, math.MaxUint64)
			h.codeTotals(c, f)
		case byte(File), byte(Folder), byte(Records):
			h.codeEntry(c, f)
		case itemTrailer:
			h.codeTotals(c, f)
			f.Key(4)
			c.Fixed(h.heads[:])
		default:
			c.Failf("an item of kind %d", h.item)
		}
	})
}

func (h *head) codeTotals(c *cbor.Coder, f *cbor.Fields) {
	f.Key(2)
	cbor.Uint(c, &h.totals.Objects, 0, math.MaxUint64)
	f.Key(3)
	cbor.Uint(c, &h.totals.Bytes, 0, maxBytes)
}

func (h *head) codeEntry(c *cbor.Coder, f *cbor.Fields) {
	h.entry.Kind = Kind(h.item)
	f.Key(1)
	cbor.String(c, &h.entry.Path, 1, maxPath)
	f.Key(2)
	cbor.Uint(c, &h.entry.Size, 0, maxBytes)
	f.Key(3)
	c.Int(&h.entry.MTime, math.MinInt64, math.MaxInt64)
}

// appendItem appends the item without its content: the length of the head, and the
// head, which it also returns by itself.
func appendItem(dst []byte, h *head) (item, raw []byte, err error) {
	raw, err = cbor.Encode(h.code)
	if err != nil {
		return dst, nil, fmt.Errorf("%w: %w", ErrItem, err)
	}
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(raw))), raw...), raw, nil
}
