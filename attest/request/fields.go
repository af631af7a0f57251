package request

import (
	"encoding/base64"
	"errors"
	"fmt"
)

// Bounds of the parts of a field.
const (
	maxMembers    = 16 // of a dictionary
	maxParameters = 32 // of a member or an item of it
	maxItems      = 64 // of an inner list
)

// reader reads structured fields (RFC 9651, Section 4.2). It gives the texts of
// members, and looks into a member no further than to find its end: what we
// need of our own is read more strictly, see parseParams.
type reader struct {
	s string
	i int
}

// member is one member of a dictionary.
type member struct {
	key string
	raw string // of its value, as sent; empty: a bare key
	tag string // the parameter tag, if that is a string without escapes; empty: none
}

// dictionary calls yield for each member, in order; the same key may come
// twice. RFC 9651, Section 4.2.2.
func dictionary(s string, yield func(member) error) error {
	r := reader{s: s}
	r.spaces()
	for n := 0; r.i < len(r.s); n++ {
		if n == maxMembers {
			return fmt.Errorf("more than %d members", maxMembers)
		}
		var m member
		var err error
		if m.key, err = r.key(); err != nil {
			return err
		}
		begin := r.i
		if r.take('=') {
			begin++
			if r.peek() == '(' {
				err = r.innerList()
			} else {
				err = r.bareItem()
			}
			if err != nil {
				return err
			}
		}
		if m.tag, err = r.parameters(); err != nil {
			return err
		}
		m.raw = r.s[begin:r.i]
		if err := yield(m); err != nil {
			return err
		}
		r.whitespace()
		if r.i == len(r.s) {
			return nil
		}
		if !r.take(',') {
			return r.unexpected("a comma")
		}
		r.whitespace()
		if r.i == len(r.s) {
			return errors.New("ends with a comma")
		}
	}
	return nil
}

// innerList reads over an inner list, without its parameters. RFC 9651, Section 4.2.1.2.
func (r *reader) innerList() error {
	r.i++ // "("
	for range maxItems {
		r.spaces()
		if r.take(')') {
			return nil
		}
		if err := r.bareItem(); err != nil {
			return err
		}
		if _, err := r.parameters(); err != nil {
			return err
		}
		if c := r.peek(); c != ' ' && c != ')' {
			return r.unexpected("a space or )")
		}
	}
	return fmt.Errorf("an inner list of more than %d items, or without its end", maxItems-1)
}

// parameters reads over parameters and returns the last tag. RFC 9651, Section 4.2.3.2.
func (r *reader) parameters() (tag string, err error) {
	for range maxParameters {
		if !r.take(';') {
			return tag, nil
		}
		r.spaces()
		key, err := r.key()
		if err != nil {
			return "", err
		}
		begin := r.i
		if r.take('=') {
			begin++
			if err := r.bareItem(); err != nil {
				return "", err
			}
		}
		if key == "tag" {
			tag, _ = plainString(r.s[begin:r.i])
		}
	}
	return "", fmt.Errorf("more than %d parameters", maxParameters-1)
}

// bareItem reads over a bare item. RFC 9651, Section 4.2.3.1.
func (r *reader) bareItem() error {
	switch c := r.peek(); {
	case c == '"':
		return r.text()
	case c == ':':
		return r.byteSequence()
	case c == '?':
		r.i++
		if !r.take('0') && !r.take('1') {
			return r.unexpected("0 or 1")
		}
		return nil
	case c == '@':
		r.i++
		return r.number()
	case c == '%':
		r.i++
		return r.text()
	case c == '-' || is(c, digitChar):
		return r.number()
	case c == '*' || is(c, lowerChar|upperChar):
		for r.i < len(r.s) && (is(r.s[r.i], tokenChar) || r.s[r.i] == ':' || r.s[r.i] == '/') {
			r.i++
		}
		return nil
	}
	return r.unexpected("a value")
}

// text reads over a string: printable ASCII, with \" and \\ for " and \. RFC
// 9651, Section 4.2.5. Of a display string this is all that its end needs.
func (r *reader) text() error {
	if !r.take('"') {
		return r.unexpected(`"`)
	}
	for ; r.i < len(r.s); r.i++ {
		switch c := r.s[r.i]; {
		case is(c, plainChar):
		case c == '"':
			r.i++
			return nil
		case c == '\\':
			r.i++
			if n := r.peek(); n != '"' && n != '\\' {
				return r.unexpected(`" or \ after a backslash`)
			}
		default:
			return r.unexpected("a printable character")
		}
	}
	return errors.New("a string without its end")
}

// byteSequence reads over base64 between colons. RFC 9651, Section 4.2.7.
func (r *reader) byteSequence() error {
	r.i++ // ":"
	for ; r.i < len(r.s); r.i++ {
		c := r.s[r.i]
		if c == ':' {
			r.i++
			return nil
		}
		if !is(c, base64Char) {
			return r.unexpected("base64")
		}
	}
	return errors.New("a byte sequence without its end")
}

// number reads over an integer or a decimal. RFC 9651, Section 4.2.4.
func (r *reader) number() error {
	r.take('-')
	whole := r.digits()
	if !r.take('.') {
		if whole == 0 || whole > 15 {
			return r.unexpected("1 to 15 digits")
		}
		return nil
	}
	if fraction := r.digits(); whole == 0 || whole > 12 || fraction == 0 || fraction > 3 {
		return r.unexpected("a decimal of at most 12 and 3 digits")
	}
	return nil
}

func (r *reader) digits() (n int) {
	for is(r.peek(), digitChar) {
		r.i++
		n++
	}
	return n
}

// key reads a key. RFC 9651, Section 4.2.3.3.
func (r *reader) key() (string, error) {
	begin := r.i
	if c := r.peek(); c != '*' && !is(c, lowerChar) {
		return "", r.unexpected("a key, which begins with a lower-case letter")
	}
	for r.i < len(r.s) && is(r.s[r.i], keyChar) {
		r.i++
	}
	return r.s[begin:r.i], nil
}

// peek is the next character, or 0 at the end.
func (r *reader) peek() byte {
	if r.i == len(r.s) {
		return 0
	}
	return r.s[r.i]
}

func (r *reader) take(c byte) bool {
	if r.i == len(r.s) || r.s[r.i] != c {
		return false
	}
	r.i++
	return true
}

func (r *reader) spaces() {
	for r.take(' ') {
	}
}

func (r *reader) whitespace() {
	for r.take(' ') || r.take('\t') {
	}
}

func (r *reader) unexpected(want string) error {
	if r.i == len(r.s) {
		return fmt.Errorf("ends where %s is expected", want)
	}
	return fmt.Errorf("%q at character %d, where %s is expected", r.s[r.i], r.i+1, want)
}

// plainString is the content of a string that needs no escape.
func plainString(raw string) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", false
	}
	content := raw[1 : len(raw)-1]
	return content, consists(content, plainChar)
}

// decodeBytes gives the content of a byte sequence without parameters. Padding
// is demanded, and zero bits behind the last byte: one value has one text. RFC
// 9651 leaves both open. The decoder would read over line ends.
func decodeBytes(raw string) ([]byte, bool) {
	if len(raw) < 2 || raw[0] != ':' || raw[len(raw)-1] != ':' || !consists(raw[1:len(raw)-1], base64Char) {
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(raw[1 : len(raw)-1])
	return b, err == nil
}
