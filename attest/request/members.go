package request

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is listed.
const (
	maxListed = 256 // members of the object; one with more has none
	maxName   = 128 // bytes; longer names are counted and not listed
	maxDepth  = 64
)

// Members lists the names of the members of a JSON object that occur exactly
// once in it, ignoring case, in their order; those of the top level alone. Case
// is ignored as generously as any program might: a body that two of them may
// read differently has no such member. So amount and Amount are one name, and
// so are id, ıd and İd, which some take for one in lower or in upper case.
//
// What is not one JSON object in UTF-8 (RFC 8259) has none, and neither has an
// object of more than 256 members or 64 levels, or with a name that programs
// are known to cut or to replace: one with U+0000, or half a surrogate pair.
func Members(content []byte) []string {
	if !utf8.Valid(content) || !json.Valid(content) {
		return nil
	}
	names, ok := topNames(content)
	if !ok {
		return nil
	}
	count := make(map[string]int, len(names))
	for _, name := range names {
		count[fold(name)]++
	}
	listed := names[:0]
	for _, name := range names {
		if count[fold(name)] == 1 && len(name) <= maxName {
			listed = append(listed, name)
		}
	}
	return listed
}

// topNames walks JSON that is known to be valid and returns the names of the
// object at its top.
func topNames(text []byte) (names []string, ok bool) {
	depth, name := 0, false // name: a string that comes now at depth 1 is a name
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\n', '\r':
		case '{', '[':
			if depth == 0 && c == '[' || depth == maxDepth {
				return nil, false
			}
			depth++
			name = depth == 1
		case '}', ']':
			depth--
		case ',':
			name = depth == 1
		case '"':
			begin := i
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return nil, false
			}
			if !name {
				continue
			}
			s, ok := unquote(text[begin : i+1])
			if !ok || len(names) == maxListed {
				return nil, false
			}
			names, name = append(names, s), false
		default:
			if depth == 0 {
				return nil, false
			}
		}
	}
	return names, true
}

// unquote reads a valid JSON string. One that holds U+0000, or a surrogate
// without its other half, is refused.
func unquote(raw []byte) (string, bool) {
	plain := string(raw[1 : len(raw)-1])
	if !strings.Contains(plain, `\`) {
		return plain, true
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", false
	}
	// encoding/json writes U+FFFD for half a pair; whoever writes one himself
	// loses nothing by being refused.
	return s, !strings.ContainsAny(s, "\x00\uFFFD")
}

// fold maps names to one text that are equal to any program which ignores case,
// whether it compares in lower case, in upper case or by Unicode's simple
// folding, which encoding/json does: the Kelvin sign is a k, and the dotless i
// an i. A letter whose upper case is several, ß, is those here.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if several := letters(r); several != "" {
			b.WriteString(several)
			continue
		}
		b.WriteRune(unicode.ToLower(unicode.ToUpper(r)))
	}
	return b.String()
}

// letters is what a letter is when its upper case is several ones of ASCII
// (Unicode's SpecialCasing.txt), and empty for others.
func letters(r rune) string {
	switch r {
	case 'ß', 'ẞ':
		return "ss"
	case '\ufb00':
		return "ff"
	case '\ufb01':
		return "fi"
	case '\ufb02':
		return "fl"
	case '\ufb03':
		return "ffi"
	case '\ufb04':
		return "ffl"
	case '\ufb05', '\ufb06':
		return "st"
	}
	return ""
}
