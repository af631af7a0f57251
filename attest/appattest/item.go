package appattest

import (
	"errors"

	"github.com/staunchid/staunch/internal/cbor"
)

// The major types of CBOR that occur here, RFC 8949, Section 3.1.
const (
	majorUnsigned = 0
	majorBytes    = 2
	majorText     = 3
	majorArray    = 4
	majorMap      = 5
)

// isMajor reports whether item is there and of this major type. It is asked
// before an item is decoded: the decoder would also take an array of small
// numbers for bytes, and null for anything.
func isMajor(item cbor.RawMessage, major byte) bool {
	return len(item) > 0 && item[0]>>5 == major
}

// bytesOf returns the byte string that item is.
func bytesOf(item cbor.RawMessage) (b []byte, ok bool) {
	if !isMajor(item, majorBytes) {
		return nil, false
	}
	return b, cbor.Unmarshal(item, &b) == nil
}

// text returns the text string that item is.
func text(item cbor.RawMessage) (*string, bool) {
	if !isMajor(item, majorText) {
		return nil, false
	}
	var s string
	if cbor.Unmarshal(item, &s) != nil {
		return nil, false
	}
	return &s, true
}

// unmarshalMap decodes b, which must be a map with text keys and nothing after
// it.
func unmarshalMap(b []byte, items *map[string]cbor.RawMessage) error {
	if !isMajor(b, majorMap) {
		return errors.New("no map")
	}
	return cbor.Unmarshal(b, items)
}
