package android

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/staunchid/staunch/internal/der"
)

// ParseChain separates a chain as it is stored and sent: PEM, of which only
// CERTIFICATE blocks are allowed (text between them is skipped), or
// certificates in DER one after the other. Of a longer chain than Verify looks
// at, it returns one certificate too many and no more.
func ParseChain(input []byte) ([][]byte, error) {
	if text := bytes.TrimSpace(input); bytes.HasPrefix(text, []byte(pemBegin)) {
		return parsePEM(text) // pem.Decode wants a block to begin its line
	}
	var chain [][]byte
	for r := der.NewReader(input); !r.Empty(); {
		c, err := r.Expect(der.Sequence)
		if err != nil {
			return nil, fmt.Errorf("%w: after %d certificates: %w", ErrMalformed, len(chain), err)
		}
		if len(chain) <= maxChain {
			chain = append(chain, c.Full)
		}
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: no certificate", ErrMalformed)
	}
	return chain, nil
}

const pemBegin = "-----BEGIN"

func parsePEM(input []byte) ([][]byte, error) {
	var chain [][]byte
	for len(chain) <= maxChain {
		block, rest := pem.Decode(input)
		// pem.Decode skips what it cannot read; a chain with a hole is no chain.
		read := input[:len(input)-len(rest)]
		if n := bytes.Count(read, []byte(pemBegin)); block == nil && n > 0 || n > 1 {
			return nil, fmt.Errorf("%w: PEM block %d is damaged or cut short", ErrMalformed, len(chain))
		}
		if block == nil {
			if bytes.Contains(rest, []byte(pemBegin)) {
				return nil, fmt.Errorf("%w: PEM block %d is damaged or cut short", ErrMalformed, len(chain))
			}
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%w: PEM block %d is a %q, not a CERTIFICATE", ErrMalformed, len(chain), block.Type)
		}
		chain = append(chain, block.Bytes)
		input = rest
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: no certificate", ErrMalformed)
	}
	return chain, nil
}

// checkRoot finds the trusted key. Trust is in a key, not in a certificate:
// nothing of the anchor counts but its Subject and serial. Google has reissued
// one RSA key in four certificates, one of which has expired.
func (v *verification) checkRoot() *Failure {
	n := len(v.a.Chain)
	last := v.a.Chain[n-1]
	if anchor, ok := v.opts.Roots.byKey(last.spkiSHA256); ok {
		v.a.Root = n - 1
		anchor.subject = last.Subject
		v.anchor = anchor
		return nil
	}
	if isSoftwareRoot(last.spkiSHA256) {
		v.a.Root, v.a.Provisioning = n-1, SoftwareOnly
		return fail(CodeSoftwareRoot, n-1, "under the AOSP software root, whose private key is public: an emulator or a key store in software")
	}
	if string(last.Issuer) == string(last.Subject) {
		return fail(CodeRootUnknown, n-1, "root %q is not a trusted key", name(last.Subject))
	}
	for _, anchor := range v.opts.Roots.anchors { // the root was left out
		if string(anchor.subject) != string(last.Issuer) {
			continue
		}
		if verifySignature(anchor.spki, last.algorithm, last.tbs, last.signature) == nil {
			v.a.Root, v.anchor = n, anchor
			v.deviate(CheckRootMissing, n, "the root was left out; the last certificate is signed by it")
			return nil
		}
	}
	return fail(CodeRootUnknown, n-1, "the last certificate, %q, leads to no trusted key", name(last.Subject))
}

// checkKind tells the provisioning method by the Subject under the root, and
// wants the length that this method gives. A longer chain is what an attested
// key makes that signs certificates itself.
func (v *verification) checkKind() *Failure {
	kind, want := kindOf(v.a.Chain[v.a.Root-1].Subject)
	v.a.Provisioning = kind
	if v.a.Root == want {
		return nil
	}
	if i := v.extended(); i > 0 {
		return fail(CodeChainExtended, i, "a KeyDescription in an issuer: the chain was extended below an attested key")
	}
	return fail(CodeChainLength, -1, "%d certificates under the root; provisioning %q has %d", v.a.Root, kind, want)
}

// kindOf tells the provisioning method and the position of the root in it.
func kindOf(subject []byte) (kind Provisioning, root int) {
	droid, google, serial := false, false, false
	_, err := der.WalkName(subject, func(_ int, _, typ, value der.Element) bool {
		switch string(typ.Body) {
		case der.AttributeCN:
			droid = droid || string(value.Body) == "Droid CA2"
		case der.AttributeO:
			google = google || string(value.Body) == "Google LLC"
		case der.AttributeSerialNumber:
			serial = true
		}
		return true
	})
	switch {
	case err != nil:
		return Unprovisioned, 3
	case droid && google:
		return RKP, 4
	case serial:
		return Factory, 3
	}
	return Unprovisioned, 3
}

// shortened reports whether issuer is subject with one or more RDNs left out:
// a non-empty, ordered, proper subsequence.
func shortened(issuer, subject []byte) bool {
	if len(issuer) >= len(subject) { // the subject is an issuer's, and bounds what is taken apart here
		return false
	}
	short, err := rdns(issuer)
	if err != nil || len(short) == 0 {
		return false
	}
	long, err := rdns(subject)
	if err != nil || len(short) >= len(long) {
		return false
	}
	for _, rdn := range long {
		if len(short) > 0 && string(rdn) == string(short[0]) {
			short = short[1:]
		}
	}
	return len(short) == 0
}

// rdns returns the RDNs of a Name, each as DER.
func rdns(name []byte) (list [][]byte, err error) {
	last := -1
	_, err = der.WalkName(name, func(i int, set, _, _ der.Element) bool {
		if i != last {
			list = append(list, set.Full)
			last = i
		}
		return true
	})
	return list, err
}

// ChainLevel is the security level that the chain's names state: for remote
// provisioning the organisation of the batch certificate, for factory chains
// "strongbox" in one of the two names under the root. stated is false when
// they state none.
func (a *Attestation) ChainLevel() (level SecurityLevel, stated bool) {
	switch a.Provisioning {
	case RKP:
		return organisationLevel(a.Batch().Subject), true
	case Factory:
		for _, c := range a.Chain[1:3] {
			if strings.Contains(strings.ToLower(name(c.Subject)), "strongbox") {
				return StrongBox, true
			}
		}
	}
	return Software, false
}

func organisationLevel(subject []byte) SecurityLevel {
	level := Software
	// The error is that of parse, which has read this name before.
	_, _ = der.WalkName(subject, func(_ int, _, typ, value der.Element) bool {
		if string(typ.Body) == der.AttributeO {
			switch string(value.Body) {
			case "TEE":
				level = TrustedEnvironment
			case "StrongBox":
				level = StrongBox
			}
			return false
		}
		return true
	})
	return level
}

// name writes a Name for a Failure's detail.
func name(raw []byte) string { return der.FormatName(raw) }
