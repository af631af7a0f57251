package sealed_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/transfer/sealed"
)

// item is a raw item: a head in hexadecimal, and its content.
func item(t *testing.T, head, content string) []byte {
	t.Helper()
	b := unhex(t, head)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...), content...)
}

// badStream is one that must not be read.
type badStream struct {
	name  string
	parts [][]byte
}

// badStreams are small changes to one good stream.
func badStreams(t *testing.T) []badStream {
	t.Helper()
	preamble := item(t, "a4 00 00 01 04 02 02 03 02", "")
	a := item(t, "a4 00 01 01 61 61 02 02 03 20", "xy")
	b := item(t, "a4 00 02 01 61 62 02 00 03 00", "")
	good := plaintext(t, []object{{sealed.Entry{Kind: 1, Path: "a", Size: 2, MTime: -1}, []byte("xy")}, {Entry: sealed.Entry{Kind: 2, Path: "b"}}})
	trailer := good[len(good)-4-42:]
	if want := slices.Concat(preamble, a, b, trailer); !bytes.Equal(good, want) {
		t.Fatalf("%x, want %x", good, want)
	}
	wrong := func(i int) []byte { w := bytes.Clone(trailer); w[i] ^= 1; return w }
	more := item(t, "a4 00 00 01 04 02 03 03 02", "") // objects than come
	fits := sha256.Sum256(slices.Concat(more[4:], a[4:len(a)-2], b[4:]))
	return []badStream{
		{"more announced than comes, under a hash that fits", [][]byte{more, a, b, trailer[:len(trailer)-32], fits[:]}},
		{"nothing", nil},
		{"no preamble", [][]byte{a, b, trailer}},
		{"two preambles", [][]byte{preamble, preamble, a, b, trailer}},
		{"a preamble behind an entry", [][]byte{preamble, a, preamble, b, trailer}},
		{"no trailer", [][]byte{preamble, a, b}},
		{"an entry less", [][]byte{preamble, a, trailer}},
		{"an entry behind the trailer", [][]byte{preamble, a, b, trailer, b}},
		{"two trailers", [][]byte{preamble, a, b, trailer, trailer}},
		{"a zero behind the trailer", [][]byte{preamble, a, b, trailer, {0}}},
		{"an entry twice", [][]byte{preamble, a, a, trailer}},
		{"another order", [][]byte{preamble, b, a, trailer}},
		{"other totals in the preamble: objects", [][]byte{item(t, "a4 00 00 01 04 02 03 03 02", ""), a, b, trailer}},
		{"other totals in the preamble: bytes", [][]byte{item(t, "a4 00 00 01 04 02 02 03 03", ""), a, b, trailer}},
		{"another schema in the preamble", [][]byte{item(t, "a4 00 00 01 05 02 02 03 02", ""), a, b, trailer}},
		{"other objects in the trailer", [][]byte{preamble, a, b, wrong(4 + 4)}},
		{"other bytes in the trailer", [][]byte{preamble, a, b, wrong(4 + 6)}},
		{"another hash in the trailer", [][]byte{preamble, a, b, wrong(len(trailer) - 1)}},
		{"another mtime", [][]byte{preamble, item(t, "a4 00 01 01 61 61 02 02 03 21", "xy"), b, trailer}},
		{"another kind", [][]byte{preamble, item(t, "a4 00 03 01 61 61 02 02 03 20", "xy"), b, trailer}},
		{"an unknown kind", [][]byte{preamble, item(t, "a4 00 04 01 61 61 02 02 03 20", "xy"), b, trailer}},
		{"a member too many", [][]byte{preamble, item(t, "a5 00 01 01 61 61 02 02 03 20 05 00", "xy"), b, trailer}},
		{"a longer number than needed", [][]byte{preamble, item(t, "a4 00 01 01 61 61 02 18 02 03 20", "xy"), b, trailer}},
		{"a byte behind a head", [][]byte{preamble, item(t, "a4 00 01 01 61 61 02 02 03 20 00", "xy"), b, trailer}},
		{"a head of no bytes", [][]byte{preamble, {0, 0, 0, 0}, a, b, trailer}},
		{"a head of 4 KiB and one byte", [][]byte{preamble, {0, 0, 16, 1}, a, b, trailer}},
	}
}

// raw gives a reader these entries, which no writer would write, and says what it
// finds wrong with them.
func raw(t *testing.T, entries ...sealed.Entry) error {
	t.Helper()
	all := [][]byte{item(t, fmt.Sprintf("a4 00 00 01 04 02 %02x 03 00", len(entries)), "")}
	for _, e := range entries {
		head := slices.Concat([]byte{0xa4, 0, byte(e.Kind), 1}, textHead(len(e.Path)), []byte(e.Path), []byte{2, 0, 3, 0})
		all = append(all, append(binary.BigEndian.AppendUint32(nil, uint32(len(head))), head...))
	}
	r := sealed.NewReader(new(staging))
	_, err := r.Write(slices.Concat(all...))
	return err
}

