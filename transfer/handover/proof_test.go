package handover_test

import (
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/transfer/handover"
)

// TestVerifyProof: the proofs that phones make, each good for its key and its value.
func TestVerifyProof(t *testing.T) {
	ca, err := attesttest.TestAppleCA(at())
	if err != nil {
		t.Fatal(err)
	}
	apple := ca.Phone().GenerateKey()
	other := ca.Phone().GenerateKey()
	android := hardware(t, []byte("challenge"))
	value, wrong := sha256.Sum256([]byte("value")), sha256.Sum256([]byte("another"))
	assertion := func(k *attesttest.AppleKey, v [32]byte) []byte {
		hash := sha256.Sum256(request.DeviceProof(v))
		b, err := k.Assert(at(), hash[:])
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	signature := func(k key, message []byte) []byte {
		b, err := k.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, tt := range []struct {
		name  string
		spki  []byte
		proof []byte
		ok    bool
	}{
		{"android", android.PublicKey(), signature(android, request.DeviceProof(value)), true},
		{"android, another value", android.PublicKey(), signature(android, request.DeviceProof(wrong)), false},
		{"android, no device proof", android.PublicKey(), signature(android, value[:]), false},
		{"android, cut", android.PublicKey(), signature(android, request.DeviceProof(value))[:63], false},
		{"android, none", android.PublicKey(), nil, false},
		{"apple", apple.PublicKey(), assertion(apple, value), true},
		{"apple, asked again", apple.PublicKey(), assertion(apple, value), true},
		{"apple, another value", apple.PublicKey(), assertion(apple, wrong), false},
		{"apple, another key", apple.PublicKey(), assertion(other, value), false},
		{"no key", []byte("key"), assertion(other, value), false},
		{"no bytes", nil, assertion(other, value), false},
	} {
		err := handover.VerifyProof(tt.spki, value, tt.proof)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, handover.ErrForged) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestApplePhones: a phone of Apple's as N, its evidence judged by C.
func TestApplePhones(t *testing.T) {
	r := newRig(t)
	ca, err := attesttest.TestAppleCA(at())
	if err != nil {
		t.Fatal(err)
	}
	k := ca.Phone().GenerateKey()
	hash := sha256.Sum256(r.receiver.Challenge[:])
	object, err := k.Attest(at(), hash[:])
	if err != nil {
		t.Fatal(err)
	}
	r.receiver.Device = k.PublicKey()
	r.receiver.Prove = func(v [32]byte) ([]byte, error) {
		hash := sha256.Sum256(request.DeviceProof(v))
		return k.Assert(at(), hash[:])
	}
	r.receiver.Evidence = handover.Evidence{Platform: handover.Apple, Object: object, KeyID: encode(k.ID())}
	p := r.meet(t).walk(handover.StepAck)
	if got := p.c.Peer().Verdict.Claims; got == nil || got.Apple == nil {
		t.Errorf("claims %+v", got)
	}
	for name, e := range map[string]handover.Evidence{
		"another key id": {Platform: handover.Apple, Object: object, KeyID: encode(hash[:])},
		"android's":      {Platform: handover.Android, Object: object},
		"no base64url":   {Platform: handover.Apple, Object: object, KeyID: "!"},
	} {
		o := r.receiver
		o.Evidence = e
		n, err := handover.NewReceiver(&o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := handover.NewSender(n.Code(), n.Offer(), &r.sender); !errors.Is(err, handover.ErrUntrusted) && !errors.Is(err, handover.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
