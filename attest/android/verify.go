package android

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Bounds on a chain. With more certificates than that nothing is parsed.
const minChain, maxChain = 3, 8

// Verify checks a chain of certificates in DER, leaf first, at now. The error
// is ErrMalformed when something cannot be read, a *Failure when a check
// failed. The order of the checks is fixed; the first that fails ends it.
func Verify(chain [][]byte, opts *Options, now time.Time) (*Attestation, error) {
	if opts.Status == nil && !opts.DangerousNoStatus {
		return nil, errors.New("android: Options.Status is nil: get Google's status list, or set DangerousNoStatus")
	}
	if len(opts.Challenge) == 0 && !opts.DangerousAnyChallenge { // or evidence that is made for no challenge would pass
		return nil, errors.New("android: Options.Challenge is empty: give the one that was sent, or set DangerousAnyChallenge")
	}
	v := &verification{opts: opts, now: now, a: &Attestation{Provisioning: Unprovisioned, Root: -1}}
	failure, err := v.run(chain)
	if err != nil {
		return nil, err
	}
	if failure != nil {
		failure.Unverified = v.unverified()
		return nil, failure
	}
	v.remember()
	return v.a, nil
}

// run is the list of checks, in order.
func (v *verification) run(chain [][]byte) (*Failure, error) {
	if n := len(chain); n > maxChain {
		return fail(CodeChainLength, -1, "%d certificates or more; a chain has %d to %d", n, minChain, maxChain), nil
	}
	if err := v.parse(chain); err != nil { // every certificate parses
		return nil, err
	}
	if n := len(chain); n < minChain {
		return fail(CodeChainLength, -1, "%d certificates; a chain has %d to %d", n, minChain, maxChain), nil
	}
	for _, check := range [...]func() *Failure{
		v.checkRoot,         // trust is in a key
		v.checkKind,         // and in a chain of the length that its kind has
		v.checkDescriptions, // with a KeyDescription in the leaf and nowhere else
		v.checkSignatures,   // names and signatures, from the root down
		v.checkDates,        // of the issuers
		v.checkRevocation,   // of every certificate but the leaf
		v.checkDescription,  // which parses and holds our challenge
	} {
		if failure := check(); failure != nil {
			return failure, nil
		}
	}
	v.findDeviations() // what good phones do, for the caller to judge
	return nil, nil
}

// verification is one chain on its way through the checks.
type verification struct {
	opts   *Options
	now    time.Time
	a      *Attestation
	anchor anchor                      // the trusted key
	cert   [maxChain][sha256.Size]byte // SHA-256 of the DER, and
	facts  [maxChain]*fact             // what the cache knows of it; with a cache only
}

// parse reads all certificates.
func (v *verification) parse(chain [][]byte) error {
	certs := make([]Certificate, len(chain))
	v.a.Chain = make([]*Certificate, len(chain))
	var above *Certificate
	for i, raw := range slices.Backward(chain) {
		if i > 0 && v.opts.Cache != nil { // a leaf is never in the cache
			v.cert[i] = sha256.Sum256(raw)
			v.facts[i] = v.opts.Cache.lookup(v.cert[i])
		}
		if f := v.facts[i]; f != nil && f.parsed != nil {
			v.a.Chain[i] = f.parsed
		} else if err := certs[i].parse(raw, above); err != nil {
			return fmt.Errorf("%w: certificate %d: %w", ErrMalformed, i, err)
		} else {
			v.a.Chain[i] = &certs[i]
		}
		above = v.a.Chain[i]
	}
	return nil
}

// checkDescriptions wants the KeyDescription in the leaf and in no other
// certificate, be it critical or not: an attested key can sign certificates of
// its own, and would otherwise attest whatever it likes.
func (v *verification) checkDescriptions() *Failure {
	if v.a.Leaf().keyDescription == nil {
		return fail(CodeKDMissing, 0, "the leaf has no KeyDescription extension")
	}
	if i := v.extended(); i > 0 {
		return fail(CodeChainExtended, i, "a KeyDescription in an issuer: the chain was extended below an attested key")
	}
	return nil
}

func (v *verification) extended() int { return v.a.Extended() }

// Extended returns the position of the first certificate besides the leaf that
// holds a KeyDescription, or -1. A chain that verified has none.
func (a *Attestation) Extended() int {
	if len(a.Chain) == 0 {
		return -1
	}
	for i, c := range a.Chain[1:] {
		if c.keyDescription != nil {
			return i + 1
		}
	}
	return -1
}

