package tee_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/tee"
	"github.com/staunchid/staunch/tee/process"
)

// full uses each member.
func full() *tee.Evidence {
	return &tee.Evidence{
		Platform: tee.PlatformTPM, Report: []byte("attest"), Binding: []byte("binding"),
		Certs: [][]byte{[]byte("leaf"), []byte("ca")}, EventLog: []byte("log"),
		PCRs: []tee.PCR{{4, make([]byte, 32)}, {11, bytes.Repeat([]byte{1}, 32)}},
		AK:   []byte("ak"), Signature: []byte("sig"), Endorsement: []byte("snp"),
		Collateral: map[string][]byte{"root-crl": []byte("crl"), "tcb-info": {}},
	}
}

func encode(t testing.TB, e *tee.Evidence) []byte {
	t.Helper()
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEvidenceRoundTrip(t *testing.T) {
	for _, e := range []*tee.Evidence{
		full(),
		{Platform: tee.PlatformProcess, Report: []byte("r"), Binding: []byte("b")},
	} {
		got, err := tee.ParseEvidence(encode(t, e))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(e, got); d != "" {
			t.Error(d)
		}
	}
}

func TestEvidenceRefused(t *testing.T) {
	good := encode(t, full())
	long := &tee.Evidence{Platform: "tdx", Report: make([]byte, tee.MaxEvidence-30), Binding: []byte("b")}
	tests := []struct {
		name string
		b    []byte
	}{
		{"empty", nil},
		{"cut", good[:len(good)-1]},
		{"trailing", append(bytes.Clone(good), 0)},
		{"parts of a TPM on another platform", bytes.Replace(good, []byte("\x63tpm"), []byte("\x63tdx"), 1)},
		{"too long", append(encode(t, long), make([]byte, 100)...)},
	}
	for _, tc := range tests {
		if _, err := tee.ParseEvidence(tc.b); !errors.Is(err, tee.ErrMalformed) {
			t.Errorf("%s: error %v, want ErrMalformed", tc.name, err)
		}
	}
	long.Report = make([]byte, tee.MaxEvidence)
	if _, err := long.Encode(); err == nil {
		t.Error("evidence above the limit was encoded")
	}
}

func TestHardwareIsUnsupported(t *testing.T) {
	for _, platform := range []string{"nitro", "sev-snp", "tdx", "sgx", "tpm", "enigma"} {
		e := &tee.Evidence{Platform: platform, Report: []byte("r"), Binding: []byte("b")}
		if c, err := tee.Verify(e, nil, time.Time{}); !errors.Is(err, tee.ErrUnsupported) || c != nil {
			t.Errorf("%s: claims %v, error %v, want ErrUnsupported", platform, c, err)
		}
	}
}

func TestProcessClaims(t *testing.T) {
	self := &process.Report{Executable: [32]byte{1}}
	b, err := tee.ProcessEvidence(self, []byte("binding"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := tee.ParseEvidence(b)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tee.Verify(e, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Level != tee.LevelProcess || !bytes.Equal(c.Measurements["sha256"], self.Executable[:]) {
		t.Errorf("claims %+v", c)
	}
	if self.ReportData != [32]byte{} {
		t.Error("the description of the process was changed")
	}
	e.EventLog = []byte("log")
	if _, err := tee.Verify(e, nil, time.Time{}); !errors.Is(err, tee.ErrMalformed) {
		t.Errorf("with an event log: error %v, want ErrMalformed", err)
	}
	e.EventLog, e.Report = nil, []byte("r")
	if _, err := tee.Verify(e, nil, time.Time{}); !errors.Is(err, tee.ErrMalformed) {
		t.Errorf("with another report: error %v, want ErrMalformed", err)
	}
}

func FuzzParseEvidence(f *testing.F) {
	f.Add(encode(f, full()))
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := tee.ParseEvidence(b)
		if err != nil {
			return
		}
		again, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("%x was read and is written as %x", b, again)
		}
	})
}
