package appattest

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"github.com/staunchid/staunch/internal/cbor"
)

// The layout of authenticator data, WebAuthn L3 §6.1 and §6.5.1.
const (
	rpIDHashLen     = 32
	headerLen       = rpIDHashLen + 1 + 4 // rpIdHash, flags, signCount: all of an assertion's without extensions
	credentialIDLen = 32
	credentialAt    = headerLen + 16 + 2 // after the AAGUID and the length of the credential id

	flagAttestedCredential = 0x40 // AT; App Attest sets it in assertions, too
	flagExtensions         = 0x80 // ED; iOS 27 sets it or not
)

// The two AAGUIDs of App Attest.
const (
	aaguidProduction  = "appattest\x00\x00\x00\x00\x00\x00\x00"
	aaguidDevelopment = "appattestdevelop"
)

// The extensions that iOS 27 writes.
const (
	extensionCategory      = "apple_validation_category_01"
	extensionBundleVersion = "apple_bundle_version_01"
	extensionCDHashPrefix  = "apple_cd_hash_"
)

// authData is authenticator data taken apart. Its slices point into the input.
type authData struct {
	rpIDHash     []byte
	flags        byte
	counter      uint32
	aaguid       []byte // this and the following: attestations only
	credentialID []byte
	coseKey      cbor.RawMessage
	extensions   *Extensions
}

// parseAuthData reads the authenticator data of an attestation. With a Failure
// it returns what could be read: nil if it was not even the fixed part.
func parseAuthData(b []byte) (*authData, *Failure) {
	if len(b) < credentialAt+credentialIDLen {
		return nil, fail(AuthData, "%d bytes are too short for an attested credential", len(b))
	}
	d := parseHeader(b)
	d.aaguid = b[headerLen : headerLen+16]
	if n := binary.BigEndian.Uint16(b[headerLen+16:]); n != credentialIDLen {
		return nil, fail(AuthData, "credential id of %d bytes", n)
	}
	d.credentialID = b[credentialAt : credentialAt+credentialIDLen]
	rest, err := cbor.UnmarshalFirst(b[credentialAt+credentialIDLen:], &d.coseKey)
	if err != nil {
		return nil, fail(AuthData, "credential public key: %v", err)
	}
	if d.flags&flagAttestedCredential == 0 { // WebAuthn L3 §6.1: AT
		return d, fail(AuthData, "flags %#02x without attested credential data", d.flags)
	}
	var failure *Failure
	d.extensions, failure = parseExtensions(rest, d.flags)
	return d, failure
}

// parseAssertionData reads the authenticator data of an assertion: a header
// and nothing else but extensions, although flag 0x40 is set.
func parseAssertionData(b []byte) (*authData, *Failure) {
	if len(b) < headerLen {
		return nil, fail(AuthData, "%d bytes are too short", len(b))
	}
	d := parseHeader(b)
	var failure *Failure
	d.extensions, failure = parseExtensions(b[headerLen:], d.flags)
	return d, failure
}

// parseHeader reads the first headerLen bytes of b.
func parseHeader(b []byte) *authData {
	return &authData{
		rpIDHash: b[:rpIDHashLen],
		flags:    b[rpIDHashLen],
		counter:  binary.BigEndian.Uint32(b[rpIDHashLen+1:]),
	}
}

// environment returns the environment of an AAGUID, or "".
func environment(aaguid []byte) Environment {
	switch string(aaguid) {
	case aaguidProduction:
		return Production
	case aaguidDevelopment:
		return Development
	}
	return ""
}

// parseExtensions reads what follows the fixed part of authenticator data:
// nothing, or exactly one CBOR map with text keys. Flag 0x80 demands the map;
// without the flag it may be there all the same.
func parseExtensions(rest []byte, flags byte) (*Extensions, *Failure) {
	if len(rest) == 0 {
		if flags&flagExtensions != 0 { // WebAuthn L3 §6.1: ED
			return nil, fail(AuthData, "flags %#02x without extension data", flags)
		}
		return nil, nil
	}
	if rest[0]>>5 != cbor.MajorMap {
		return nil, fail(TrailingData, "%d bytes that are no map", len(rest))
	}
	var items map[string]cbor.RawMessage
	if err := cbor.Unmarshal(rest, &items); err != nil { // one map, and nothing after it
		return nil, fail(TrailingData, "%v", err)
	}
	ext := &Extensions{}
	for _, name := range slices.Sorted(maps.Keys(items)) { // so that the first error is the same each time
		item, ok := items[name], true
		switch {
		case name == extensionCategory:
			ext.ValidationCategory, ok = category(item)
		case name == extensionBundleVersion:
			ext.BundleVersion, ok = cbor.Text(item)
		case strings.HasPrefix(name, extensionCDHashPrefix):
			if ext.CDHashes == nil {
				ext.CDHashes = make(map[string][]byte)
			}
			ext.CDHashes[name] = item
		default:
			ext.Unknown = append(ext.Unknown, name)
		}
		if !ok {
			return nil, fail(ExtensionMalformed, "%s is %x", name, item[:min(len(item), 16)])
		}
	}
	slices.Sort(ext.Unknown)
	return ext, nil
}

// category reads a validation category: 4 bytes, little-endian, as iOS 27
// writes it, or an unsigned integer.
func category(item cbor.RawMessage) (*Category, bool) {
	switch item[0] >> 5 {
	case cbor.MajorUnsigned:
		var v uint32
		if cbor.Unmarshal(item, &v) != nil {
			return nil, false
		}
		return new(Category(v)), true
	case cbor.MajorBytes:
		b, ok := cbor.Bytes(item)
		if !ok || len(b) != 4 {
			return nil, false
		}
		return new(Category(binary.LittleEndian.Uint32(b))), true
	}
	return nil, false
}
