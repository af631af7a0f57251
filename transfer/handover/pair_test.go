package handover_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/staunchid/staunch/transfer/handover"
)

// TestEnvelopes: each message of the handshake needs its MAC and its proof, and is
// over all that went before. A bad one ends the handshake: not even the good one is
// taken after it. So does none of what comes later: it is just not believed.
func TestEnvelopes(t *testing.T) {
	r := newRig(t)
	stranger := hardware(t, []byte("a stranger's"))
	for _, s := range []handover.Step{"hello", "answer", "matched", "confirm", "grant", "receipt", "ack", "recall", "final"} {
		before := map[handover.Step]handover.Step{"answer": "hello", "matched": "answer", "confirm": "matched", "grant": "confirm",
			"receipt": "grant", "ack": "receipt", "recall": "ack", "final": "ack"}[s]
		handshake := s == "hello" || s == "answer" || s == "matched" || s == "confirm"
		for _, tt := range []struct {
			name  string
			alter func(p *phones, e handover.Envelope, value [32]byte) handover.Envelope
			err   error
		}{
			{"a bit of its MAC", func(_ *phones, e handover.Envelope, _ [32]byte) handover.Envelope {
				e.MAC = append(bytes.Clone(e.MAC), make([]byte, 32-len(e.MAC))...)
				e.MAC[31] ^= 1
				return e
			}, handover.ErrMAC},
			{"a stranger's proof", func(_ *phones, e handover.Envelope, v [32]byte) handover.Envelope {
				return signed(t, stranger, v, e.Message, e.MAC)
			}, handover.ErrForged},
			{"its receiver's proof", func(p *phones, e handover.Envelope, v [32]byte) handover.Envelope {
				by := p.rig.n
				if s == "answer" || s == "matched" || s == "receipt" || s == "ack" {
					by = p.rig.c
				}
				return signed(t, by, v, e.Message, e.MAC)
			}, handover.ErrForged},
			{"the proof of another value", func(p *phones, e handover.Envelope, v [32]byte) handover.Envelope {
				v[0] ^= 1
				by := p.rig.c
				if s == "answer" || s == "matched" || s == "receipt" || s == "ack" {
					by = p.rig.n
				}
				return signed(t, by, v, e.Message, e.MAC)
			}, handover.ErrForged},
			{"bytes behind it", func(_ *phones, e handover.Envelope, _ [32]byte) handover.Envelope {
				e.Message = append(bytes.Clone(e.Message), 0)
				return e
			}, handover.ErrMalformed},
		} {
			t.Run(string(s)+": "+tt.name, func(t *testing.T) {
				p := r.meet(t)
				if before != "" {
					p.t = t
					p.walk(before)
				}
				p.make(s)
				prev, err := p.maker(s).Before(s)
				p.ok(s, err)
				bad := tt.alter(p, p.e[s], handover.Value(s, prev, p.e[s].Message))
				if err := p.taken(s, bad); !errors.Is(err, tt.err) {
					t.Fatalf("error %v, want %v", err, tt.err)
				}
				switch err := p.taken(s, p.e[s]); {
				case handshake && !errors.Is(err, handover.ErrErased):
					t.Errorf("the good one after it: %v", err)
				case !handshake && err != nil:
					t.Errorf("the good one after it: %v", err)
				}
			})
		}
	}
}

// maker is who makes a message.
func (p *phones) maker(s handover.Step) interface {
	Before(handover.Step) ([32]byte, error)
} {
	if s == "answer" || s == "matched" || s == "receipt" || s == "ack" {
		return p.n
	}
	return p.c
}

// TestInjectedHello: a server that plays C knows all but the secret in the code.
func TestInjectedHello(t *testing.T) {
	p := newRig(t).meet(t)
	code := p.n.Code()
	code.Secret[0] ^= 1
	o := p.sender
	o.Device, o.Prove = p.rig.n.PublicKey(), p.rig.n.prove // any key will do: N knows none of C's
	server, err := handover.NewSender(code, p.n.Offer(), &o)
	p.ok("server", err)
	e, err := server.Hello(handover.ClassNone, nil)
	p.ok("hello", err)
	if _, err := p.n.HandleHello(e); !errors.Is(err, handover.ErrMAC) {
		t.Errorf("injected: %v", err)
	}
}