// checkSignatures walks from the root down: the Issuer is the Subject above
// (RFC 5280, Section 6.1.3 a 4, by bytes), and the signature over the original
// TBSCertificate verifies under the key above.
func (v *verification) checkSignatures() *Failure {
	for i := v.a.Root - 1; i >= 0; i-- {
		c := v.a.Chain[i]
		subject, spki, spkiSHA256 := v.above(i)
		if string(c.Issuer) != string(subject) {
			if i > 0 || !shortened(c.Issuer, subject) {
				return fail(CodeIssuerName, i, "issuer %q is not the subject above, %q", name(c.Issuer), name(subject))
			}
			v.deviate(CheckIssuerName, 0, "issuer leaves out parts of the subject above")
		}
		if v.known(i, spkiSHA256) {
			continue
		}
		if err := verifySignature(spki, c.algorithm, c.tbs, c.signature); errors.Is(err, errAlgorithm) {
			return fail(CodeSignatureAlgorithm, i, "%v", err)
		} else if err != nil {
			return fail(CodeSignature, i, "the signature does not verify under the key above")
		}
	}
	return nil
}

// above returns name and key of the certificate that signed position i.
func (v *verification) above(i int) (subject, spki []byte, spkiSHA256 [sha256.Size]byte) {
	if i+1 == v.a.Root {
		return v.anchor.subject, v.anchor.spki, v.anchor.sha256
	}
	c := v.a.Chain[i+1]
	return c.Subject, c.SPKI, c.spkiSHA256
}

// checkDates judges the issuers' validity at now. The leaf's dates are written
// by the phone, the anchor's do not count, and the certificates of a factory
// chain outlive their dates: phones cannot get new ones.
func (v *verification) checkDates() *Failure {
	for i := 1; i < v.a.Root; i++ {
		c := v.a.Chain[i]
		if v.now.Before(c.NotBefore) {
			return fail(CodeCertNotYetValid, i, "valid from %s, checked at %s", date(c.NotBefore), date(v.now))
		}
		if !v.now.After(c.NotAfter) {
			continue
		}
		if v.a.Provisioning != Factory {
			return fail(CodeCertExpired, i, "expired on %s, checked at %s", date(c.NotAfter), date(v.now))
		}
		v.deviate(CheckCertExpired, i, "expired on "+date(c.NotAfter))
	}
	return nil
}

// checkRevocation looks up every serial but the leaf's: every leaf has serial 1.
func (v *verification) checkRevocation() *Failure {
	if v.opts.Status == nil {
		return nil
	}
	for i, c := range v.a.Chain[1:] {
		switch status := v.opts.Status.lookup(c.serial); status {
		case "":
		case StatusRevoked:
			return fail(CodeRevoked, i+1, "serial %s is on the status list as %s", c.Serial(), status)
		default:
			v.a.Listed = append(v.a.Listed, Listed{i + 1, status})
		}
	}
	return nil
}

// checkDescription parses the KeyDescription and compares its challenge.
func (v *verification) checkDescription() *Failure {
	var err error
	if v.a.Description, err = ParseKeyDescription(v.a.Leaf().keyDescription); err != nil {
		return fail(CodeKDMalformed, 0, "%v", err)
	}
	challenge := v.a.Description.AttestationChallenge
	if !v.opts.DangerousAnyChallenge && subtle.ConstantTimeCompare(challenge, v.opts.Challenge) != 1 {
		return fail(CodeChallengeMismatch, -1, "attestationChallenge is %d bytes that are not the expected challenge", len(challenge))
	}
	v.readProvisioningInfo()
	return nil
}

// unverified is what a Failure carries.
func (v *verification) unverified() *Attestation {
	if len(v.a.Chain) == 0 {
		return v.a
	}
	v.readProvisioningInfo()
	if v.a.Description == nil && v.a.Leaf().keyDescription != nil {
		if d, err := ParseKeyDescription(v.a.Leaf().keyDescription); err == nil {
			v.a.Description = d
		}
	}
	return v.a
}

// known tells whether the cache knows that position i verifies under the key
// above it.
func (v *verification) known(i int, spki [sha256.Size]byte) bool {
	return v.cacheable(i) && v.facts[i] != nil && v.facts[i].key == spki
}

// cacheable: never a leaf, and a batch certificate only if many phones share
// it. The phones of remote provisioning have one each.
func (v *verification) cacheable(i int) bool {
	return i > 1 || i == 1 && v.a.Provisioning == Factory
}

// remember fills the cache, once the whole chain has verified: whoever cannot
// get a chain accepted cannot fill it.
func (v *verification) remember() {
	if v.opts.Cache == nil {
		return
	}
	for i := 1; i < v.a.Root; i++ {
		_, _, spki := v.above(i)
		if !v.cacheable(i) || v.known(i, spki) {
			continue
		}
		own := &Certificate{} // not a part of what the caller has sent
		if own.parse(bytes.Clone(v.a.Chain[i].Raw), nil) == nil {
			v.opts.Cache.remember(&fact{v.cert[i], spki, own})
		}
	}
}
