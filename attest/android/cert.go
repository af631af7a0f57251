package android

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/staunchid/staunch/internal/der"
)

// Certificate is an X.509 certificate as far as attestation needs it. Slices
// point into Raw; do not write to them.
type Certificate struct {
	Raw       []byte
	Issuer    []byte // Name, DER
	Subject   []byte // Name, DER
	NotBefore time.Time
	NotAfter  time.Time
	SPKI      []byte // SubjectPublicKeyInfo, DER

	tbs    []byte // TBSCertificate, DER: the bytes that are signed
	serial []byte // contents octets

	spkiSHA256      [sha256.Size]byte
	subjectUnsorted bool // the attributes of an RDN are out of order
	algorithm       algorithm
	signature       []byte

	hasBasicConstraints bool
	isCA                bool
	pathLen             int // -1: none
	hasKeyUsage         bool
	keyCertSign         bool
	unknownCritical     string // dotted OID of the first critical extension that nobody here knows
	keyDescription      []byte // extension value, or nil
	provisioningInfo    []byte // extension value, or nil

	encodings []string // tolerated departures from DER and RFC 5280
}

// Serial is the serial number in canonical hex, as the status list writes it.
func (c *Certificate) Serial() string { return der.Serial(c.serial) }

// SPKISHA256 is the SHA-256 of the SubjectPublicKeyInfo: the identity of a key.
func (c *Certificate) SPKISHA256() [sha256.Size]byte { return c.spkiSHA256 }

// KeyAlgorithm names the certified key: "EC-P256", "RSA-2048", "ML-DSA-65" and
// so on, or the dotted OID of an algorithm that has no name here.
func (c *Certificate) KeyAlgorithm() string { return KeyAlgorithm(c.SPKI) }

// tolerate notes an encoding that good phones write and DER forbids.
func (c *Certificate) tolerate(what string) { c.encodings = append(c.encodings, what) }

// parseCertificate reads a certificate, RFC 5280, Section 4.1. Extensions that
// are not judged here are never parsed, whatever is in them.
func parseCertificate(raw []byte) (*Certificate, error) {
	c := &Certificate{}
	return c, c.parse(raw, nil)
}

// parse reads raw. above is the certificate above it in a chain, or nil: what
// was read there is not read again.
func (c *Certificate) parse(raw []byte, above *Certificate) error {
	outer, err := der.Open(raw, der.Sequence)
	if err != nil {
		return err
	}
	tbs, err := outer.Expect(der.Sequence)
	if err != nil {
		return err
	}
	c.Raw, c.tbs, c.pathLen = raw, tbs.Full, -1
	algorithm, err := outer.Expect(der.Sequence)
	if err != nil {
		return err
	}
	if c.algorithm, err = readAlgorithm(algorithm); err != nil {
		return err
	}
	signature, err := outer.Expect(der.BitString)
	if err != nil {
		return err
	}
	if c.signature, err = signature.Bits(); err != nil {
		return err
	}
	if err := outer.Done(); err != nil {
		return err
	}
	if err := c.readTBS(tbs, algorithm, above); err != nil {
		return err
	}
	if c.algorithm.odd() {
		c.tolerate("signature algorithm with unusual parameters")
	}
	return nil
}

