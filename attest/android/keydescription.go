package android

import (
	"errors"
	"fmt"

	"github.com/staunchid/staunch/internal/der"
)

// SecurityLevel is where a key store runs: the enumeration SecurityLevel of
// the attestation schema.
type SecurityLevel uint8

// The security levels, weakest first.
const (
	Software SecurityLevel = iota
	TrustedEnvironment
	StrongBox
)

func (l SecurityLevel) String() string {
	switch l {
	case TrustedEnvironment:
		return "TrustedEnvironment"
	case StrongBox:
		return "StrongBox"
	}
	return "Software"
}

// MarshalText writes the schema's name.
func (l SecurityLevel) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// KeyDescription is the extension 1.3.6.1.4.1.11129.2.1.17 of the leaf: what
// the key store says of the key. Older texts say keymaster for KeyMint and
// teeEnforced for hardwareEnforced.
type KeyDescription struct {
	AttestationVersion       uint64 // 1 to 4 (Keymaster), 100 to 500 (KeyMint); others parse as well
	AttestationSecurityLevel SecurityLevel
	KeyMintVersion           uint64
	KeyMintSecurityLevel     SecurityLevel
	AttestationChallenge     []byte
	UniqueID                 []byte // identifies the phone for a while; never store it
	SoftwareEnforced         AuthorizationList
	HardwareEnforced         AuthorizationList

	Encodings []string // departures from DER that good phones write
}

// Level is the lower of the two levels: a key is no safer than the weaker of
// the key store and the attester.
func (d *KeyDescription) Level() SecurityLevel {
	return min(d.AttestationSecurityLevel, d.KeyMintSecurityLevel)
}

// KnownVersion reports whether the attestation version is one that the schema
// had when this was written.
func (d *KeyDescription) KnownVersion() bool {
	switch d.AttestationVersion {
	case 1, 2, 3, 4, 100, 200, 300, 400, 500:
		return true
	}
	return false
}

// errDescription: the description as a whole cannot be read.
var errDescription = errors.New("android: malformed KeyDescription")

// ParseKeyDescription reads the value of the KeyDescription extension. A tag
// that is unknown, or known and of a wrong type, does not fail: it is kept in
// the list's Unknown. A tag twice in a list fails, and so does a wrong shape.
func ParseKeyDescription(value []byte) (*KeyDescription, error) {
	r, err := der.Open(value, der.Sequence)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDescription, err)
	}
	d := &KeyDescription{}
	name, err := d.read(&r)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errDescription, name, err)
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("%w: %w", errDescription, err)
	}
	return d, nil
}

// read reads the fields in their order; with an error, name is the field's.
func (d *KeyDescription) read(r *der.Reader) (name string, err error) {
	if err := readNumber(r, der.Integer, &d.AttestationVersion); err != nil {
		return "attestationVersion", err
	}
	if err := readLevel(r, &d.AttestationSecurityLevel); err != nil {
		return "attestationSecurityLevel", err
	}
	if err := readNumber(r, der.Integer, &d.KeyMintVersion); err != nil {
		return "keyMintVersion", err
	}
	if err := readLevel(r, &d.KeyMintSecurityLevel); err != nil {
		return "keyMintSecurityLevel", err
	}
	if err := readOctets(r, &d.AttestationChallenge); err != nil {
		return "attestationChallenge", err
	}
	if err := readOctets(r, &d.UniqueID); err != nil {
		return "uniqueId", err
	}
	if err := d.readList(r, &d.SoftwareEnforced); err != nil {
		return "softwareEnforced", err
	}
	return "hardwareEnforced", d.readList(r, &d.HardwareEnforced)
}

// tolerate notes an encoding that good phones write and DER forbids.
func (d *KeyDescription) tolerate(what string) {
	for _, e := range d.Encodings {
		if e == what {
			return
		}
	}
	d.Encodings = append(d.Encodings, what)
}

func readNumber(r *der.Reader, tag uint32, into *uint64) error {
	e, err := r.Expect(tag)
	if err != nil {
		return err
	}
	*into, err = e.Uint64()
	return err
}

func readLevel(r *der.Reader, into *SecurityLevel) error {
	var n uint64
	if err := readNumber(r, der.Enumerated, &n); err != nil {
		return err
	}
	if n > uint64(StrongBox) {
		return fmt.Errorf("unknown security level %d", n)
	}
	*into = SecurityLevel(n)
	return nil
}

func readOctets(r *der.Reader, into *[]byte) error {
	e, err := r.Expect(der.OctetString)
	*into = e.Body
	return err
}
