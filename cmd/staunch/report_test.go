package main

import (
	"bytes"
	"errors"
	"testing"
)

// TestServerSteersNoTerminal: what a server says, as the reason of a refusal or as what
// is approved, is printed as text.
func TestServerSteersNoTerminal(t *testing.T) {
	const hostile = "cancelled\x1b[2J\r\u202edone"
	const plain = "cancelled\uFFFD[2J\uFFFD\uFFFDdone"
	var out bytes.Buffer
	if code := report(&out, errors.Join(errors.New(hostile), errors.New("a\tb"))); code != exitNo {
		t.Errorf("exit code %d", code)
	}
	if got, want := out.String(), "staunch: "+plain+"\nstaunch: a b\n"; got != want {
		t.Errorf("report: %q", got)
	}
	out.Reset()
	r := &phoneRun{streams: &streams{err: &out}}
	if err := r.approving(hostile); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "Approved with the passkey: "+plain+"\n"; got != want {
		t.Errorf("approving: %q", got)
	}
}
