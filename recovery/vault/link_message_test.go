package vault

import (
	"bytes"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// messages are one of each kind that links and journals carry.
func messages(t testing.TB) map[string]wire.Coded {
	t.Helper()
	m, _ := good()
	key := testKey()
	tagged, err := key.Tag(m.wire(acctOf(1)))
	if err != nil {
		t.Fatal(err)
	}
	view := wire.View{"v1": life(1, 1), "v2": life(2, 2)}
	heads := map[string]Head{"v2": {N: 5, Hash: wire.Hash{1}}}
	held := &Held{Marks: []wire.Tagged{tagged}, View: view}
	return map[string]wire.Coded{
		"hello":    &hello{[]byte("binding"), []byte("evidence")},
		"load":     &request{kind: askLoad, id: 1, vault: "v1", acct: acctOf(1)},
		"write":    &request{kind: askWrite, id: 2, vault: "v1", mark: tagged, view: view},
		"join":     &request{kind: askJoin, id: 3, inc: life(2, 2)},
		"clock":    &request{kind: askClock, id: 4},
		"head":     &request{kind: askHead, id: 5, n: 9},
		"answer":   &answer{id: 1, code: sayPage, body: []byte{1}},
		"held":     held,
		"memories": &Memories{Live: true, View: view, Heads: heads},
		"page":     &page{{Vault: "v1", Mark: tagged}},
		"known":    &HeadAnswer{Known: true, Hash: wire.Hash{1}},
		"past":     &HeadAnswer{Past: true},
		"batch": &chained{n: 1, entries: []entry{
			{kind: entryMark, name: "v1", mark: tagged}, {kind: entryLife, name: "v1", life: life(1, 1)},
			{kind: entryHead, name: "v2", head: heads["v2"]}, {kind: entrySnapshot, head: heads["v2"]},
		}},
		"base": &base{end: heads["v2"], recent: make([]byte, 64)},
	}
}

// decoders are one of each structure.
func decoders() []wire.Coded {
	return []wire.Coded{&hello{}, &request{}, &answer{}, &Held{}, &Memories{}, &page{}, &HeadAnswer{}, &chained{}, &base{}, &savedMarks{marks: map[[16]byte]Mark{}}}
}

// FuzzMessages: what decodes encodes to the same bytes.
func FuzzMessages(f *testing.F) {
	for _, m := range messages(f) {
		b, err := encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range decoders() {
			if _, unordered := v.(*savedMarks); decode(b, v) != nil || unordered {
				continue
			}
			again, err := encode(v)
			if err != nil || !bytes.Equal(again, b) {
				t.Errorf("%T: %x encodes to %x, %v", v, b, again, err)
			}
		}
	})
}

// TestMessages: each message is read as what it was, and by no other decoder of
// requests.
func TestMessages(t *testing.T) {
	for name, m := range messages(t) {
		b, err := encode(m)
		if err != nil {
			t.Fatal(name, err)
		}
		read := 0
		for _, v := range decoders() {
			if decode(b, v) == nil {
				if again, err := encode(v); err == nil && bytes.Equal(again, b) {
					read++
				}
			}
		}
		if read == 0 {
			t.Errorf("%s: nothing reads %x", name, b)
		}
		if decode(append(b, 0), m) == nil || decode(b[:len(b)-1], m) == nil {
			t.Errorf("%s: read with a byte more, or less", name)
		}
	}
}
