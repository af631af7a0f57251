package registry

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// Bounds of what a phone may send.
const (
	maxAttestation = 64 << 10
	maxClientData  = 8 << 10
	maxHint        = 100
)

// allowed reports ErrNotAllowed unless c may register a key for the account.
// An anonymous phone may: the challenge is the account's, which only the
// backend or a phone of that account can have asked for and handed on. What it
// may not do is to replace a key, and no phone may say which country it is in:
// it could choose a stage of the rollout.
func (in *Registration) allowed(c account.Caller, app account.AppID) error {
	switch {
	case !c.In(app):
		return ErrNotAllowed
	case c.Kind == account.Backend:
		return nil
	case in.Country != "":
		return fmt.Errorf("%w: country comes from the backend only", ErrNotAllowed)
	case c.Kind == account.Phone && c.Account == in.Account:
		return nil
	case c.Kind == account.Anonymous && in.Replaces == "":
		return nil
	}
	return ErrNotAllowed
}

// evidence checks the form of in and sorts it for the verifier.
func (in *Registration) evidence() (attest.Evidence, attest.Expect, error) {
	none := func(err error) (attest.Evidence, attest.Expect, error) {
		return attest.Evidence{}, attest.Expect{}, err
	}
	if err := in.whose(); err != nil {
		return none(err)
	}
	if len(in.Challenge) != 32 {
		return none(fmt.Errorf("%w: challenge has %d bytes, want 32", ErrMalformed, len(in.Challenge)))
	}
	if in.Replaces != "" {
		if err := checkKeyID(in.Replaces); err != nil {
			return none(fmt.Errorf("replaces: %w", err))
		}
	}
	if err := in.Hints.check(); err != nil {
		return none(err)
	}
	ev, err := in.container()
	if err != nil {
		return none(err)
	}
	want := attest.Expect{App: string(in.App), Challenge: in.Challenge}
	if len(in.ClientData) > 0 { // absent and empty are one
		want.ClientData = in.ClientData
	}
	want.UsesLeft = func(string) int { return 0 } // until somebody has counted
	switch {
	case ev.Format == attest.FormatAndroidChain && len(in.ClientData) > 0:
		return none(fmt.Errorf("%w: clientData does not go with a certificate chain", ErrMalformed))
	case ev.Format != attest.FormatAppleAppAttest && in.KeyID != "":
		return none(fmt.Errorf("%w: keyId goes with an Apple attestation only", ErrMalformed))
	case ev.Format == attest.FormatAppleAppAttest:
		if want.KeyID, err = decodeKeyID(in.KeyID); err != nil {
			return none(fmt.Errorf("keyId: %w", err))
		}
	}
	return ev, want, nil
}

// whose checks the account: there is one, unless the key is nobody's yet. Such a
// key takes the place of no other.
func (in *Registration) whose() error {
	if in.ForNobody {
		if in.Account != "" || in.Replaces != "" {
			return fmt.Errorf("%w: a key that is nobody's yet has no account and replaces nothing", ErrMalformed)
		}
		return nil
	}
	if err := in.Account.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// container finds what kind of evidence in holds.
func (in *Registration) container() (attest.Evidence, error) {
	size := len(in.AttestationObject)
	for _, c := range in.CertificateChain {
		size += len(c)
	}
	switch {
	case size > maxAttestation || len(in.ClientData) > maxClientData || len(in.CertificateChain) > 1024:
		return attest.Evidence{}, ErrTooLarge
	case len(in.AttestationObject) > 0 && len(in.CertificateChain) > 0:
		return attest.Evidence{}, fmt.Errorf("%w: send certificateChain or attestationObject, not both", ErrMalformed)
	case len(in.CertificateChain) > 0:
		return attest.Evidence{Format: attest.FormatAndroidChain, Chain: in.CertificateChain}, nil
	case size == 0:
		return attest.Evidence{}, fmt.Errorf("%w: no evidence: send certificateChain or attestationObject", ErrMalformed)
	case in.AttestationObject[0]>>5 != 5: // RFC 8949, Section 3.1: major type 5, a map
		return attest.Evidence{}, fmt.Errorf("%w: attestationObject is no CBOR map", ErrMalformed)
	}
	ev, _, err := attest.Parse(in.AttestationObject, attest.FormatAuto)
	if err != nil {
		return attest.Evidence{}, verifyError(err)
	}
	if ev.Format != attest.FormatAppleAppAttest && ev.Format != attest.FormatAndroidKey {
		return attest.Evidence{}, fmt.Errorf("%w: attestationObject is %s", ErrMalformed, ev.Format)
	}
	return ev, nil
}

// verifyError is what the registry says of evidence that cannot be read.
func verifyError(err error) error {
	if errors.Is(err, attest.ErrMalformed) || errors.Is(err, attest.ErrUnsupported) {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return fmt.Errorf("registry: verify: %w", err)
}

// check wants what fits into a line of statistics.
func (h Hints) check() error {
	for name, text := range map[string]string{"osVersion": h.OSVersion, "appVersion": h.AppVersion, "model": h.Model} {
		switch {
		case len(text) > maxHint:
			return fmt.Errorf("%w: hints.%s has %d bytes, at most %d", ErrMalformed, name, len(text), maxHint)
		case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
			return fmt.Errorf("%w: hints.%s holds what cannot be printed", ErrMalformed, name)
		}
	}
	return nil
}