// textHead is the head of a text of n bytes, RFC 8949, Section 3.
func textHead(n int) []byte {
	switch {
	case n < 24:
		return []byte{0x60 | byte(n)}
	case n < 256:
		return []byte{0x78, byte(n)}
	}
	return binary.BigEndian.AppendUint16([]byte{0x79}, uint16(n))
}

// TestPathEscape: no path that could lead out of the folder, at either end.
func TestPathEscape(t *testing.T) {
	for _, path := range []string{
		"", "/", "/etc/passwd", "a/", "a//b", ".", "..", "./a", "../a", "a/..", "a/../b", "a/./b", "a/.", "a\\b", "..\\a",
		"C:\\a", "a\x00", "\xff", "a/\xc0\xaf", "\xed\xa0\x80", strings.Repeat("a", 1025), "/" + strings.Repeat("a", 1023),
	} {
		if err := sealed.CheckPath(path); !errors.Is(err, sealed.ErrItem) {
			t.Errorf("%.40q is a path: %v", path, err)
		}
		if err := raw(t, sealed.Entry{Kind: sealed.File, Path: path}); !errors.Is(err, sealed.ErrItem) {
			t.Errorf("%.40q is taken from a stream: %v", path, err)
		}
	}
	for _, path := range []string{"a", "...", "..a", "a..", "a/b/c", ".hidden", " ", "日本/写真 ⌘.jpg", "a\nb", "C:", "con", strings.Repeat("a", 1024)} {
		if err := raw(t, sealed.Entry{Kind: sealed.File, Path: path}); err != nil {
			t.Errorf("%.40q is refused: %v", path, err)
		}
	}
}

// TestNoMoreThanAnnounced: what is more than the preamble says is refused when it
// comes, not when the stream ends: nobody fills a disk behind a small preamble.
func TestNoMoreThanAnnounced(t *testing.T) {
	a := item(t, "a4 00 01 01 61 61 02 02 03 20", "xy")
	for name, preamble := range map[string]string{
		"objects": "a4 00 00 01 04 02 00 03 02",
		"bytes":   "a4 00 00 01 04 02 01 03 01",
	} {
		r := sealed.NewReader(new(staging))
		if _, err := r.Write(append(item(t, preamble, ""), a...)); !errors.Is(err, sealed.ErrItem) || r.Objects() != 0 {
			t.Errorf("%s: %v, %d objects", name, err, r.Objects())
		}
	}
}

// TestHeadIsBounded: a head that would be too long is refused before it has come.
func TestHeadIsBounded(t *testing.T) {
	for _, length := range []string{"00001001", "7fffffff", "ffffffff"} {
		r := sealed.NewReader(new(staging))
		if _, err := r.Write(append(unhex(t, length), 0xa4)); !errors.Is(err, sealed.ErrItem) || !strings.Contains(err.Error(), "4096") {
			t.Errorf("a head of %s bytes: %v", length, err)
		}
	}
}

// TestOrder: records first, each group in the order of a folder walk, nothing twice.
func TestOrder(t *testing.T) {
	const f, d, r = sealed.File, sealed.Folder, sealed.Records
	for _, c := range []struct {
		name    string
		entries []sealed.Entry
		ok      bool
	}{
		{"a walk", []sealed.Entry{{Kind: d, Path: "a"}, {Kind: f, Path: "a/b"}, {Kind: f, Path: "a-b"}, {Kind: f, Path: "a.b"}}, true},
		{"records, then the rest", []sealed.Entry{{Kind: r, Path: "z"}, {Kind: d, Path: "a"}}, true},
		{"a folder behind its records", []sealed.Entry{{Kind: r, Path: "a/z"}, {Kind: d, Path: "a"}}, true},
		{"by the bytes of the whole path", []sealed.Entry{{Kind: d, Path: "a"}, {Kind: f, Path: "a-b"}, {Kind: f, Path: "a/b"}}, false},
		{"records behind the rest", []sealed.Entry{{Kind: d, Path: "a"}, {Kind: r, Path: "z"}}, false},
		{"twice", []sealed.Entry{{Kind: f, Path: "a"}, {Kind: f, Path: "a"}}, false},
		{"twice, of two kinds", []sealed.Entry{{Kind: d, Path: "a"}, {Kind: f, Path: "a"}}, false},
		{"records twice", []sealed.Entry{{Kind: r, Path: "a"}, {Kind: r, Path: "a"}}, false},
		{"within a file", []sealed.Entry{{Kind: f, Path: "a"}, {Kind: f, Path: "a/b"}}, false},
		{"within records", []sealed.Entry{{Kind: r, Path: "a"}, {Kind: r, Path: "a/b"}}, false},
	} {
		if err := raw(t, c.entries...); (err == nil) != c.ok || err != nil && !errors.Is(err, sealed.ErrItem) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	walk := []string{"A", "a", "a/b", "a/b/c", "a/c", "a b", "a-b", "b", "é"}
	for i, x := range walk {
		for j, y := range walk {
			if got := sealed.ComparePaths(x, y); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%q and %q: %d", x, y, got)
			}
		}
	}
}
