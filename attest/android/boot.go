package android

import (
	"fmt"

	"github.com/staunchid/staunch/internal/der"
)

// RootOfTrust is what the boot loader told the key store, tag 704.
type RootOfTrust struct {
	VerifiedBootKey   []byte // empty or zeros on some unlocked phones, zeros on some good ones
	DeviceLocked      bool
	VerifiedBootState VerifiedBootState
	VerifiedBootHash  []byte // nil before version 3
}

// VerifiedBootState is the outcome of Android Verified Boot.
type VerifiedBootState uint64

// The boot states.
const (
	Verified   VerifiedBootState = iota // the manufacturer's key
	SelfSigned                          // a key that the owner put in
	Unverified                          // an unlocked boot loader
	Failed
)

func (s VerifiedBootState) String() string {
	switch s {
	case Verified:
		return "Verified"
	case SelfSigned:
		return "SelfSigned"
	case Unverified:
		return "Unverified"
	case Failed:
		return "Failed"
	}
	return fmt.Sprintf("unknown(%d)", uint64(s))
}

// MarshalText writes the schema's name.
func (s VerifiedBootState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (d *KeyDescription) readRootOfTrust(e der.Element) (*RootOfTrust, error) {
	if !e.Is(der.Sequence) {
		return nil, errWrongType
	}
	r, err := e.Open()
	if err != nil {
		return nil, err
	}
	root := &RootOfTrust{}
	if err := readOctets(&r, &root.VerifiedBootKey); err != nil {
		return nil, err
	}
	locked, err := r.Expect(der.Boolean)
	if err != nil {
		return nil, err
	}
	var exact bool
	if root.DeviceLocked, exact, err = locked.Bool(); err != nil {
		return nil, err
	}
	var state uint64
	if err := readNumber(&r, der.Enumerated, &state); err != nil {
		return nil, err
	}
	root.VerifiedBootState = VerifiedBootState(state)
	if hash, ok, err := r.Optional(der.OctetString); err != nil {
		return nil, err
	} else if ok {
		root.VerifiedBootHash = hash.Body
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	if !exact {
		d.tolerate("BOOLEAN other than 00 and FF")
	}
	return root, nil
}

// Origin is how a key came into the key store.
type Origin uint64

// The origins.
const (
	Generated Origin = iota
	Derived
	Imported
	Reserved
	SecurelyImported
)

func (o Origin) String() string {
	switch o {
	case Generated:
		return "generated"
	case Derived:
		return "derived"
	case Imported:
		return "imported"
	case Reserved:
		return "reserved"
	case SecurelyImported:
		return "securely_imported"
	}
	return fmt.Sprintf("unknown(%d)", uint64(o))
}

// Purposes of a key, tag 1, as far as appraisal asks for them.
const (
	PurposeSign      = 2
	PurposeAttestKey = 7
)
