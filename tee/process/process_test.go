package process_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"testing"

	"github.com/staunchid/staunch/tee/process"
)

func TestSelfIsTheRunningExecutable(t *testing.T) {
	r, err := process.Self()
	if err != nil {
		t.Fatal(err)
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Executable != sha256.Sum256(b) {
		t.Error("not the hash of the test's executable")
	}
	if int(r.UID) != os.Getuid() {
		t.Errorf("user %d, want %d", r.UID, os.Getuid())
	}
}

func TestReportRoundTrip(t *testing.T) {
	want := process.Report{ReportData: sha256.Sum256([]byte("binding")), Executable: sha256.Sum256([]byte("exe")), UID: 1000}
	b, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := process.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	for name, bad := range map[string][]byte{
		"cut":         b[:len(b)-1],
		"trailing":    append(bytes.Clone(b), 0),
		"other label": bytes.Replace(b, []byte("staunch/process"), []byte("staunch/enclave"), 1),
	} {
		if _, err := process.Parse(bad); !errors.Is(err, process.ErrMalformed) {
			t.Errorf("%s: error %v, want ErrMalformed", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	b, err := (&process.Report{UID: 7}).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := process.Parse(b)
		if err != nil {
			return
		}
		again, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("%x was read and is written as %x", b, again)
		}
	})
}
