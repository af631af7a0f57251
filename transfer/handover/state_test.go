package handover_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/staunchid/staunch/transfer/handover"
)

// restart stores both halves and has them go on from there.
func (p *phones) restart() {
	p.t.Helper()
	n, err := p.n.MarshalBinary()
	p.ok("store N", err)
	c, err := p.c.MarshalBinary()
	p.ok("store C", err)
	p.n, err = handover.RestoreReceiver(n, &p.receiver)
	p.ok("restore N", err)
	p.c, err = handover.RestoreSender(c, &p.sender)
	p.ok("restore C", err)
	if again, err := p.n.MarshalBinary(); err != nil || !bytes.Equal(again, n) {
		p.t.Errorf("N is stored differently after a restart: %v", err)
	}
	if again, err := p.c.MarshalBinary(); err != nil || !bytes.Equal(again, c) {
		p.t.Errorf("C is stored differently after a restart: %v", err)
	}
}

// TestRestart kills both phones after each message is made, and again after it is
// taken. Who makes it again makes the same bytes, and taking it again changes
// nothing.
func TestRestart(t *testing.T) {
	p := newRig(t).meet(t)
	p.restart()
	for _, s := range []handover.Step{"hello", "answer", "matched", "confirm", "grant", "receipt", "ack", "final"} {
		p.make(s)
		first := p.e[s]
		p.restart()
		if s == "hello" {
			e, err := p.c.Hello(handover.ClassLAN, nil)
			p.must(s)(e, err)
		} else {
			p.make(s)
		}
		if !bytes.Equal(first.Message, p.e[s].Message) || !bytes.Equal(first.MAC, p.e[s].MAC) || !bytes.Equal(first.Proof, p.e[s].Proof) {
			t.Errorf("%s: other bytes after a restart", s)
		}
		p.take(s)
		p.restart()
		p.take(s)
	}
	if _, err := p.n.BulkKey(p.hold); err != nil {
		t.Error(err)
	}
}

// TestStepUpAgain: what the server has not taken because of its step-up is made again
// with another one, until it is answered.
func TestStepUpAgain(t *testing.T) {
	p := newRig(t).meet(t).walk(handover.StepMatched)
	p.make("confirm")
	e, hold, err := p.c.Confirm(stepUp("second"), 1000)
	p.ok("again", err)
	if bytes.Equal(e.Message, p.e["confirm"].Message) {
		t.Error("the first step-up again")
	}
	p.e["confirm"], p.hold = e, hold
	for _, s := range []handover.Step{"confirm", "grant"} {
		if p.take(s); s == "confirm" {
			p.make("grant")
		}
	}
	if _, _, err := p.c.Confirm(stepUp("third"), 1000); !errors.Is(err, handover.ErrOrder) {
		t.Errorf("after the grant: %v", err)
	}
	a, err := p.n.BulkKey(hold)
	p.ok("N", err)
	b, err := p.c.BulkKey()
	p.ok("C", err)
	if !bytes.Equal(a, b) {
		t.Error("two bulk keys")
	}
}

// TestErase: nothing is left that opens anything, in memory or in what is stored; a
// recall and the end of the window still work.
func TestErase(t *testing.T) {
	p := newRig(t).meet(t).walk(handover.StepAck)
	bulk, err := p.c.BulkKey()
	p.ok("bulk", err)
	hold, k0 := p.hold, p.c.K0()
	p.n.Erase()
	p.c.Erase()
	for range 2 {
		n, err := p.n.MarshalBinary()
		p.ok("store", err)
		c, err := p.c.MarshalBinary()
		p.ok("store", err)
		for name, secret := range map[string][]byte{"K0": k0[:], "bulk key": bulk, "hold share": hold[:], "commit share": p.granted.CommitShare[:], "sealed": p.granted.Sealed} {
			if bytes.Contains(n, secret) || bytes.Contains(c, secret) {
				t.Errorf("%s is still stored", name)
			}
		}
		if _, err := p.n.BulkKey(hold); !errors.Is(err, handover.ErrErased) {
			t.Errorf("bulk key of N: %v", err)
		}
		if _, err := p.c.BulkKey(); !errors.Is(err, handover.ErrErased) {
			t.Errorf("bulk key of C: %v", err)
		}
		if _, err := p.n.Open(p.granted.CommitShare, p.granted.Sealed); !errors.Is(err, handover.ErrErased) {
			t.Errorf("open: %v", err)
		}
		if _, err := p.c.Number(); !errors.Is(err, handover.ErrErased) {
			t.Errorf("number: %v", err)
		}
		p.make("recall")
		p.take("recall")
		p.restart()
	}
}

// TestEraseBefore: a new phone whose code is over shows none, and takes no hello.
func TestEraseBefore(t *testing.T) {
	p := newRig(t).meet(t)
	p.make("hello")
	secret := p.n.Code().Secret
	p.n.Erase()
	if p.n.Code() != (handover.Code{}) {
		t.Error("still a code")
	}
	if _, err := p.n.Beacon(); !errors.Is(err, handover.ErrErased) {
		t.Errorf("beacon: %v", err)
	}
	p.restart()
	if err := p.taken("hello", p.e["hello"]); !errors.Is(err, handover.ErrErased) {
		t.Errorf("hello: %v", err)
	}
	if b, err := p.n.MarshalBinary(); err != nil || bytes.Contains(b, secret[:]) {
		t.Errorf("the code's secret is still stored, or %v", err)
	}
}

// TestSecretGoesWithTheHello: from then on K0 is all, and nobody can say hello anew.
func TestSecretGoesWithTheHello(t *testing.T) {
	p := newRig(t).meet(t)
	secret := p.n.Code().Secret
	p.walk(handover.StepHello)
	n, err := p.n.MarshalBinary()
	p.ok("store", err)
	c, err := p.c.MarshalBinary()
	p.ok("store", err)
	if bytes.Contains(n, secret[:]) || bytes.Contains(c, secret[:]) {
		t.Error("the code's secret is still stored")
	}
}

// TestRestoreOfAnother: a stored half goes with the key that it was made for.
func TestRestoreOfAnother(t *testing.T) {
	p := newRig(t).meet(t).walk(handover.StepHello)
	n, err := p.n.MarshalBinary()
	p.ok("store", err)
	c, err := p.c.MarshalBinary()
	p.ok("store", err)
	other := newRig(t)
	if _, err := handover.RestoreReceiver(n, &other.receiver); err == nil {
		t.Error("N's with another key")
	}
	if _, err := handover.RestoreSender(c, &other.sender); err == nil {
		t.Error("C's with another key")
	}
	if _, err := handover.RestoreSender(n, &p.sender); err == nil {
		t.Error("N's as C's")
	}
	for _, cut := range []int{0, 1, len(n) / 2, len(n) - 1} {
		if _, err := handover.RestoreReceiver(n[:cut], &p.receiver); err == nil {
			t.Errorf("cut after %d bytes", cut)
		}
	}
}
