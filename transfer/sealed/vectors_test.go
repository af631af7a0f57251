package sealed_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/staunchid/staunch/transfer/derive"
	"github.com/staunchid/staunch/transfer/sealed"
)

var update = flag.Bool("update", false, "write the vectors of spec/vectors/transfer anew")

const vectors = "../../spec/vectors/transfer/"

// text is bytes in hexadecimal, as vectors have them.
type text []byte

func (b text) MarshalText() ([]byte, error)        { return []byte(hex.EncodeToString(b)), nil }
func (b *text) UnmarshalText(s []byte) (err error) { *b, err = hex.DecodeString(string(s)); return err }

// compareVectors wants the file to be exactly got; -update writes it.
func compareVectors(t *testing.T, name string, got any) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(vectors+name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectors + name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s is not what comes out; -update writes it, and every other implementation must follow", name)
	}
}

// counted is n bytes that a reader of the vectors can make: byte i is i mod 251.
func counted(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

type segmentVector struct {
	Name     string `json:"name"`
	Bulk     text   `json:"bulk"` // K_bulk
	Revision uint32 `json:"revision"`
	First    uint64 `json:"first"`
	Salt     text   `json:"salt"`
	Length   int    `json:"length"` // of the plaintext
	Header   text   `json:"header"`
	Key      text   `json:"key"`
	Nonces   []text `json:"nonces"`
	Tags     []text `json:"tags"`
	Segment  text   `json:"segment,omitempty"`
	SHA256   text   `json:"segment_sha256"`
	Leaf     text   `json:"leaf"`
}

type refusedVector struct {
	Name string `json:"name"`
	Bulk text   `json:"bulk,omitempty"`
	Data text   `json:"data"`
}

// TestSegmentVectors: segments with all that leads to them, and bytes that are none.
func TestSegmentVectors(t *testing.T) {
	var file struct {
		About   string          `json:"about"`
		Good    []segmentVector `json:"good"`
		Refused []refusedVector `json:"refused"`
	}
	file.About = "Segments of spec/transfer.md. Byte i of the plaintext is i mod 251. A long segment is given by its SHA-256. refused: must not open."
	bulkKey, salt := counted(32), bytes.Repeat([]byte{0xa5}, 32)
	k, err := sealed.NewKey(bulkKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		revision uint32
		first    uint64
		length   int
	}{
		{"one byte", 1, 0, 1},
		{"a short record", 2, 64, 100},
		{"one whole record", 1, 1<<32 + 5, sealed.RecordSize},
		{"two records, the last short", 1, 3, sealed.RecordSize + 1},
		{"a full segment", 0xffffffff, 128, sealed.MaxRecords * sealed.RecordSize},
	} {
		h := sealed.Header{Revision: c.revision, First: c.first, Plain: uint32(c.length), Salt: [32]byte(salt)}
		plain := counted(c.length)
		segment, leaf, err := sealed.SealSalted(nil, k, h, plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _, err := sealed.Open(nil, k, segment); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%s: %v, or other plaintext", c.name, err)
		}
		header := segment[:sealed.HeaderSize]
		key, err := derive.Key(bulkKey, "segment", header, 32)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(segment)
		v := segmentVector{c.name, bulkKey, c.revision, c.first, salt, c.length, header, key, nil, nil, nil, sum[:], leaf[:]}
		for j := range h.Records() {
			last := byte(0)
			if j == h.Records()-1 {
				last = 1
			}
			v.Nonces = append(v.Nonces, text{0, 0, 0, 0, 0, 0, 0, byte(j), 0, 0, 0, last})
			end := min(len(segment), sealed.HeaderSize+(j+1)*(sealed.RecordSize+sealed.TagSize))
			v.Tags = append(v.Tags, segment[end-sealed.TagSize:end])
		}
		if c.length <= 100 {
			v.Segment = segment
		}
		file.Good = append(file.Good, v)
	}
	good := []byte(file.Good[1].Segment)
	for i, name := range map[int]string{0: "magic", 7: "revision", 15: "place", 19: "length", 31: "zeros", 32: "salt", 64: "ciphertext", len(good) - 1: "tag"} {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		file.Refused = append(file.Refused, refusedVector{"another " + name, bulkKey, bad})
	}
	file.Refused = append(file.Refused, refusedVector{"cut short", bulkKey, good[:len(good)-1]}, refusedVector{"a byte behind it", bulkKey, append(bytes.Clone(good), 0)},
		refusedVector{"the header alone", bulkKey, good[:64]}, refusedVector{"another key", bytes.Repeat([]byte{1}, 32), good})
	slices.SortFunc(file.Refused, func(a, b refusedVector) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	for _, r := range file.Refused {
		k, err := sealed.NewKey(r.Bulk)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := sealed.Open(nil, k, r.Data); err == nil {
			t.Errorf("%s: it opens", r.Name)
		}
	}
	compareVectors(t, "segment.json", file)
}

// TestTreeVectors: trees of each shape, and roots over them.
func TestTreeVectors(t *testing.T) {
	type vector struct {
		Leaves int  `json:"leaves"`
		Hash   text `json:"hash"`
	}
	type rootVector struct {
		Revision uint32 `json:"revision"`
		Records  uint64 `json:"records"`
		Bytes    uint64 `json:"bytes"`
		Segments uint64 `json:"segments"`
		Tree     text   `json:"tree"`
		Root     text   `json:"root"`
	}
	var file struct {
		About string       `json:"about"`
		Trees []vector     `json:"trees"`
		Roots []rootVector `json:"roots"`
	}
	file.About = "Tree hashes and roots of spec/transfer.md. Leaf i of every tree is SHA-256 of the one byte i."
	var tree sealed.Tree
	for i := range 18 {
		hash := tree.Hash()
		file.Trees = append(file.Trees, vector{i, hash[:]})
		if i > 0 {
			records := uint64(i * sealed.MaxRecords)
			root := sealed.Root(1, records, records*sealed.RecordSize-1, uint64(i), hash)
			file.Roots = append(file.Roots, rootVector{1, records, records*sealed.RecordSize - 1, uint64(i), hash[:], root[:]})
		}
		tree.Append(sealed.Leaf(sha256.Sum256([]byte{byte(i)})))
	}
	compareVectors(t, "tree.json", file)
}

// TestStreamVectors: a stream item by item, and streams that no reader may take.
func TestStreamVectors(t *testing.T) {
	type entryVector struct {
		Kind    uint8  `json:"kind"`
		Path    string `json:"path"`
		Size    uint64 `json:"size"`
		MTime   int64  `json:"mtime"`
		Content text   `json:"content"`
	}
	var file struct {
		About   string          `json:"about"`
		Schema  uint64          `json:"schema"`
		Objects uint64          `json:"objects"`
		Bytes   uint64          `json:"bytes"`
		Entries []entryVector   `json:"entries"`
		Stream  text            `json:"stream"`
		Refused []refusedVector `json:"refused"`
	}
	objects := small()
	sum := totals(objects)
	file.About = "The plaintext of a stream of spec/transfer.md with these entries. refused: whole plaintexts that a reader must not take for complete."
	file.Schema, file.Objects, file.Bytes = sum.Schema, sum.Objects, sum.Bytes
	for _, o := range objects {
		file.Entries = append(file.Entries, entryVector{uint8(o.Kind), o.Path, o.Size, o.MTime, o.content})
	}
	file.Stream = plaintext(t, objects)
	sink := new(staging)
	if err := read(sink, file.Stream, 64); err != nil {
		t.Fatal(err)
	}
	sink.holds(t, objects)
	for _, c := range badStreams(t) {
		bad := slices.Concat(c.parts...)
		if err := read(new(staging), bad, 5); !errors.Is(err, sealed.ErrItem) {
			t.Errorf("%s: %v", c.name, err)
		}
		file.Refused = append(file.Refused, refusedVector{Name: c.name, Data: bad})
	}
	compareVectors(t, "stream.json", file)
}
