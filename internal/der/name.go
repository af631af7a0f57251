package der

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Attribute types of a Name, as contents octets (X.520).
const (
	AttributeCN           = "\x55\x04\x03"
	AttributeSerialNumber = "\x55\x04\x05"
	AttributeC            = "\x55\x04\x06"
	AttributeL            = "\x55\x04\x07"
	AttributeST           = "\x55\x04\x08"
	AttributeO            = "\x55\x04\x0a"
	AttributeOU           = "\x55\x04\x0b"
	AttributeT            = "\x55\x04\x0c"
)

// WalkName reads an X.501 Name (RFC 5280, Section 4.1.2.4) and calls f for
// each attribute, with the index of its RDN. sorted is false if the
// attributes of an RDN were not in the order of a DER SET OF.
func WalkName(name []byte, f func(rdn int, set, typ, value Element) bool) (sorted bool, err error) {
	rdns, err := Open(name, Sequence)
	if err != nil {
		return false, err
	}
	sorted = true
	var set, attribute, typ, value Element
	for i := 0; !rdns.Empty(); i++ {
		if err := rdns.expect(Set, &set); err != nil {
			return false, err
		}
		attributes, err := set.Open()
		if err != nil {
			return false, err
		}
		if attributes.Empty() {
			return false, fmt.Errorf("%w: empty RDN", ErrSyntax)
		}
		var last []byte
		for !attributes.Empty() {
			if err := attributes.expect(Sequence, &attribute); err != nil {
				return false, err
			}
			if string(last) > string(attribute.Full) {
				sorted = false
			}
			last = attribute.Full
			pair, err := attribute.Open()
			if err != nil {
				return false, err
			}
			if err := pair.expect(ObjectID, &typ); err != nil {
				return false, err
			}
			if err := pair.next(&value); err != nil {
				return false, err
			}
			if err := pair.Done(); err != nil {
				return false, err
			}
			if f != nil && !f(i, set, typ, value) {
				return sorted, nil
			}
		}
	}
	return sorted, nil
}

// FormatName writes a Name for people and JSON: the attributes in encoded
// order, TYPE=value, joined by ", ". A value that is not text is "#" and the
// hex of its encoding. A Name that does not parse gives "".
func FormatName(name []byte) string {
	var s strings.Builder
	_, err := WalkName(name, func(_ int, _, typ, value Element) bool {
		if s.Len() > 0 {
			s.WriteString(", ")
		}
		s.WriteString(attributeName(typ))
		s.WriteByte('=')
		if value.Class == Universal && !value.Constructed && utf8.Valid(value.Body) && value.Tag >= UTF8String {
			s.Write(value.Body)
		} else {
			s.WriteString("#" + hex.EncodeToString(value.Full))
		}
		return true
	})
	if err != nil {
		return ""
	}
	return s.String()
}

func attributeName(typ Element) string {
	switch string(typ.Body) {
	case AttributeCN:
		return "CN"
	case AttributeO:
		return "O"
	case AttributeOU:
		return "OU"
	case AttributeC:
		return "C"
	case AttributeL:
		return "L"
	case AttributeST:
		return "ST"
	case AttributeT:
		return "T"
	case AttributeSerialNumber:
		return "SERIALNUMBER"
	}
	dotted, err := typ.OID()
	if err != nil {
		return "?"
	}
	return dotted
}
