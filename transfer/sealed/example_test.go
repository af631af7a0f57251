package sealed_test

import (
	"bytes"
	"fmt"
	"io"
	"log"

	"github.com/staunchid/staunch/transfer/sealed"
)

// diary is a history of one file.
type diary struct {
	text string
	done bool
}

func (d *diary) entry() sealed.Entry {
	return sealed.Entry{Kind: sealed.File, Path: "diary.txt", Size: uint64(len(d.text)), MTime: 1_760_000_000_000}
}

func (d *diary) Next() (sealed.Entry, error) {
	if d.done {
		return sealed.Entry{}, io.EOF
	}
	d.done = true
	return d.entry(), nil
}

func (d *diary) Open(_ sealed.Entry, from uint64) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader([]byte(d.text[from:]))), nil
}

// printer is a Sink that shows what comes.
type printer struct{}

func (printer) Start(t sealed.Totals) error {
	fmt.Println(t.Objects, "object,", t.Bytes, "bytes")
	return nil
}
func (printer) Entry(e sealed.Entry) error { fmt.Println(e.Path); return nil }
func (printer) Content(p []byte) error     { fmt.Printf("%s\n", p); return nil }
func (printer) Finish() error              { return nil }

// The old phone seals its history into a buffer that it uses again and again, the
// server sees it pass, the new phone opens it. All three come to one root.
func Example() {
	key, err := sealed.NewKey(bytes.Repeat([]byte{1}, 32)) // what both phones have agreed on
	if err != nil {
		log.Fatal(err)
	}

	// The old phone: records are read to where they are sealed.
	source := &diary{text: "We met at noon."}
	plan := sealed.Totals{Schema: 1, Objects: 1, Bytes: source.entry().Size}
	writer, sent := sealed.NewWriter(plan, source), sealed.NewStream(1)
	buffer := make([]byte, sealed.Header{Plain: sealed.RecordSize}.Size())
	h := sealed.Header{Revision: sent.Revision(), First: sent.Records(), Plain: sealed.RecordSize}
	n, err := io.ReadFull(writer, h.Record(buffer, 0))
	if err != nil && err != io.ErrUnexpectedEOF {
		log.Fatal(err)
	}
	h.Plain = uint32(n)
	segment := buffer[:h.Size()]
	leaf, err := sealed.SealInPlace(segment, key, h)
	if err != nil {
		log.Fatal(err)
	}
	if err := sent.Add(h, leaf); err != nil {
		log.Fatal(err)
	}

	// The server, without the key.
	passing := sealed.NewLeafHasher()
	if _, err := io.Copy(passing, bytes.NewReader(segment)); err != nil {
		log.Fatal(err)
	}
	seen, leaf, err := passing.Sum()
	if err != nil {
		log.Fatal(err)
	}
	relayed := sealed.NewStream(1)
	if err := relayed.Add(seen, leaf); err != nil {
		log.Fatal(err)
	}

	// The new phone.
	received, reader := sealed.NewStream(1), sealed.NewReader(printer{})
	plain, got, leaf, err := sealed.Open(nil, key, segment)
	if err != nil {
		log.Fatal(err)
	}
	if err := received.Add(got, leaf); err != nil {
		log.Fatal(err)
	}
	if _, err := reader.Write(plain); err != nil {
		log.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sent.Root() == relayed.Root(), sent.Root() == received.Root())
	// Output:
	// 1 object, 15 bytes
	// diary.txt
	// We met at noon.
	// true true
}