// TestSecondHello: one hello a session, and no second try at anything.
func TestSecondHello(t *testing.T) {
	p := newRig(t).meet(t)
	code := p.n.Code()
	p.walk(handover.StepHello)
	other, err := handover.NewSender(code, p.n.Offer(), &p.sender)
	p.ok("other", err)
	e, err := other.Hello(handover.ClassNone, nil)
	p.ok("hello", err)
	if _, err := p.n.HandleHello(e); !errors.Is(err, handover.ErrOrder) {
		t.Errorf("a second one: %v", err)
	}
	p.take(handover.StepHello) // the first one again
	if p.n.Code() != (handover.Code{}) {
		t.Error("the code is still there to scan")
	}
	if _, err := p.n.Beacon(); !errors.Is(err, handover.ErrOrder) {
		t.Errorf("its beacon: %v", err)
	}
	p.make("answer")
	p.take("answer")
	p.make("matched") // with the first one's K0
	p.take("matched")
}

// TestPhotographedQR: who has a picture of the code can claim first and even say
// hello, but C gets no number of his, and he cannot pose as N.
func TestPhotographedQR(t *testing.T) {
	p := newRig(t).meet(t)
	o := p.sender
	k := hardware(t, []byte("the photographer's"))
	o.Device, o.Prove, o.Account, o.DeviceID = k.PublicKey(), k.prove, "u_mallory", "d_mallory"
	mallory, err := handover.NewSender(p.n.Code(), p.n.Offer(), &o)
	p.ok("photo", err)
	code := p.n.Code()
	p.make("hello") // C has scanned as well, and both say hello
	e, err := mallory.Hello(handover.ClassNone, nil)
	p.ok("hello", err)
	_, err = p.n.HandleHello(e)
	p.ok("N takes the first one", err)
	if _, err := p.n.HandleHello(p.e["hello"]); !errors.Is(err, handover.ErrOrder) {
		t.Errorf("N takes both: %v", err)
	}
	answer, err := p.n.Answer()
	p.ok("answer", err)
	if err := p.c.HandleAnswer(answer); !errors.Is(err, handover.ErrMAC) {
		t.Errorf("C takes an answer to another: %v", err)
	}
	if _, err := p.c.Number(); !errors.Is(err, handover.ErrErased) {
		t.Errorf("C shows a number: %v", err)
	}
	own, err := handover.NewReceiver(&p.receiver)
	p.ok("as N", err)
	fake := offered(t, own.Offer(), p.rig.n, func(o *handover.Offer) { o.Public = code.Public() })
	if _, err := handover.NewSender(code, fake, &p.sender); !errors.Is(err, handover.ErrCommitment) {
		t.Errorf("he poses as N: %v", err)
	}
}

// TestAudience: a hello for another app or server is refused, MAC and proof or not.
func TestAudience(t *testing.T) {
	for _, audience := range []string{"other@accounts.example.org", "demo@evil.example.org"} {
		r := newRig(t)
		r.sender.Audience = audience
		p := r.meet(t)
		p.make("hello")
		if err := p.taken("hello", p.e["hello"]); !errors.Is(err, handover.ErrAudience) {
			t.Errorf("%s: %v", audience, err)
		}
	}
}

// TestHelloEvidence: evidence that C brings is judged like N's: over the offer, and
// for its key.
func TestHelloEvidence(t *testing.T) {
	r := newRig(t)
	fresh := func(alter func(challenge []byte) []byte) func([32]byte) (handover.Evidence, error) {
		return func(c [32]byte) (handover.Evidence, error) {
			k := hardware(t, alter(c[:]))
			r.sender.Device, r.sender.Prove = k.PublicKey(), k.prove
			return handover.Evidence{Platform: handover.Android, Chain: k.Chain()}, nil
		}
	}
	same := func(c []byte) []byte { return c }
	for _, tt := range []struct {
		name string
		make func([32]byte) (handover.Evidence, error)
		sets func(*handover.ReceiverOptions)
		err  error
	}{
		{"of another key", fresh(same), nil, handover.ErrUntrusted},
		{"over another challenge", fresh(func([]byte) []byte { return []byte("old") }), nil, handover.ErrUntrusted},
		{"nobody to judge it", fresh(same), func(o *handover.ReceiverOptions) { o.Judge = handover.Judge{} }, handover.ErrUntrusted},
	} {
		o := r.receiver
		if tt.sets != nil {
			tt.sets(&o)
		}
		n, err := handover.NewReceiver(&o)
		if err != nil {
			t.Fatal(err)
		}
		so := r.sender
		so.Evidence = tt.make
		c, err := handover.NewSender(n.Code(), n.Offer(), &so)
		if err != nil {
			t.Fatal(err)
		}
		e, err := c.Hello(handover.ClassNone, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.HandleHello(e); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestShares: the hold share is C's, and another opens nothing.
func TestShares(t *testing.T) {
	p := newRig(t).meet(t).walk(handover.StepConfirm)
	for _, s := range []handover.Secret{{}, sha256.Sum256(p.hold[:])} {
		if _, err := p.n.BulkKey(s); !errors.Is(err, handover.ErrCommitment) {
			t.Errorf("another share: %v", err)
		}
	}
}
