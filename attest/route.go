package attest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Route is what the policy demands of a signed request beyond the signature.
type Route struct {
	Name        string   // "route[0]", counted from 0
	Params      []string // top-level JSON members of the body that must occur exactly once
	Headers     []string // header fields that must be covered, in lower case
	ServerNonce bool     // the nonce must be an open challenge of ours

	// Refused says why no route can be told from this path; empty: it can. The
	// request must be refused with common.request_components. Headers then holds
	// a name that no header field has, so that nothing fulfils such a Route.
	Refused string
}

// Route returns what the policy demands of a request with this method and path,
// "@path" as it is signed: as sent, escapes and all. The first route that
// matches wins; without one ok is false, and the signature is all that is
// demanded.
//
// What a server makes of a path differs from server to server, and nobody may
// reach a handler by a path that does not match its route. So a path matches as
// generously as any server might read it: in whatever case, with or without a
// slash at the end, with or without an extension (/v1/remit is also /V1/Remit,
// /v1/remit/ and /v1/remit.json), a prefix /v1/* also for /v1 itself, a route
// for GET also for HEAD. And a path that can be read in two ways is Refused,
// unless the policy has no routes: one with an empty, "." or ".." segment, with
// ";" or "\", with an escape of what needs none or of / \ ; % ? #, of a control
// character or of what is not UTF-8, of a character that is not seen or of a
// space that some trim, and one with a session such as (S(x)), which ASP.NET
// takes out.
func (p *Policy) Route(method, path string) (r Route, ok bool) {
	if len(p.routes) == 0 {
		return Route{}, false
	}
	folded, why := readPath(path)
	if why != "" {
		return Route{Refused: fmt.Sprintf("path %q %s", path, why), Headers: []string{""}}, true
	}
	for i := range p.routes {
		if p.routes[i].matches(method, folded) {
			return p.routes[i].demands(), true
		}
	}
	return Route{}, false
}

// route is RouteFile, parsed.
type route struct {
	*RouteFile
	name    string
	base    string // folded, without slash at the end; "" is the root
	prefix  bool   // also for whatever is below
	headers []string
}

func (r *route) demands() Route {
	return Route{r.name, slices.Clone(r.Params), slices.Clone(r.headers), r.ServerNonce, ""}
}

// matches compares with a folded path.
func (r *route) matches(method, path string) bool { return r.takes(method) && r.covers(path) }

func (r *route) takes(method string) bool {
	method = strings.ToUpper(method)
	return len(r.Methods) == 0 || slices.Contains(r.Methods, method) || method == "HEAD" && slices.Contains(r.Methods, "GET")
}

func (r *route) covers(path string) bool {
	rest, ok := strings.CutPrefix(path, r.base)
	if !ok {
		return false
	}
	return rest == "" || r.prefix && rest[0] == '/' || r.base != "" && rest[0] == '.' && !strings.Contains(rest, "/")
}

// readPath unescapes a path, folds its case and drops a slash at its end. why
// says why it can be read in two ways.
func readPath(path string) (folded, why string) {
	if path == "" { // RFC 9421, Section 2.2.6
		path = "/"
	}
	if path[0] != '/' {
		return "", "does not begin with /"
	}
	var b strings.Builder
	b.Grow(len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '%':
			var ok bool
			if c, ok = unescape(path[i:]); !ok {
				return "", "has a % without two hex digits"
			}
			if isUnreserved(c) || c < ' ' || strings.IndexByte(`/\;%?#`+"\x7f", c) >= 0 {
				return "", fmt.Sprintf("escapes %q, which servers read in different ways", c)
			}
			i += 2
		case c <= ' ' || c >= 0x7f || strings.IndexByte(`\;?#`, c) >= 0:
			return "", fmt.Sprintf("holds %q, which servers read in different ways", c)
		}
		b.WriteByte(c)
	}
	text := b.String()
	if !utf8.ValidString(text) {
		return "", "is not UTF-8"
	}
	if i := strings.IndexFunc(text, isBlank); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return "", fmt.Sprintf("escapes %+q, which some servers trim and nobody sees", r)
	}
	if session.MatchString(text) {
		return "", "has a part such as (S(x)), a session that ASP.NET takes out"
	}
	text = strings.TrimSuffix(text, "/")
	for rest, more := strings.CutPrefix(text, "/"); more; {
		var segment string
		if segment, rest, more = strings.Cut(rest, "/"); segment == "" || segment == "." || segment == ".." {
			return "", fmt.Sprintf("has a segment %q, which servers leave out", segment)
		}
		if segment[0] == ' ' || strings.HasSuffix(segment, " ") || strings.Contains(segment, " .") {
			return "", fmt.Sprintf("has a segment %q, whose spaces some servers trim", segment)
		}
	}
	return fold(text), ""
}

// isBlank: what is not seen, such as all spaces but U+0020 and all that format.
func isBlank(r rune) bool {
	return r >= utf8.RuneSelf && (!unicode.IsPrint(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector))
}

// session is how ASP.NET writes a session and other tickets into a path, at any
// place of it: (S(x)), (A(x)F(x)).
var session = regexp.MustCompile(`\([A-Za-z]\(`)

// unescape reads %XX at the beginning of s.
func unescape(s string) (c byte, ok bool) {
	if len(s) < 3 {
		return 0, false
	}
	for _, d := range []byte(s[1:3]) {
		i := strings.IndexByte("0123456789abcdef", d|0x20)
		if i < 0 || d < '0' {
			return 0, false
		}
		c = c<<4 | byte(i)
	}
	return c, true
}

// isUnreserved: RFC 3986, Section 2.3.
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// fold makes equal what a server that ignores case takes for equal, whether it
// maps to lower or to upper case: the Kelvin sign is a k, the dotless i an i.
func fold(s string) string {
	return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, s)
}
