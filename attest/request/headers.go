package request

import (
	"net/http"
	"slices"
	"strings"
)

// overrides are header fields by which a client tells some frameworks and
// proxies to take another method, path or query than those of the request line.
// What is signed would then not be what is done. Forwarded, X-Forwarded-... and
// their like are not among them: they are said by the proxy in front, which must
// overwrite what comes in.
func overrides() []string {
	return []string{"x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"}
}

// plainName is a field's name as the most careless program reads it: without
// case, and with whatever is no letter or digit taken for "-". CGI and what has
// come of it make one name of X-Staunch-Key, X_Staunch_Key and X.Staunch.Key.
func plainName(name string) string {
	b := []byte(strings.ToLower(name))
	for i, c := range b {
		if !is(c, digitChar|lowerChar) {
			b[i] = '-'
		}
	}
	return string(b)
}

// withoutClaims copies r without what only this middleware may say, however it
// is spelt. And a Connection goes that names such a field, for a proxy behind us
// would remove ours (RFC 9110, Section 7.6.1).
func withoutClaims(r *http.Request) *http.Request {
	r = r.WithContext(r.Context()) // a shallow copy
	r.Header = r.Header.Clone()
	for name, values := range r.Header {
		if claims(name) || plainName(name) == "connection" && claims(strings.Join(values, ",")) {
			delete(r.Header, name)
		}
	}
	return r
}

func claims(text string) bool { return strings.Contains(plainName(text), "x-staunch-") }

// asSigned leaves in r, a copy that is ours, what a handler may read as m was
// read: each covered field is the one line that was signed, whether it came as
// one or as several, under the one name that was signed. What is spelt almost
// like it, or like the fields that say how content is read, goes, and so does
// what overrides the request line without being covered.
func asSigned(r *http.Request, m *Message) *http.Request {
	covered := Covered(m.SignatureInput)
	taken := map[string]bool{contentType: true, contentEncoding: true} // by their plain names
	for _, name := range covered {
		taken[plainName(name)] = true
	}
	for name, lines := range r.Header {
		plain, exact := plainName(name), strings.ToLower(name)
		switch {
		case slices.Contains(covered, exact): // set below
			delete(r.Header, name)
		case taken[plain] && exact != contentType && exact != contentEncoding, slices.Contains(overrides(), plain):
			delete(r.Header, name)
		case plain == "connection" && namesOne(lines, taken): // RFC 9110, Section 7.6.1
			delete(r.Header, name)
		}
	}
	for _, name := range covered {
		if value, ok := m.Fields[name]; ok {
			r.Header.Set(name, value)
		}
	}
	return r
}

// namesOne reports whether the lines of a list name one of the fields.
func namesOne(lines []string, fields map[string]bool) bool {
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if fields[plainName(strings.Trim(name, " \t"))] {
				return true
			}
		}
	}
	return false
}
