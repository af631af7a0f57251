package handover_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/staunchid/staunch/transfer/handover"
)

// TestDecode: one encoding of each message, within its bounds.
func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   string
		ok   bool
	}{
		{"good", "a1 01 5820" + strings.Repeat("ab", 32), true},
		{"a key longer than it needs", "a1 1801 5820" + strings.Repeat("ab", 32), false},
		{"a length longer than it needs", "a1 01 590020" + strings.Repeat("ab", 32), false},
		{"an indefinite map", "bf 01 5820" + strings.Repeat("ab", 32) + "ff", false},
		{"31 bytes", "a1 01 581f" + strings.Repeat("ab", 31), false},
		{"33 bytes", "a1 01 5821" + strings.Repeat("ab", 33), false},
		{"text", "a1 01 7820" + strings.Repeat("61", 32), false},
		{"a key that is not known", "a2 01 5820" + strings.Repeat("ab", 32) + "02 00", false},
		{"another key", "a1 02 5820" + strings.Repeat("ab", 32), false},
		{"the key twice", "a2 01 5820" + strings.Repeat("ab", 32) + "01 5820" + strings.Repeat("ab", 32), false},
		{"a tag", "a1 01 d8185820" + strings.Repeat("ab", 32), false},
		{"bytes behind it", "a1 01 5820" + strings.Repeat("ab", 32) + "00", false},
		{"no map", "80", false},
		{"nothing", "", false},
	} {
		_, err := handover.Decode[handover.Answer](fromHex(t, tt.in))
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, handover.ErrMalformed) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func fromHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBounds: what is too long, or of no kind, is neither written nor read.
func TestBounds(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", 65)
	for name, change := range map[string]func(*handover.ReceiverOptions){
		"model":      func(o *handover.ReceiverOptions) { o.Info.Model = long },
		"no model":   func(o *handover.ReceiverOptions) { o.Info.Model = "" },
		"addresses":  func(o *handover.ReceiverOptions) { o.LAN = make([]string, 5) },
		"no address": func(o *handover.ReceiverOptions) { o.LAN = nil },
		"an address": func(o *handover.ReceiverOptions) { o.Beacons = handover.BeaconBLE },
		"beacons":    func(o *handover.ReceiverOptions) { o.Beacons |= 8 },
		"platform":   func(o *handover.ReceiverOptions) { o.Evidence.Platform = "symbian" },
		"evidence":   func(o *handover.ReceiverOptions) { o.Evidence.Chain = nil },
		"both kinds": func(o *handover.ReceiverOptions) { o.Evidence.Object = []byte{1} },
		"free bytes": func(o *handover.ReceiverOptions) { o.FreeBytes = 1 << 63 },
	} {
		o := r.receiver
		change(&o)
		if _, err := handover.NewReceiver(&o); !errors.Is(err, handover.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b, err := handover.Encode(&handover.Hello{Encapsulated: make([]byte, 1120), Device: []byte{1}, Account: "u", DeviceID: "d", Audience: "a@h", Class: "far", Info: r.receiver.Info})
	if err == nil {
		t.Errorf("a class that there is not: %x", b)
	}
}

// TestEnvelopeBounds: at most 96 KiB, a MAC of 32 bytes or none, and a proof.
func TestEnvelopeBounds(t *testing.T) {
	good := handover.Envelope{Message: []byte{0xa0}, MAC: make([]byte, 32), Proof: make([]byte, 64)}
	for _, tt := range []struct {
		name   string
		change func(*handover.Envelope)
		ok     bool
	}{
		{"good", func(*handover.Envelope) {}, true},
		{"no MAC", func(e *handover.Envelope) { e.MAC = nil }, true},
		{"a MAC of 31 bytes", func(e *handover.Envelope) { e.MAC = e.MAC[:31] }, false},
		{"no proof", func(e *handover.Envelope) { e.Proof = nil }, false},
		{"no message", func(e *handover.Envelope) { e.Message = nil }, false},
		{"the largest", func(e *handover.Envelope) { e.Message = make([]byte, handover.MaxEnvelope-1-5-34-66) }, true},
		{"a byte more", func(e *handover.Envelope) { e.Message = make([]byte, handover.MaxEnvelope-5-34-66) }, false},
	} {
		e := good
		tt.change(&e)
		b, err := e.Encode()
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, handover.ErrMalformed) {
			t.Errorf("%s: %d bytes, %v", tt.name, len(b), err)
		}
	}
	b, err := good.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, b[:len(b)-1], append(bytes.Clone(b), 0), make([]byte, handover.MaxEnvelope+1)} {
		if _, err := handover.DecodeEnvelope(bad); !errors.Is(err, handover.ErrMalformed) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

// TestSecretsBounds: more than 64 KiB is refused before anything is granted.
func TestSecretsBounds(t *testing.T) {
	p := newRig(t).meet(t).walk(handover.StepConfirm)
	in := granting()
	in.Secrets = handover.Secrets{"s": make([]byte, 64<<10)}
	if _, err := p.c.Grant(in); !errors.Is(err, handover.ErrMalformed) {
		t.Errorf("too much: %v", err)
	}
	in.Secrets = handover.Secrets{"s": make([]byte, 64<<10-8)}
	_, err := p.c.Grant(in)
	p.ok("just enough", err)
	p.restart()
}

// TestGrantsAreFew: a server cannot have C grant without end.
func TestGrantsAreFew(t *testing.T) {
	p := newRig(t).meet(t).walk(handover.StepConfirm)
	in, n := granting(), 0
	for ; n < 100; n++ {
		in.Root[0]++
		if _, err := p.c.Grant(in); err != nil {
			if !errors.Is(err, handover.ErrOrder) {
				t.Error(err)
			}
			break
		}
	}
	if n != 17 {
		t.Errorf("%d grants", n)
	}
	p.restart()
}

// TestEnds: after a recall nothing is made final, and after that nothing is recalled.
func TestEnds(t *testing.T) {
	p := newRig(t).meet(t).walk(handover.StepAck)
	p.make("recall")
	if _, err := p.c.Final(stepUp("finish")); !errors.Is(err, handover.ErrOrder) {
		t.Errorf("final after the recall: %v", err)
	}
	p = newRig(t).meet(t).walk(handover.StepAck)
	p.make("final")
	if _, err := p.c.Recall("", stepUp("recall")); !errors.Is(err, handover.ErrOrder) {
		t.Errorf("recall after the end: %v", err)
	}
}
