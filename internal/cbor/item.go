package cbor

import "errors"

// The major types, RFC 8949, Section 3.1.
const (
	MajorUnsigned = 0
	MajorNegative = 1
	MajorBytes    = 2
	MajorText     = 3
	MajorArray    = 4
	MajorMap      = 5
)

// IsMajor reports whether item is there and of this major type. It is asked
// before an item is decoded: the decoder would also take an array of small
// numbers for bytes, and null for anything.
func IsMajor(item RawMessage, major byte) bool {
	return len(item) > 0 && item[0]>>5 == major
}

// Bytes returns the byte string that item is.
func Bytes(item RawMessage) (b []byte, ok bool) {
	if !IsMajor(item, MajorBytes) {
		return nil, false
	}
	return b, Unmarshal(item, &b) == nil
}

// Text returns the text string that item is, or nil.
func Text(item RawMessage) (*string, bool) {
	if !IsMajor(item, MajorText) {
		return nil, false
	}
	var s string
	if Unmarshal(item, &s) != nil {
		return nil, false
	}
	return &s, true
}

// TextMap decodes b, which must be a map with text keys and nothing after it.
func TextMap(b []byte) (map[string]RawMessage, error) {
	if !IsMajor(b, MajorMap) {
		return nil, errors.New("cbor: no map")
	}
	var items map[string]RawMessage
	return items, Unmarshal(b, &items)
}
