package ts

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/staunchid/staunch/transfer/sealed"
)

// things is the history that both sides know: byte i of each content is i mod 251.
func things() []sealed.Entry {
	return []sealed.Entry{
		{Kind: sealed.Records, Path: "chats/1.jsonl", Size: 70_000, MTime: 1_760_000_000_123}, {Kind: sealed.Folder, Path: "chats", MTime: -1},
		{Kind: sealed.File, Path: "media/a/b"}, {Kind: sealed.File, Path: "media/a.bin", Size: 4<<20 + 99, MTime: 5}, {Kind: sealed.File, Path: "media/日本.txt", Size: 1, MTime: 6},
	}
}

func counted(n uint64) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

// history is their source, and a sink that wants exactly them.
type history struct {
	t     *testing.T
	next  int
	found []sealed.Entry
	got   []byte
}

func (h *history) Next() (sealed.Entry, error) {
	all := things()
	if h.next == len(all) {
		return sealed.Entry{}, io.EOF
	}
	h.next++
	return all[h.next-1], nil
}

func (h *history) Open(e sealed.Entry, from uint64) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(counted(e.Size)[from:])), nil
}

func (h *history) Start(sealed.Totals) error { return nil }

func (h *history) Entry(e sealed.Entry) error {
	h.found, h.got = append(h.found, e), nil
	return nil
}

func (h *history) Content(p []byte) error {
	h.got = append(h.got, p...)
	return nil
}

func (h *history) Finish() error {
	if e := h.found[len(h.found)-1]; !bytes.Equal(h.got, counted(e.Size)) {
		h.t.Errorf("another content in %s", e.Path)
	}
	return nil
}

// TestStreamWithGo: what Go seals TypeScript opens, and the reverse, to the same root.
func TestStreamWithGo(t *testing.T) {
	tools(t)
	s := newScript(t, compile(t))
	bulk := make([]byte, 32)
	rand.Read(bulk) //nolint:errcheck // crypto/rand: never returns an error
	key, err := sealed.NewKey(bulk)
	if err != nil {
		t.Fatal(err)
	}

	totals := sealed.Totals{Schema: 4, Objects: uint64(len(things()))}
	for _, e := range things() {
		totals.Bytes += e.Size
	}
	plain, err := io.ReadAll(sealed.NewWriter(totals, &history{t: t}))
	if err != nil {
		t.Fatal(err)
	}
	stream, segments := sealed.NewStream(7), []string(nil)
	for rest := plain; len(rest) > 0; {
		n := min(5*sealed.RecordSize, len(rest)) // other segments than TypeScript cuts
		h := sealed.Header{Revision: 7, First: stream.Records(), Plain: uint32(n)}
		segment, leaf, err := sealed.Seal(nil, key, h, rest[:n])
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Add(h, leaf); err != nil {
			t.Fatal(err)
		}
		segments, rest = append(segments, b64(segment)), rest[n:]
	}
	got := s.does("read", map[string]string{"bulk": b64(bulk), "segments": strings.Join(segments, ",")})
	if root := stream.Root(); !bytes.Equal(got.bytes("root"), root[:]) {
		t.Error("TypeScript comes to another root")
	}
	segments[0], segments[1] = segments[1], segments[0]
	if bad := s.tries("read", map[string]string{"bulk": b64(bulk), "segments": strings.Join(segments, ",")}); bad["code"] != "order" {
		t.Errorf("two segments that changed places: %v", bad)
	}

	made := s.does("write", map[string]string{"bulk": b64(bulk)})
	sink := &history{t: t}
	stream = sealed.NewStream(7)
	reader, back := sealed.NewReader(sink), []byte(nil)
	all, _ := made.got["segments"].([]any)
	for _, one := range all {
		segment, err := base64.StdEncoding.DecodeString(one.(string))
		if err != nil {
			t.Fatal(err)
		}
		opened, h, leaf, err := sealed.Open(nil, key, segment)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Add(h, leaf); err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Write(opened); err != nil {
			t.Fatal(err)
		}
		back = append(back, opened...)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if root := stream.Root(); !bytes.Equal(made.bytes("root"), root[:]) {
		t.Error("Go comes to another root")
	}
	if !bytes.Equal(back, plain) || len(sink.found) != len(things()) {
		t.Error("another stream than Go writes of the same")
	}
}
