package appattest

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"unicode/utf8"

	"github.com/staunchid/staunch/internal/der"
)

// The arcs of Apple's extensions in a leaf under 1.2.840.113635.100.8.
const (
	arcNonce = 2
	arcACL   = 6
	arcOS    = 7
)

// The elements of extension .8.7 that are reported. Apple does not document
// them.
const (
	osPlatform = 1026
	osVersion  = 1400
	osBuild    = 1403
)

// macOSACL is what .8.6 holds for a key of a Mac with Full Security and System
// Integrity Protection, in hex.
const macOSACL = "30400c023131303a30090c026f6ba1030101ff30090c026f61a1030101ff300b0c046f64656ca1030101ff30150c046f73676ea0060c04727365633005a603020101"

// appleExtension returns the value of the leaf's extension
// 1.2.840.113635.100.8.arc. There is at most one: crypto/x509 refuses
// certificates with an extension twice.
func appleExtension(leaf *x509.Certificate, arc int) ([]byte, bool) {
	oid := asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 8, arc}
	for _, e := range leaf.Extensions {
		if e.Id.Equal(oid) {
			return e.Value, true
		}
	}
	return nil, false
}

// nonce returns the 32 bytes of extension .8.2: SEQUENCE {[1] {OCTET STRING}}.
func nonce(leaf *x509.Certificate) ([]byte, bool) {
	value, ok := appleExtension(leaf, arcNonce)
	if !ok {
		return nil, false
	}
	b, ok := onlyOctets(value, 1)
	return b, ok && len(b) == 32
}

// acl reads extension .8.6: SEQUENCE {[3] {OCTET STRING}}.
func acl(leaf *x509.Certificate) (ACL, []byte) {
	value, ok := appleExtension(leaf, arcACL)
	if !ok {
		return ACLAbsent, nil
	}
	if b, ok := onlyOctets(value, 3); ok && hex.EncodeToString(b) == macOSACL {
		return ACLMatch, value
	}
	return ACLOther, value
}

// onlyOctets reads SEQUENCE {[tag] {OCTET STRING}} and nothing beside it.
func onlyOctets(value []byte, tag uint32) ([]byte, bool) {
	outer, err := der.Open(value, der.Sequence)
	if err != nil {
		return nil, false
	}
	tagged, err := outer.Next()
	if err != nil || outer.Done() != nil || !tagged.IsContext(tag) {
		return nil, false
	}
	inner, err := tagged.Only()
	if err != nil || !inner.Is(der.OctetString) {
		return nil, false
	}
	return inner.Body, true
}

// osStrings reads extension .8.7: SEQUENCE OF [n] {any}. It is undocumented
// and only reported: what cannot be read is empty.
func osStrings(leaf *x509.Certificate) (version, build, platform string) {
	value, ok := appleExtension(leaf, arcOS)
	if !ok {
		return "", "", ""
	}
	r, err := der.Open(value, der.Sequence)
	if err != nil {
		return "", "", ""
	}
	for !r.Empty() {
		tagged, err := r.Next()
		if err != nil {
			break
		}
		inner, err := tagged.Only()
		if err != nil || !inner.Is(der.OctetString) || !utf8.Valid(inner.Body) {
			continue
		}
		switch {
		case tagged.IsContext(osVersion):
			version = string(inner.Body)
		case tagged.IsContext(osBuild):
			build = string(inner.Body)
		case tagged.IsContext(osPlatform):
			platform = string(inner.Body)
		}
	}
	return version, build, platform
}
