package attesttest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/attest"
)

// A software phone in a browser has its key there, where nobody can take it out.
// AttestKey and MakeFor attest such a key by its public half alone: what they
// return cannot sign, and the browser can.

// errGiven: a public key that somebody else has is not one that phones make.
var errGiven = errors.New("attesttest: the key to attest is no P-256 key in DER SubjectPublicKeyInfo")

// AttestKey is GenerateKey for a key that is somewhere else: spki is its public
// half, ECDSA on P-256, as DER SubjectPublicKeyInfo. Who asks is not asked to prove
// that he has the private half: that is what a server's challenge is for, with the
// first signature.
func (p *AndroidPhone) AttestKey(now time.Time, spki, challenge []byte, opts ...AndroidOption) (*AndroidKey, error) {
	if err := checkGiven(spki); err != nil {
		return nil, err
	}
	if p.Algorithm != "EC-P256" {
		return nil, fmt.Errorf("attesttest: the phone makes %s keys, and the key to attest is EC-P256", p.Algorithm)
	}
	_, key, err := p.generate(now, challenge, nil, opts, spki)
	return key, err
}

func checkGiven(spki []byte) error {
	public, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return fmt.Errorf("%w: %w", errGiven, err)
	}
	key, ok := public.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return errGiven
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil || !bytes.Equal(der, spki) { // the id of the key is the hash of these bytes
		return errGiven
	}
	return nil
}

// given is the key and the challenge that a lab makes evidence for; nil: a key of
// its own, and the catalogue's challenge.
type given struct{ spki, challenge []byte }

// MakeFor is Make for a key that is somewhere else and a challenge of a server:
// what that phone would send to register. It is for rows of format android-chain.
// A row in which the attested key signs something has no such evidence, and neither
// has one about another kind of key.
func (d Deviation) MakeFor(now time.Time, spki, challenge []byte) (Sample, error) {
	if d.make == nil || d.Format != attest.FormatAndroidChain {
		return Sample{}, fmt.Errorf("attesttest: %s is no android-chain from Deviations", d.Name)
	}
	if err := checkGiven(spki); err != nil {
		return Sample{}, err
	}
	android, apple, err := d.lab.cas(now)
	if err != nil {
		return Sample{}, err
	}
	s, err := d.make(&lab{now: now, android: android, apple: apple, given: &given{spki, challenge}}, now)
	if err != nil {
		return Sample{}, fmt.Errorf("%s: %w", d.Name, err)
	}
	return s, nil
}

// generate makes the key that the lab is to have evidence for.
func (l *lab) generate(p *AndroidPhone, now time.Time, opts []AndroidOption) (*AndroidKey, error) {
	if l.given == nil {
		return p.GenerateKey(now, challenge(), opts...)
	}
	return p.AttestKey(now, l.given.spki, l.given.challenge, opts...)
}

// challenge is the one that the lab's evidence is made for.
func (l *lab) challenge() []byte {
	if l.given == nil {
		return challenge()
	}
	return l.given.challenge
}
