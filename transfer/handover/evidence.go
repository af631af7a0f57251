package handover

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/internal/cbor"
)

// The platforms of evidence.
const (
	Android = "android"
	Apple   = "ios"
)

// Evidence is what a phone's hardware says of its key, as an offer carries it: to
// the server, which registers it, and to the other phone, which judges it itself.
type Evidence struct {
	Platform   string   // Android or Apple
	Chain      [][]byte // Android: certificates in DER, leaf first. This or Object
	Object     []byte   // a WebAuthn-shaped object: Apple App Attest, or Android's android-key
	KeyID      string   // Apple: what generateKey gave, in base64url
	OSVersion  string   // what the app says of its phone; believed nowhere
	AppVersion string
	Model      string
}

// Code walks the map.
func (e *Evidence) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		cbor.String(c, &e.Platform, 3, 7)
		if e.Platform != Android && e.Platform != Apple {
			c.Failf("no platform %q", e.Platform)
		}
		if f.Optional(2, len(e.Chain) > 0) {
			cbor.Slice(c, &e.Chain, 1, 10, func(der *[]byte) { cbor.Octets(c, der, 1, 16<<10) })
		}
		if f.Optional(3, len(e.Object) > 0) {
			cbor.Octets(c, &e.Object, 1, maxEvidence)
		}
		if f.Optional(4, e.KeyID != "") {
			cbor.String(c, &e.KeyID, 1, 64)
		}
		for i, s := range []*string{&e.OSVersion, &e.AppVersion, &e.Model} {
			if f.Optional(uint64(i+5), *s != "") {
				cbor.String(c, s, 1, 100)
			}
		}
	})
	if c.Err() == nil && (len(e.Chain) > 0) == (len(e.Object) > 0) {
		c.Failf("either a chain or an object")
	}
}

// sorted is the evidence as package attest takes it.
func (e *Evidence) sorted() (ev attest.Evidence, want attest.Expect, err error) {
	switch {
	case e.Platform == Apple && len(e.Object) > 0:
		ev = attest.Evidence{Format: attest.FormatAppleAppAttest, Object: e.Object}
		want.KeyID, err = base64.RawURLEncoding.Strict().DecodeString(e.KeyID)
	case e.Platform == Android && len(e.Chain) > 0:
		ev = attest.Evidence{Format: attest.FormatAndroidChain, Chain: e.Chain}
	case e.Platform == Android:
		ev = attest.Evidence{Format: attest.FormatAndroidKey, Object: e.Object}
	default:
		err = fmt.Errorf("%s with a chain", e.Platform)
	}
	if err != nil {
		return ev, want, fmt.Errorf("%w: evidence: %w", ErrMalformed, err)
	}
	return ev, want, nil
}

// Judge is how a phone judges the other's evidence. The zero Judge accepts none.
type Judge struct {
	// Policy is the app's own: its identity, and the roots it trusts.
	Policy *attest.Policy
	// App is the policy's [[app]]; empty: found by the evidence's identity.
	App string
	// Status is the revocation list. A phone seldom has one: if it is nil, that no list
	// was there is no reason to refuse, and the server's word stands, which has one.
	Status *android.StatusList
	// Now is the time; nil: time.Now. A phone's clock may be wrong: the server's, as
	// its answers tell it, is the better one.
	Now func() time.Time
}

// noStatus is what a policy finds where there is no revocation list.
const noStatus = "android.status_unavailable"

// judge verifies the evidence for the key in a SubjectPublicKeyInfo, made over a
// challenge, and appraises it. A verdict that rejects is an *UntrustedError.
func (j Judge) judge(e *Evidence, challenge, spki []byte) (v attest.Verdict, err error) {
	if j.Policy == nil {
		return v, fmt.Errorf("%w: no policy to judge its evidence by: set Judge.Policy", ErrUntrusted)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		return v, fmt.Errorf("handover: %w", err)
	}
	ev, want, err := e.sorted()
	if err != nil {
		return v, err
	}
	now := time.Now
	if j.Now != nil {
		now = j.Now
	}
	want.App, want.Challenge, want.Status = j.App, challenge, j.Status
	if v, err = verifier.Verify(ev, want, j.Policy, now()); err != nil {
		return v, fmt.Errorf("%w: its evidence: %w", ErrUntrusted, err)
	}
	for _, f := range v.Findings {
		if f.Effect == attest.Reject && f.Code != noStatus {
			return v, &UntrustedError{v}
		}
	}
	// The key that signs the offer is the attested one, and not another beside it.
	if v.Claims == nil || !bytes.Equal(v.Claims.KeySPKI, spki) {
		return v, fmt.Errorf("%w: its evidence is for another key", ErrUntrusted)
	}
	return v, nil
}
