package sealed_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/staunchid/staunch/transfer/sealed"
)

// object is an entry with its content.
type object struct {
	sealed.Entry
	content []byte
}

func file(kind sealed.Kind, path string, content []byte) object {
	return object{sealed.Entry{Kind: kind, Path: path, Size: uint64(len(content)), MTime: 1_760_000_000_123}, content}
}

func folder(path string) object {
	return object{Entry: sealed.Entry{Kind: sealed.Folder, Path: path, MTime: -1}}
}

// history is a Source in memory.
type history struct {
	objects []object
	next    int
	opened  []string // "path@from"
	closed  error    // what Close of a content says
}

func (s *history) Next() (sealed.Entry, error) {
	if s.next == len(s.objects) {
		return sealed.Entry{}, io.EOF
	}
	s.next++
	return s.objects[s.next-1].Entry, nil
}

type content struct {
	io.Reader
	err error
}

func (c content) Close() error { return c.err }

func (s *history) Open(e sealed.Entry, from uint64) (io.ReadCloser, error) {
	s.opened = append(s.opened, fmt.Sprintf("%s@%d", e.Path, from))
	i := slices.IndexFunc(s.objects, func(o object) bool { return o.Path == e.Path })
	return content{bytes.NewReader(s.objects[i].content[from:]), s.closed}, nil
}

func totals(objects []object) sealed.Totals {
	t := sealed.Totals{Schema: 4, Objects: uint64(len(objects))}
	for _, o := range objects {
		t.Bytes += o.Size
	}
	return t
}

// small is a history with every kind and edge, of less than a record.
func small() []object {
	return []object{
		file(sealed.Records, "chats/1.jsonl", []byte("{}\n{}\n")),
		file(sealed.Records, "chats/2.jsonl", nil),
		folder("chats"),
		folder("empty"),
		file(sealed.File, "media/a/b", []byte("b")),
		file(sealed.File, "media/a.bin", bytes.Repeat([]byte{0}, 300)),
		file(sealed.File, "media/日本.txt", []byte("x")),
	}
}

// large is one of some segments.
func large() []object {
	return []object{
		file(sealed.Records, "log.jsonl", random(3*sealed.RecordSize+17)),
		file(sealed.File, "empty", nil),
		file(sealed.File, "film", random(5<<20)),
		folder("folder"),
		file(sealed.File, "zeros", make([]byte, 4<<20)),
	}
}

func newWriter(objects []object) *sealed.Writer {
	return sealed.NewWriter(totals(objects), &history{objects: objects})
}

// plaintext is the whole stream of these.
func plaintext(t testing.TB, objects []object) []byte {
	t.Helper()
	b, err := io.ReadAll(newWriter(objects))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// staging is a Sink in memory, which checks the order of its calls.
type staging struct {
	totals  sealed.Totals
	begun   bool
	objects []object
	open    bool
	fail    error // of every call
}

func (s *staging) Start(t sealed.Totals) error {
	if s.begun {
		return errors.New("two starts")
	}
	s.totals, s.begun = t, true
	return s.fail
}

func (s *staging) Entry(e sealed.Entry) error {
	if !s.begun || s.open {
		return errors.New("an entry out of order")
	}
	s.objects, s.open = append(s.objects, object{Entry: e}), true
	return s.fail
}

func (s *staging) Content(p []byte) error {
	if !s.open {
		return errors.New("content out of order")
	}
	last := &s.objects[len(s.objects)-1]
	last.content = append(last.content, p...)
	return s.fail
}

func (s *staging) Finish() error {
	last := s.objects[len(s.objects)-1]
	if !s.open || uint64(len(last.content)) != last.Size {
		return errors.New("finished out of order")
	}
	s.open = false
	return s.fail
}

// holds wants exactly these objects in it.
func (s *staging) holds(t testing.TB, objects []object) {
	t.Helper()
	same := slices.EqualFunc(s.objects, objects, func(a, b object) bool {
		return a.Entry == b.Entry && bytes.Equal(a.content, b.content)
	})
	if s.totals != totals(objects) || !same || s.open {
		t.Errorf("%d objects of %+v arrived, not the %d of %+v", len(s.objects), s.totals, len(objects), totals(objects))
	}
}

// read takes a stream apart in pieces of n bytes.
func read(sink sealed.Sink, stream []byte, n int) error {
	r := sealed.NewReader(sink)
	for piece := range slices.Chunk(stream, n) {
		if _, err := r.Write(piece); err != nil {
			return err
		}
	}
	return r.Close()
}

// send seals a stream in segments of so many records, the last size for all that are left.
func send(t testing.TB, k sealed.Key, revision uint32, stream []byte, sizes ...int) (segments [][]byte, root [32]byte) {
	t.Helper()
	s := sealed.NewStream(revision)
	for i := 0; len(stream) > 0; i++ {
		plain := stream[:min(len(stream), sizes[min(i, len(sizes)-1)]*sealed.RecordSize)]
		stream = stream[len(plain):]
		h := sealed.Header{Revision: revision, First: s.Records(), Plain: uint32(len(plain))}
		segment, leaf, err := sealed.Seal(nil, k, h, plain)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Add(h, leaf); err != nil {
			t.Fatal(err)
		}
		segments = append(segments, segment)
	}
	return segments, s.Root()
}

var errRoot = errors.New("not the root that was granted")

// receive is what the new phone does with segments: it opens them, looks where they
// belong, takes them apart, and compares the root with that of the grant.
func receive(k sealed.Key, revision uint32, segments [][]byte, root [32]byte, sink sealed.Sink) error {
	stream, reader := sealed.NewStream(revision), sealed.NewReader(sink)
	for _, segment := range segments {
		plain, h, leaf, err := sealed.Open(nil, k, segment)
		if err != nil {
			return err
		}
		if err := stream.Add(h, leaf); err != nil {
			return err
		}
		if _, err := reader.Write(plain); err != nil {
			return err
		}
	}
	if err := reader.Close(); err != nil {
		return err
	}
	if stream.Root() != root {
		return errRoot
	}
	return nil
}
