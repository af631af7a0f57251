package appattest

import (
	"bytes"
	"crypto/x509"
	"fmt"

	"github.com/staunchid/staunch/internal/cbor"
)

// format is the attestation statement format identifier of App Attest.
const format = "apple-appattest"

// maxObject bounds attestation objects and assertions. Real objects have less
// than 10 KiB.
const maxObject = 1 << 20

// maxChain is the longest chain that is parsed: leaf, CA 1, root.
const maxChain = 3

// object is an attestation object taken apart, and nothing in it judged.
type object struct {
	chain           []*x509.Certificate // nil if there were none or more than maxChain
	authData        []byte
	parsed          *authData // nil if not even the fixed part could be read
	authDataFailure *Failure  // what is wrong with authData; nil: nothing
	receipt         []byte
}

// parseObject reads a WebAuthn attestation object (WebAuthn L3 §6.5.4): a map
// of fmt, attStmt {x5c, receipt} and authData. Members that are not known are
// left alone.
func parseObject(b []byte) (*object, error) {
	if len(b) > maxObject {
		return nil, fmt.Errorf("%w: attestation object of %d bytes", ErrMalformed, len(b))
	}
	outer, err := cbor.TextMap(b)
	if err != nil {
		return nil, fmt.Errorf("%w: attestation object: %w", ErrMalformed, err)
	}
	name, ok := cbor.Text(outer["fmt"])
	if !ok {
		return nil, fmt.Errorf("%w: attestation object: fmt is no text", ErrMalformed)
	}
	if *name != format {
		return nil, fmt.Errorf("%w: fmt %.32q", ErrUnsupported, *name)
	}
	o := &object{}
	if o.authData, ok = cbor.Bytes(outer["authData"]); !ok {
		return nil, fmt.Errorf("%w: attestation object: authData is no byte string", ErrMalformed)
	}
	if err := o.parseStatement(outer["attStmt"]); err != nil {
		return nil, err
	}
	o.parsed, o.authDataFailure = parseAuthData(o.authData)
	return o, nil
}

// parseStatement reads attStmt. The receipt may be missing.
func (o *object) parseStatement(b []byte) error {
	statement, err := cbor.TextMap(b)
	if err != nil {
		return fmt.Errorf("%w: attStmt: %w", ErrMalformed, err)
	}
	if item, there := statement["receipt"]; there {
		var ok bool
		if o.receipt, ok = cbor.Bytes(item); !ok {
			return fmt.Errorf("%w: attStmt: receipt is no byte string", ErrMalformed)
		}
	}
	var x5c []cbor.RawMessage
	if item := statement["x5c"]; !cbor.IsMajor(item, cbor.MajorArray) || cbor.Unmarshal(item, &x5c) != nil {
		return fmt.Errorf("%w: attStmt: x5c is no array", ErrMalformed)
	}
	for i, item := range x5c {
		raw, ok := cbor.Bytes(item)
		if !ok {
			return fmt.Errorf("%w: attStmt: x5c[%d] is no byte string", ErrMalformed, i)
		}
		if len(x5c) > maxChain {
			continue // nothing is parsed
		}
		cert, err := x509.ParseCertificate(raw)
		if err != nil {
			return fmt.Errorf("%w: certificate %d: %w", ErrMalformed, i, err)
		}
		o.chain = append(o.chain, cert)
	}
	return nil
}

// claims returns what the object says.
func (o *object) claims() *Attestation {
	a := &Attestation{Chain: o.chain, Receipt: o.receipt}
	if len(o.chain) > 0 {
		leaf := o.chain[0]
		a.KeySPKI = leaf.RawSubjectPublicKeyInfo
		if point, ok := p256Point(leaf.PublicKey); ok {
			a.KeyPoint, a.KeyID = point, keyIDOf(point)
		}
		a.OSVersion, a.OSBuild, a.Platform = osStrings(leaf)
		a.ACL, a.ACLValue = acl(leaf)
	}
	if d := o.parsed; d != nil {
		a.RPIDHash, a.Flags, a.Counter = bytes.Clone(d.rpIDHash), d.flags, d.counter
		a.AAGUID, a.CredentialID = bytes.Clone(d.aaguid), bytes.Clone(d.credentialID)
		a.Environment, a.Extensions = environment(d.aaguid), d.extensions
	}
	return a
}
