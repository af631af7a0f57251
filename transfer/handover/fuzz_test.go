package handover_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/transfer/handover"
)

// FuzzEnvelope: an envelope that is read is written as the same bytes, and so is each
// message that is read out of it. A half that gets it refuses it, and lives.
func FuzzEnvelope(f *testing.F) {
	b, err := os.ReadFile("../../spec/vectors/transfer/handshake.json")
	if err != nil {
		f.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Steps []struct{ Message, MAC, Proof string }
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		f.Fatal(err)
	}
	for _, c := range file.Cases {
		for _, s := range c.Steps {
			b, err := (handover.Envelope{Message: unhex(f, s.Message), MAC: unhex(f, s.MAC), Proof: unhex(f, s.Proof)}).Encode()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := handover.DecodeEnvelope(b)
		if err != nil {
			if !errors.Is(err, handover.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if again, err := e.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x comes back as %x, %v", b, again, err)
		}
		read[handover.Offer](t, e.Message)
		read[handover.Hello](t, e.Message)
		read[handover.Answer](t, e.Message)
		read[handover.Matched](t, e.Message)
		read[handover.Confirm](t, e.Message)
		read[handover.Grant](t, e.Message)
		read[handover.Receipt](t, e.Message)
		read[handover.Ack](t, e.Message)
		read[handover.Recall](t, e.Message)
		read[handover.Final](t, e.Message)
		read[handover.Secrets](t, e.Message)
		read[handover.Evidence](t, e.Message)
	})
}

func unhex(f *testing.F, s string) []byte {
	f.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

// read reads a message if it is one, and wants the same bytes back.
func read[T any, P interface {
	*T
	Code(*cbor.Coder)
}](t *testing.T, b []byte) {
	t.Helper()
	m, err := handover.Decode[T, P](b)
	if err != nil {
		if !errors.Is(err, handover.ErrMalformed) {
			t.Fatal(err)
		}
		return
	}
	if again, err := handover.Encode[T, P](&m); err != nil || !bytes.Equal(again, b) {
		t.Fatalf("%T: %x comes back as %x, %v", m, b, again, err)
	}
}
