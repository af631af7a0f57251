// Package cbor is the one way Staunch reads CBOR from strangers: well-formed
// bytes only, no duplicate keys, no indefinite lengths, no tags, valid UTF-8,
// at most 8 levels, 64 array elements and 64 map pairs (RFC 8949; the strict
// reading of its Section 5.6).
//
// It wraps fxamacker/cbor with one fixed decode mode, so that no caller can
// choose a laxer one. It never re-encodes to compare: what was signed is
// compared as the bytes that came.
//
// Our own formats are stricter still, and are both written and read by a
// [Coder]: deterministic, each structure described once for both directions.
package cbor

import (
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// RawMessage is one encoded data item, kept as it came.
type RawMessage = cbor.RawMessage

// strict is built once: a DecMode is immutable and safe for concurrent use.
var strict = sync.OnceValue(func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		UTF8:              cbor.UTF8RejectInvalid,
		MaxNestedLevels:   8,
		MaxArrayElements:  64,
		MaxMapPairs:       64,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
	}.DecMode()
	if err != nil {
		panic("cbor: " + err.Error()) // constant options: only a programming error gets here
	}
	return mode
})

// Unmarshal decodes the single data item in data into v. Bytes after the item
// are an error.
func Unmarshal(data []byte, v any) error { return strict().Unmarshal(data, v) }

// UnmarshalFirst decodes the first data item of data into v and returns the
// bytes after it: the only way to find the end of the COSE key in WebAuthn's
// authenticator data (WebAuthn L3 §6.5.1).
func UnmarshalFirst(data []byte, v any) (rest []byte, err error) {
	return strict().UnmarshalFirst(data, v)
}

// Marshal encodes v in the core deterministic form of RFC 8949, Section 4.2.1.
func Marshal(v any) ([]byte, error) { return encoder().Marshal(v) }

var encoder = sync.OnceValue(func() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic("cbor: " + err.Error()) // constant options: only a programming error gets here
	}
	return mode
})
