package request

// class is what a character may be part of. Bytes outside ASCII are of none.
type class uint16

const (
	digitChar class = 1 << iota
	lowerChar
	upperChar
	tokenChar     // RFC 9110, Section 5.6.2: methods, names of fields
	keyChar       // RFC 9651, Section 3.1.2
	base64Char    // with its padding
	base64URLChar // without
	hexChar
	hostChar    // RFC 3986, Section 3.2.2, without percent-encoding; "_" is met in the field
	ipChar      // inside the brackets of an IPv6 address
	visibleChar // ASCII without space and control characters
	plainChar   // visible, space, and neither quotation mark nor backslash
	pathChar    // visible, but "?", "#", and "\", which some servers read as "/"
	valueChar   // of a header field: RFC 9110, Section 5.5, without bytes outside ASCII
)

// classes has the classes of each byte.
var classes = classify()

func classify() (t [256]class) {
	set := func(c class, chars string) {
		for i := range len(chars) {
			t[chars[i]] |= c
		}
	}
	const (
		digits = "0123456789"
		az     = "abcdefghijklmnopqrstuvwxyz"
		aZ     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	)
	set(digitChar, digits)
	set(lowerChar, az)
	set(upperChar, aZ)
	set(tokenChar, digits+az+aZ+"!#$%&'*+-.^_`|~")
	set(keyChar, digits+az+"_-.*")
	set(base64Char, digits+az+aZ+"+/=")
	set(base64URLChar, digits+az+aZ+"-_")
	set(hexChar, digits+"abcdefABCDEF")
	set(hostChar, digits+az+aZ+"-._")
	set(ipChar, digits+"abcdefABCDEF:.")
	for c := byte(' '); c <= '~'; c++ {
		t[c] |= valueChar
		if c != '"' && c != '\\' {
			t[c] |= plainChar
		}
		if c > ' ' {
			t[c] |= visibleChar
		}
		if c > ' ' && c != '?' && c != '#' && c != '\\' {
			t[c] |= pathChar
		}
	}
	t['\t'] |= valueChar
	return t
}

// is reports whether a character is of one of the classes.
func is(char byte, c class) bool { return classes[char]&c != 0 }

// consists reports whether every character is of the class.
func consists(s string, c class) bool {
	for i := range len(s) {
		if classes[s[i]]&c == 0 {
			return false
		}
	}
	return true
}
