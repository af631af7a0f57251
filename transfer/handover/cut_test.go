package handover_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/staunchid/staunch/transfer/handover"
)

// receipted is a receipt by a key over this transcript.
func (p *phones) receipted(by key, change func(*handover.Receipt)) handover.Envelope {
	p.t.Helper()
	m := receipt()
	change(&m)
	b, err := handover.Encode(&m)
	p.ok("encode", err)
	prev, err := p.c.Before(handover.StepReceipt)
	p.ok("before", err)
	return signed(p.t, by, handover.Value(handover.StepReceipt, prev, b), b, nil)
}

// TestForgedCommit: C signs itself out for N's word over its own stream, and for
// nothing that a server can make.
func TestForgedCommit(t *testing.T) {
	p := newRig(t).meet(t).walk(handover.StepGrant)
	other := newRig(t).meet(t).walk(handover.StepReceipt)
	same := func(*handover.Receipt) {}
	for _, tt := range []struct {
		name string
		e    handover.Envelope
		err  error
	}{
		{"a stranger's", p.receipted(hardware(t, []byte("s")), same), handover.ErrForged},
		{"C's own", p.receipted(p.rig.c, same), handover.ErrForged},
		{"of another transfer", other.e["receipt"], handover.ErrForged},
		{"another root", p.receipted(p.rig.n, func(m *handover.Receipt) { m.Root[31] ^= 1 }), handover.ErrStream},
		{"a byte less", p.receipted(p.rig.n, func(m *handover.Receipt) { m.Bytes-- }), handover.ErrStream},
		{"an object less", p.receipted(p.rig.n, func(m *handover.Receipt) { m.Objects-- }), handover.ErrStream},
	} {
		if _, err := p.c.HandleReceipt(tt.e); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
	}
	if _, err := p.c.HandleReceipt(p.receipted(p.rig.n, same)); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// TestReceiptIsForWhatWasGranted: N signs for nothing else than what it was granted.
func TestReceiptIsForWhatWasGranted(t *testing.T) {
	p := newRig(t).meet(t).walk(handover.StepConfirm)
	if _, err := p.n.Receipt(receipt()); !errors.Is(err, handover.ErrOrder) {
		t.Errorf("before the grant: %v", err)
	}
	p.make("grant")
	p.take("grant")
	for name, change := range map[string]func(*handover.Receipt){
		"root":    func(m *handover.Receipt) { m.Root[0] ^= 1 },
		"bytes":   func(m *handover.Receipt) { m.Bytes++ },
		"objects": func(m *handover.Receipt) { m.Objects++ },
	} {
		m := receipt()
		if change(&m); true {
			if _, err := p.n.Receipt(m); !errors.Is(err, handover.ErrStream) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestSharesBeforeCommit: a server that hands out all shares too early does not make N
// open the keys while C is in charge, and one that hands out others opens nothing.
func TestSharesBeforeCommit(t *testing.T) {
	p := newRig(t).meet(t).walk(handover.StepGrant)
	g := p.granted
	if _, err := p.n.Open(g.CommitShare, g.Sealed); !errors.Is(err, handover.ErrOrder) {
		t.Errorf("before the receipt: %v", err)
	}
	p.make("receipt")
	flipped := bytes.Clone(g.Sealed)
	flipped[0] ^= 1
	other := newRig(t).meet(t).walk(handover.StepGrant).granted
	for _, tt := range []struct {
		name   string
		share  handover.Secret
		sealed []byte
		what   string
	}{
		{"another share", sha256.Sum256([]byte("x")), g.Sealed, ": the commit share"},
		{"no share", handover.Secret{}, g.Sealed, ": the commit share"},
		{"altered secrets", g.CommitShare, flipped, ": the sealed secrets"},
		{"no secrets", g.CommitShare, nil, ": the sealed secrets"},
		{"another transfer's", other.CommitShare, other.Sealed, ": the commit share"},
	} {
		if _, err := p.n.Open(tt.share, tt.sealed); !errors.Is(err, handover.ErrCommitment) || !strings.HasSuffix(err.Error(), tt.what) {
			t.Errorf("%s: %v", tt.name, err) // said before anything is decrypted with it
		}
	}
	if _, err := p.n.Ack([]byte(sealingPublic)); !errors.Is(err, handover.ErrOrder) {
		t.Errorf("acknowledged unopened: %v", err)
	}
	_, err := p.n.Open(g.CommitShare, g.Sealed)
	p.ok("open", err)
	if _, err := p.n.Ack([]byte("another key")); !errors.Is(err, handover.ErrKey) {
		t.Errorf("another sealing key: %v", err)
	}
}

// TestAckOfAnotherKey: C does not take it for opened if another key was.
func TestAckOfAnotherKey(t *testing.T) {
	p := newRig(t).meet(t).walk(handover.StepReceipt)
	b, err := handover.Encode(&handover.Ack{SealingKeyHash: sha256.Sum256([]byte("another"))})
	p.ok("encode", err)
	prev, err := p.c.Before(handover.StepAck)
	p.ok("before", err)
	if _, err := p.c.HandleAck(signed(t, p.rig.n, handover.Value(handover.StepAck, prev, b), b, nil)); !errors.Is(err, handover.ErrKey) {
		t.Errorf("error %v", err)
	}
}

// TestGrantReplay: a grant is good in one transfer, of one app, at one server.
func TestGrantReplay(t *testing.T) {
	r := newRig(t)
	first := r.meet(t).walk(handover.StepGrant)
	for name, audience := range map[string]string{"second session": audience, "other app": "other@accounts.example.org", "other server": "demo@other.example.org"} {
		again := *r // the same phones
		again.sender.Audience, again.receiver.Audience = audience, audience
		p := again.meet(t).walk(handover.StepConfirm)
		if _, err := p.n.HandleGrant(first.e["grant"]); !errors.Is(err, handover.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGrantForAnotherDevice: a grant names its receiver by the transcript, so that
// another device of the same person has nothing of it.
func TestGrantForAnotherDevice(t *testing.T) {
	r := newRig(t)
	first := r.meet(t).walk(handover.StepGrant)
	other := newRig(t)
	other.sender = r.sender // the same C
	other.c = r.c
	p := other.meet(t).walk(handover.StepConfirm)
	if _, err := p.n.HandleGrant(first.e["grant"]); !errors.Is(err, handover.ErrForged) {
		t.Errorf("its grant: %v", err)
	}
	p.make("grant")
	p.take("grant")
	p.make("receipt")
	if _, err := p.n.Open(first.granted.CommitShare, first.granted.Sealed); !errors.Is(err, handover.ErrCommitment) {
		t.Errorf("its secrets: %v", err)
	}
	if _, err := first.c.HandleReceipt(p.e["receipt"]); !errors.Is(err, handover.ErrForged) {
		t.Errorf("the other's receipt: %v", err)
	}
}

// TestForgedFinal: C wipes for its own word, or for N's if they were near; never
// before N has acknowledged.
func TestForgedFinal(t *testing.T) {
	b, err := handover.Encode(&handover.Final{StepUp: stepUp("finish")})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		beacons byte
		by      func(*rig) key
		err     error
	}{
		{"C's own, lan", handover.BeaconLAN, func(r *rig) key { return r.c }, nil},
		{"N's, lan", handover.BeaconLAN, func(r *rig) key { return r.n }, handover.ErrForged},
		{"N's, near", handover.BeaconNFC, func(r *rig) key { return r.n }, nil},
		{"a stranger's, near", handover.BeaconNFC, func(*rig) key { return hardware(t, []byte("s")) }, handover.ErrForged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			if r.receiver.Beacons = tt.beacons; tt.beacons != handover.BeaconLAN {
				r.receiver.LAN = nil
			}
			p := r.meet(t).walk(handover.StepReceipt)
			early := handover.Envelope{Message: b, Proof: make([]byte, 64)}
			if err := p.c.HandleFinal(early); !errors.Is(err, handover.ErrOrder) {
				t.Errorf("before the acknowledgement: %v", err)
			}
			p.make("ack")
			p.take("ack")
			prev, err := p.c.Before(handover.StepFinal)
			p.ok("before", err)
			e := signed(t, tt.by(r), handover.Value(handover.StepFinal, prev, b), b, nil)
			if err := p.c.HandleFinal(e); !errors.Is(err, tt.err) {
				t.Errorf("C: %v, want %v", err, tt.err)
			}
			if err := p.n.HandleFinal(e); !errors.Is(err, tt.err) {
				t.Errorf("N: %v, want %v", err, tt.err)
			}
			_, err = p.n.Final(stepUp("finish"))
			if near := tt.beacons == handover.BeaconNFC; near != (err == nil) || !near && !errors.Is(err, handover.ErrOrder) {
				t.Errorf("N makes one: %v", err)
			}
		})
	}
}

// TestForgedRecall: N wipes for C's word alone, before and after the acknowledgement.
func TestForgedRecall(t *testing.T) {
	for _, last := range []handover.Step{"receipt", "ack"} {
		p := newRig(t).meet(t).walk(last)
		other := newRig(t).meet(t).walk(last)
		other.make("recall")
		if _, err := p.n.HandleRecall(other.e["recall"]); !errors.Is(err, handover.ErrForged) {
			t.Errorf("another transfer's, after %s: %v", last, err)
		}
		p.make("recall")
		p.take("recall")
	}
	p := newRig(t).meet(t).walk(handover.StepGrant)
	if _, err := p.c.Recall("", stepUp("recall")); !errors.Is(err, handover.ErrOrder) {
		t.Errorf("before the receipt: %v", err)
	}
}

// TestSecondGrant: C may grant again what the server has called incomplete, and takes
// a receipt for any of its grants.
func TestSecondGrant(t *testing.T) {
	for _, answered := range []int{0, 1, 2} {
		p := newRig(t).meet(t).walk(handover.StepConfirm)
		var made []*handover.Granted
		for i := range 3 {
			in := granting()
			in.Root[0] += byte(i)
			g, err := p.c.Grant(in)
			p.ok("grant", err)
			again, err := p.c.Grant(in)
			p.ok("the same again", err)
			if !bytes.Equal(g.Envelope.Proof, again.Envelope.Proof) || g.CommitShare != again.CommitShare {
				t.Error("the same grant twice is two")
			}
			for _, old := range made {
				if old.CommitShare == g.CommitShare {
					t.Error("a share for two grants")
				}
			}
			made = append(made, g)
		}
		p.restart()
		m := receipt()
		m.Root[0] += byte(answered)
		_, err := p.n.HandleGrant(made[answered].Envelope)
		p.ok("take", err)
		e, err := p.n.Receipt(m)
		p.ok("receipt", err)
		if _, err := p.c.HandleReceipt(e); err != nil {
			t.Errorf("receipt for grant %d: %v", answered, err)
		}
		if _, err := p.c.Grant(granting()); !errors.Is(err, handover.ErrOrder) {
			t.Errorf("another grant after the receipt: %v", err)
		}
	}
}
