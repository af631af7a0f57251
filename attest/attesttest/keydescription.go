package attesttest

import (
	"encoding/asn1"
	"math/big"
	"sort"
)

func oidKeyDescription() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 1, 17}
}

func oidProvisioningInfo() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 1, 30}
}

// Level is a SecurityLevel of the key store.
type Level int64

// The security levels.
const (
	Software Level = iota
	TEE
	StrongBox
)

// KeyDescription is the attestation extension of an Android leaf, with every
// field open to change. Versions, levels and lists are written as they stand,
// whether they make sense or not.
type KeyDescription struct {
	AttestationVersion       int64
	AttestationSecurityLevel Level
	KeyMintVersion           int64
	KeyMintSecurityLevel     Level
	AttestationChallenge     []byte
	UniqueID                 []byte
	SoftwareEnforced         AuthorizationList
	HardwareEnforced         AuthorizationList
	DER                      []byte // the whole extension instead of all the fields above
}

func (d *KeyDescription) encode() []byte {
	if d.DER != nil {
		return d.DER
	}
	return tlv(tagSequence,
		derInteger(tagInteger, d.AttestationVersion),
		derInteger(tagEnumerated, int64(d.AttestationSecurityLevel)),
		derInteger(tagInteger, d.KeyMintVersion),
		derInteger(tagEnumerated, int64(d.KeyMintSecurityLevel)),
		derOctets(d.AttestationChallenge),
		derOctets(d.UniqueID),
		d.SoftwareEnforced.encode(),
		d.HardwareEnforced.encode(),
	)
}

// AuthorizationList is a list of tagged values, written in the order in which
// it stands. The Set methods replace a tag where it is, or put a new one into
// its place in ascending order. Tags are those of the Android documentation:
// 1 purpose, 702 origin, 704 rootOfTrust, 717 attestationIdModel ...
type AuthorizationList []Authorization

// Authorization is one tag of a list.
type Authorization struct {
	Tag   int
	Value []byte // DER of what the explicit tag holds
}

func (l AuthorizationList) encode() []byte {
	var body [][]byte
	for _, a := range l {
		body = append(body, explicit(a.Tag, a.Value))
	}
	return tlv(tagSequence, body...)
}

// SetDER sets a tag to a DER value of any kind.
func (l *AuthorizationList) SetDER(tag int, der []byte) {
	for i := range *l {
		if (*l)[i].Tag == tag {
			(*l)[i].Value = der
			return
		}
	}
	at := sort.Search(len(*l), func(i int) bool { return (*l)[i].Tag > tag })
	*l = append(*l, Authorization{})
	copy((*l)[at+1:], (*l)[at:])
	(*l)[at] = Authorization{tag, der}
}

// SetInteger sets a tag of type INTEGER.
func (l *AuthorizationList) SetInteger(tag int, n int64) { l.SetDER(tag, derInteger(tagInteger, n)) }

// SetIntegers sets a tag of type SET OF INTEGER, in the order given.
func (l *AuthorizationList) SetIntegers(tag int, ns ...int64) {
	var body [][]byte
	for _, n := range ns {
		body = append(body, derInteger(tagInteger, n))
	}
	l.SetDER(tag, tlv(tagSet, body...))
}

// SetNull sets a tag whose presence is its value.
func (l *AuthorizationList) SetNull(tag int) { l.SetDER(tag, derNull()) }

// SetOctets sets a tag of type OCTET STRING; text is written so too.
func (l *AuthorizationList) SetOctets(tag int, b []byte) { l.SetDER(tag, derOctets(b)) }

// Remove removes every occurrence of the tags.
func (l *AuthorizationList) Remove(tags ...int) {
	kept := (*l)[:0]
	for _, a := range *l {
		drop := false
		for _, t := range tags {
			drop = drop || a.Tag == t
		}
		if !drop {
			kept = append(kept, a)
		}
	}
	*l = kept
}

// Append adds a tag at the end, even if it is there already.
func (l *AuthorizationList) Append(tag int, der []byte) {
	*l = append(*l, Authorization{tag, der})
}

// RootOfTrust is tag 704: what the boot loader told the key store.
type RootOfTrust struct {
	VerifiedBootKey   []byte
	DeviceLocked      bool
	DeviceLockedOctet byte   // the contents octet of the BOOLEAN, if not 0; phones with 01 exist
	VerifiedBootState int64  // 0 Verified, 1 SelfSigned, 2 Unverified, 3 Failed
	VerifiedBootHash  []byte // nil: absent, as before attestation version 3
}

// DER encodes r as the value of tag 704.
func (r RootOfTrust) DER() []byte {
	locked := derBool(r.DeviceLocked)
	if r.DeviceLockedOctet != 0 {
		locked[2] = r.DeviceLockedOctet
	}
	parts := [][]byte{derOctets(r.VerifiedBootKey), locked, derInteger(tagEnumerated, r.VerifiedBootState)}
	if r.VerifiedBootHash != nil {
		parts = append(parts, derOctets(r.VerifiedBootHash))
	}
	return tlv(tagSequence, parts...)
}

// ApplicationID is tag 709: the packages that share the caller's uid, and the
// SHA-256 of every certificate that signed them. Both are written in the order
// in which they stand.
type ApplicationID struct {
	Packages []Package
	Signers  [][]byte
}

// Package is one package of an ApplicationID.
type Package struct {
	Name    string
	Version int64
}

// DER encodes a as the value of tag 709.
func (a ApplicationID) DER() []byte {
	var packages, signers [][]byte
	for _, p := range a.Packages {
		packages = append(packages, tlv(tagSequence, derOctets([]byte(p.Name)), derInteger(tagInteger, p.Version)))
	}
	for _, s := range a.Signers {
		signers = append(signers, derOctets(s))
	}
	return derOctets(tlv(tagSequence, tlv(tagSet, packages...), tlv(tagSet, signers...)))
}

// bigInteger writes a non-negative INTEGER of any size.
func bigInteger(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return tlv(tagInteger, b)
}
