package handover_test

import (
	"bytes"
	"crypto/hpke"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/transfer/handover"
)

// signed is a message with the proof of a key, as whoever has that key can make it.
// The MAC is another message's, or none.
func signed(t testing.TB, k key, value [32]byte, message, mac []byte) handover.Envelope {
	t.Helper()
	proof, err := k.prove(value)
	if err != nil {
		t.Fatal(err)
	}
	return handover.Envelope{Message: message, MAC: mac, Proof: proof}
}

// offered is an offer with something else in it, signed by a key.
func offered(t testing.TB, e handover.Envelope, by key, change func(*handover.Offer)) handover.Envelope {
	t.Helper()
	m, err := handover.Decode[handover.Offer](e.Message)
	if err != nil {
		t.Fatal(err)
	}
	change(&m)
	b, err := handover.Encode(&m)
	if err != nil {
		t.Fatal(err)
	}
	return signed(t, by, handover.Value(handover.StepOffer, [32]byte{}, b), b, nil)
}

// TestOffer: what C checks before it shows anything.
func TestOffer(t *testing.T) {
	r := newRig(t)
	n, err := handover.NewReceiver(&r.receiver)
	if err != nil {
		t.Fatal(err)
	}
	good, stranger := n.Offer(), hardware(t, r.receiver.Challenge[:])
	otherKey, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	substitute := func(o *handover.Offer) {
		o.Key = otherKey.PublicKey().Bytes()
		o.Public[19] ^= 1
	}
	for _, tt := range []struct {
		name  string
		offer func() handover.Envelope
		sets  func(*handover.SenderOptions)
		err   error
	}{
		{"good", func() handover.Envelope { return good }, nil, nil},
		{"another code", func() handover.Envelope {
			return offered(t, good, r.n, func(o *handover.Offer) { o.Public[3] ^= 1 })
		}, nil, handover.ErrCommitment},
		{"another key and its hash", func() handover.Envelope { return offered(t, good, r.n, substitute) }, nil, handover.ErrCommitment},
		{"another key", func() handover.Envelope {
			return offered(t, good, r.n, func(o *handover.Offer) { o.Key = otherKey.PublicKey().Bytes() })
		}, nil, handover.ErrCommitment},
		{"altered", func() handover.Envelope {
			e := offered(t, good, r.n, func(o *handover.Offer) { o.Info.Model = "Nice" })
			e.Proof = good.Proof
			return e
		}, nil, handover.ErrForged},
		{"a MAC where none belongs", func() handover.Envelope { e := good; e.MAC = make([]byte, 32); return e }, nil, handover.ErrMAC},
		{"another's proof", func() handover.Envelope { return offered(t, good, stranger, func(*handover.Offer) {}) }, nil, handover.ErrForged},
		{"another's key and proof, the evidence of the first", func() handover.Envelope {
			return offered(t, good, stranger, func(o *handover.Offer) { o.Device = stranger.PublicKey() })
		}, nil, handover.ErrUntrusted},
		{"evidence over another challenge", func() handover.Envelope {
			return offered(t, good, r.n, func(o *handover.Offer) { o.Challenge[0] ^= 1 })
		}, nil, handover.ErrUntrusted},
		{"evidence that is none", func() handover.Envelope {
			return offered(t, good, r.n, func(o *handover.Offer) { o.Evidence = []byte{0xa0} })
		}, nil, handover.ErrMalformed},
		{"no policy", func() handover.Envelope { return good }, func(o *handover.SenderOptions) { o.Judge.Policy = nil }, handover.ErrUntrusted},
		{"other roots", func() handover.Envelope { return good }, func(o *handover.SenderOptions) {
			if o.Judge.Policy, err = attest.Genuine(attest.ProfileGoogle); err != nil {
				t.Fatal(err)
			}
		}, handover.ErrUntrusted},
		{"schema too old", func() handover.Envelope { return good }, func(o *handover.SenderOptions) { o.Schema = 0 }, handover.ErrSchema},
		{"the oldest schema", func() handover.Envelope { return good }, func(o *handover.SenderOptions) { o.Schema = 1 }, nil},
		{"the newest schema", func() handover.Envelope { return good }, func(o *handover.SenderOptions) { o.Schema = 3 }, nil},
		{"schema too new", func() handover.Envelope { return good }, func(o *handover.SenderOptions) { o.Schema = 4 }, handover.ErrSchema},
		{"just room", func() handover.Envelope { return good }, func(o *handover.SenderOptions) { o.Bytes = 1 << 30 }, nil},
		{"no room", func() handover.Envelope { return good }, func(o *handover.SenderOptions) { o.Bytes = 1<<30 + 1 }, handover.ErrSpace},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := r.sender
			if tt.sets != nil {
				tt.sets(&o)
			}
			s, err := handover.NewSender(n.Code(), tt.offer(), &o)
			if !errors.Is(err, tt.err) || (s == nil) != (err != nil) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
		})
	}
}

// TestSubstitutedKey: a server that puts a key of its own in N's place, with all that
// goes with it but the code on the screen.
func TestSubstitutedKey(t *testing.T) {
	r := newRig(t)
	n, err := handover.NewReceiver(&r.receiver)
	if err != nil {
		t.Fatal(err)
	}
	server, err := handover.NewReceiver(&r.receiver) // has attested hardware, too
	if err != nil {
		t.Fatal(err)
	}
	code := n.Code()
	for name, change := range map[string]func(*handover.Offer){
		"its offer":            func(*handover.Offer) {},
		"under N's code":       func(o *handover.Offer) { o.Public = code.Public() },
		"under N's session ID": func(o *handover.Offer) { copy(o.Public[3:19], code.ID[:]) },
	} {
		e := offered(t, server.Offer(), r.n, change)
		if _, err := handover.NewSender(code, e, &r.sender); !errors.Is(err, handover.ErrCommitment) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestJudge: a verdict that rejects comes with what it has found; a list that a phone
// has counts, and one that it has not does not.
func TestJudge(t *testing.T) {
	r := newRig(t)
	p := r.meet(t)
	if v := p.c.Peer().Verdict; v.Accept() || !v.Has("android.status_unavailable") {
		t.Errorf("without a list: %v, %v", v.Tier, v.Findings)
	}
	challenge := sha256.Sum256([]byte("another"))
	r.receiver.Challenge = challenge
	n, err := handover.NewReceiver(&r.receiver)
	if err != nil {
		t.Fatal(err)
	}
	_, err = handover.NewSender(n.Code(), n.Offer(), &r.sender)
	var u *handover.UntrustedError
	if !errors.As(err, &u) || len(u.Verdict.Findings) == 0 || !bytes.Contains([]byte(err.Error()), []byte("challenge")) {
		t.Errorf("error %v", err)
	}
}
