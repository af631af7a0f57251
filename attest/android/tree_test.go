package android_test

import (
	"slices"
	"testing"

	"github.com/staunchid/staunch/internal/der"
)

// node is a DER value that can be taken apart and changed. Tags are those of
// certificates, of one identifier octet.
type node struct {
	tag  byte
	body []byte
	kids []*node // of a constructed value
	raw  []byte  // instead of everything
}

// tree reads one value.
func tree(t testing.TB, b []byte) *node {
	t.Helper()
	r := der.NewReader(b)
	e, err := r.Next()
	if err != nil || r.Done() != nil {
		t.Fatalf("%x: %v", b, err)
	}
	n := &node{tag: b[0], body: slices.Clone(e.Body)} // an edit must not reach b
	if !e.Constructed {
		return n
	}
	inner, err := e.Open()
	for err == nil && !inner.Empty() {
		if e, err = inner.Next(); err == nil {
			n.kids = append(n.kids, tree(t, e.Full))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// at follows a path of children.
func (n *node) at(path ...int) *node {
	for _, i := range path {
		n = n.kids[i]
	}
	return n
}

func (n *node) encode() []byte {
	if n.raw != nil {
		return n.raw
	}
	body := n.body
	if n.tag&0x20 != 0 {
		body = nil
		for _, k := range n.kids {
			body = append(body, k.encode()...)
		}
	}
	return tlv(n.tag, body)
}

// tlv writes one element, whatever its contents are.
func tlv(tag byte, contents ...[]byte) []byte { return element([]byte{tag}, contents...) }

func element(identifier []byte, contents ...[]byte) []byte {
	body := slices.Concat(contents...)
	out := slices.Clone(identifier)
	switch n := len(body); {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 0x100:
		out = append(out, 0x81, byte(n))
	case n < 0x10000:
		out = append(out, 0x82, byte(n>>8), byte(n))
	default:
		out = append(out, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(out, body...)
}

// explicit is [number] EXPLICIT around what it holds.
func explicit(number uint32, contents ...[]byte) []byte {
	if number < 31 {
		return element([]byte{0xa0 | byte(number)}, contents...)
	}
	digits := []byte{byte(number & 0x7f)}
	for number >>= 7; number > 0; number >>= 7 {
		digits = append([]byte{0x80 | byte(number&0x7f)}, digits...)
	}
	return element(append([]byte{0xbf}, digits...), contents...)
}

func integer(b ...byte) []byte           { return tlv(0x02, b) }
func enumerated(b ...byte) []byte        { return tlv(0x0a, b) }
func octets(s string) []byte             { return tlv(0x04, []byte(s)) }
func sequence(c ...[]byte) []byte        { return tlv(0x30, c...) }
func set(c ...[]byte) []byte             { return tlv(0x31, c...) }
func null() []byte                       { return []byte{0x05, 0x00} }
func boolean(b byte) []byte              { return []byte{0x01, 0x01, b} }
func bits(unused byte, b ...byte) []byte { return tlv(0x03, append([]byte{unused}, b...)) }