// readTBS reads TBSCertificate, RFC 5280, Section 4.1.2.
func (c *Certificate) readTBS(tbs, outerAlgorithm der.Element, above *Certificate) error {
	r, err := tbs.Open()
	if err != nil {
		return err
	}
	if err := c.readVersion(&r); err != nil {
		return err
	}
	serial, err := r.Expect(der.Integer)
	if err != nil {
		return err
	}
	if err := c.readSerial(serial); err != nil {
		return err
	}
	inner, err := r.Expect(der.Sequence)
	if err != nil {
		return err
	}
	if err := c.compareAlgorithms(inner, outerAlgorithm); err != nil {
		return err
	}
	if err := c.readIssuer(&r, above); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if err := c.readValidity(&r); err != nil {
		return fmt.Errorf("validity: %w", err)
	}
	if c.Subject, c.subjectUnsorted, err = readName(&r); err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	if c.subjectUnsorted {
		c.tolerate(unsortedName)
	}
	spki, err := r.Expect(der.Sequence)
	if err != nil {
		return fmt.Errorf("subjectPublicKeyInfo: %w", err)
	}
	c.SPKI, c.spkiSHA256 = spki.Full, sha256.Sum256(spki.Full)
	for _, uniqueID := range []uint32{1, 2} { // issuerUniqueID, subjectUniqueID: read over
		if _, _, err := r.OptionalContext(uniqueID); err != nil {
			return err
		}
	}
	extensions, ok, err := r.OptionalContext(3)
	if err != nil {
		return err
	}
	if ok {
		if err := c.readExtensions(extensions); err != nil {
			return fmt.Errorf("extensions: %w", err)
		}
	}
	return r.Done()
}

func (c *Certificate) readVersion(r *der.Reader) error {
	explicit, ok, err := r.OptionalContext(0)
	if err != nil || !ok {
		return err
	}
	inner, err := explicit.Only()
	if err != nil {
		return err
	}
	version, err := inner.Uint64()
	if err != nil || version > 2 {
		return fmt.Errorf("%w: version", der.ErrSyntax)
	}
	if version == 0 {
		c.tolerate("version 1 written out")
	}
	return nil
}

// readSerial takes the serial as unsigned octets, whatever its sign.
func (c *Certificate) readSerial(e der.Element) error {
	b := e.Body
	if len(b) == 0 {
		return fmt.Errorf("%w: empty serial number", der.ErrSyntax)
	}
	if b[0]&0x80 != 0 || len(b) > 1 && b[0] == 0 && b[1]&0x80 == 0 {
		c.tolerate("serial number negative or not in its shortest form")
	}
	c.serial = b
	return nil
}

// compareAlgorithms holds the algorithm inside the signed part against the one
// beside the signature, RFC 5280, Section 4.1.1.2.
func (c *Certificate) compareAlgorithms(inner, outer der.Element) error {
	if string(inner.Full) == string(outer.Full) {
		return nil
	}
	a, err := readAlgorithm(inner)
	if err != nil {
		return err
	}
	if a.oid != c.algorithm.oid {
		return fmt.Errorf("%w: two signature algorithms", der.ErrSyntax)
	}
	c.tolerate("signature algorithms equal by OID only")
	return nil
}

const unsortedName = "unsorted SET OF in a name"

// readIssuer reads the Issuer, which most often is the Subject above.
func (c *Certificate) readIssuer(r *der.Reader, above *Certificate) (err error) {
	var unsorted bool
	if rest := r.Rest(); above != nil && bytes.HasPrefix(rest, above.Subject) {
		var name der.Element
		name, err = r.Expect(der.Sequence)
		c.Issuer, unsorted = name.Full, above.subjectUnsorted
	} else {
		c.Issuer, unsorted, err = readName(r)
	}
	if unsorted {
		c.tolerate(unsortedName)
	}
	return err
}

// readName reads a Name and tells whether the attributes of an RDN are out of
// order.
func readName(r *der.Reader) (raw []byte, unsorted bool, err error) {
	name, err := r.Expect(der.Sequence)
	if err != nil {
		return nil, false, err
	}
	sorted, err := der.WalkName(name.Full, nil)
	return name.Full, !sorted, err
}

func (c *Certificate) readValidity(r *der.Reader) error {
	validity, err := r.Expect(der.Sequence)
	if err != nil {
		return err
	}
	dates, err := validity.Open()
	if err != nil {
		return err
	}
	for _, t := range []*time.Time{&c.NotBefore, &c.NotAfter} {
		e, err := dates.Next()
		if err != nil {
			return err
		}
		var exact bool
		if *t, exact, err = e.Time(); err != nil {
			return err
		}
		if !exact {
			c.tolerate("date in an unusual form")
		}
	}
	if c.NotAfter.Before(c.NotBefore) {
		c.tolerate("notAfter before notBefore")
	}
	return dates.Done()
}
