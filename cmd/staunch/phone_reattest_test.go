package main

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/client"
)

// TestHomeOfTwo: of two commands that are one phone, the one that has not seen the new
// key of the other does not put the old one back.
func TestHomeOfTwo(t *testing.T) {
	dir := t.TempDir()
	begin := func() (*home, *softPhone) {
		h, err := openHome(dir)
		if err != nil {
			t.Fatal(err)
		}
		h.file.Platform = "android"
		p, err := newSoftPhone(h)
		if err != nil {
			t.Fatal(err)
		}
		return h, p
	}
	_, first := begin()
	k, err := first.NewKey(t.Context(), make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.keep(t.Context(), client.PhoneState{Key: k.ID()}); err != nil {
		t.Fatal(err)
	}

	h, one := begin()
	_, other := begin()
	next, err := one.RenewKey(t.Context(), make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []client.PhoneState{{Key: k.ID(), NextKey: next.ID()}, {Key: next.ID()}} {
		if err := one.keep(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if kept := one.next != nil; kept != (s.NextKey != "") || kept != (len(h.file.NextDevice) > 0) {
			t.Errorf("%+v: next %v", s.Key, kept)
		}
	}
	if err := other.keep(t.Context(), client.PhoneState{Key: k.ID()}); !errors.Is(err, errOtherKey) {
		t.Error(err)
	}
	if h, p := begin(); p.key.ID() != next.ID() || h.file.State.Key != next.ID() {
		t.Error("the old key is back")
	}
}
