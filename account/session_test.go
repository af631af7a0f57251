package account_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/staunchid/staunch/account"
)

// TestSessionMAC: a change of any field, or of any of a proof, changes the MAC,
// but for when the session was last seen.
func TestSessionMAC(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	s := account.Session{Proofs: []account.Proof{{}}}
	s.MAC = s.Seal(key)
	if !s.Sound(key) || s.Sound(bytes.Repeat([]byte{8}, 32)) || s.Sound(nil) {
		t.Error("another key than its own is good for a session, or its own is not")
	}
	fields := 0
	try := func(path string) {
		fields++
		if s.Sound(key) != (path == ".LastSeenAt") {
			t.Errorf("%s: in the MAC %v", path, !s.Sound(key))
		}
	}
	changed(reflect.ValueOf(&s).Elem(), "", func(path string) {
		if path != ".Proofs" { // those below; one empty proof is what there is
			try(path)
		}
	})
	changed(reflect.ValueOf(&s.Proofs[0]).Elem(), ".Proofs", try)
	if s.Proofs = nil; s.Sound(key) {
		t.Error("a proof was taken out")
	}
	if fields < 24 {
		t.Errorf("only %d fields were tried", fields)
	}
}
