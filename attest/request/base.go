package request

import (
	"fmt"
	"strings"
)

// Base is the signature base of m (RFC 9421, Section 2.5): a line for each of
// the components, in their order, and the value of "@signature-params" as the
// last. It is what a phone signs, and says nothing of whether the components
// are enough: that is Parse's part.
func Base(m *Message, components []string, params string) ([]byte, error) {
	n := len(params) + 32
	for _, name := range components {
		n += len(name) + 8 + len(m.Fields[name])
	}
	b := make([]byte, 0, n+len(m.Method)+len(m.Authority)+len(m.Path)+len(m.Query))
	for _, name := range components {
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, '"', ':', ' ')
		switch name {
		case "@method": // Section 2.2.1
			b = append(b, m.Method...)
		case "@authority": // Section 2.2.3
			b = append(b, normalAuthority(m.Authority)...)
		case "@path": // Section 2.2.6
			if m.Path == "" {
				b = append(b, '/')
			}
			b = append(b, m.Path...)
		case "@query": // Section 2.2.7
			if m.Query == "" {
				b = append(b, '?')
			}
			b = append(b, m.Query...)
		default: // Section 2.1
			value, ok := m.Fields[name]
			if !ok {
				return nil, fmt.Errorf("request: base: there is no component %q", name)
			}
			b = append(b, value...)
		}
		b = append(b, '\n')
	}
	b = append(b, `"@signature-params": `...)
	return append(b, params...), nil
}

// normalAuthority is host and port in lower case, without a default port (RFC
// 9421, Section 2.2.3). Behind a proxy nobody knows the scheme that the phone
// used, so the default ports of both are dropped.
func normalAuthority(a string) string {
	a = strings.ToLower(a) // does not copy what is in lower case
	for _, port := range [...]string{":443", ":80"} {
		if host, ok := strings.CutSuffix(a, port); ok {
			return host
		}
	}
	return a
}

// Bounds of a message. Phones stay far below them: an App Attest assertion has
// about 200 bytes.
const (
	maxMethod         = 32
	maxAuthority      = 255 + 6
	maxTarget         = 8 << 10 // path and query
	maxFields         = 32 << 10
	maxSignatureInput = 4 << 10
	maxSignature      = 16 << 10
	maxContentDigest  = 1 << 10
)

// checkSize bounds everything in a message that a client chooses. What is
// larger is not even sent to who decides.
func (m *Message) checkSize() *Failure {
	fields := 0
	for name, value := range m.Fields {
		fields += len(name) + len(value)
	}
	switch {
	case len(m.Method) > maxMethod:
		return failf(CodeComponents, "the method has more than %d bytes", maxMethod)
	case len(m.Authority) > maxAuthority:
		return failf(CodeComponents, "the authority has more than %d bytes", maxAuthority)
	case len(m.Path)+len(m.Query) > maxTarget:
		return failf(CodeComponents, "path and query have more than %d bytes", maxTarget)
	case fields > maxFields:
		return failf(CodeComponents, "the covered fields have more than %d bytes", maxFields)
	case len(m.SignatureInput) > maxSignatureInput:
		return failf(CodeComponents, "Signature-Input has more than %d bytes", maxSignatureInput)
	case len(m.Signature) > maxSignature:
		return failf(CodeComponents, "Signature has more than %d bytes", maxSignature)
	case len(m.Fields[contentDigest]) > maxContentDigest:
		return failf(CodeDigest, "Content-Digest has more than %d bytes", maxContentDigest)
	}
	return nil
}

// checkLine judges the form of the parts that a request line and Host give.
func (m *Message) checkLine() *Failure {
	switch {
	case !isMethod(m.Method):
		return failf(CodeComponents, "the method is empty or has other characters than RFC 9110, Section 9.1 allows")
	case !isAuthority(m.Authority):
		return failf(CodeComponents, "the authority is no host with or without a port")
	case m.Path != "" && m.Path[0] != '/':
		return failf(CodeComponents, `the path does not begin with "/"`) // "*" and the target of CONNECT
	case !isPath(m.Path):
		return failf(CodeComponents, "the path holds a character that a URL must percent-encode, or a wrong percent-encoding")
	case m.Query != "" && m.Query[0] != '?':
		return failf(CodeComponents, `the query does not begin with "?"`)
	case !consists(m.Query, visibleChar) || strings.Contains(m.Query, "#"):
		return failf(CodeComponents, "the query holds a character that a URL must percent-encode")
	}
	return nil
}

func isMethod(s string) bool { return s != "" && consists(s, tokenChar) }

// isAuthority takes the characters of host names, of IPv4 addresses and, in
// brackets, of IPv6 addresses (RFC 3986, Section 3.2.2), without user and
// without percent-encoding, and a port of 1 to 5 digits.
func isAuthority(s string) bool {
	host, rest, of := s, "", hostChar
	if end := strings.IndexByte(s, ']'); strings.HasPrefix(s, "[") && end > 0 {
		host, rest, of = s[1:end], s[end+1:], ipChar
	} else if colon := strings.IndexByte(s, ':'); colon >= 0 {
		host, rest = s[:colon], s[colon:]
	}
	if host == "" || !consists(host, of) {
		return false
	}
	port, colon := strings.CutPrefix(rest, ":")
	return rest == "" || colon && len(port) >= 1 && len(port) <= 5 && consists(port, digitChar)
}

// isPath takes the characters of a path; "%" only before two hexadecimal digits.
func isPath(s string) bool {
	if !consists(s, pathChar) {
		return false
	}
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			return true
		}
		if i+2 >= len(s) || !is(s[i+1], hexChar) || !is(s[i+2], hexChar) {
			return false
		}
		s = s[i+3:]
	}
}

// isFieldName takes the name of a header field in lower case.
func isFieldName(s string) bool {
	for i := range len(s) {
		if !is(s[i], tokenChar) || is(s[i], upperChar) {
			return false
		}
	}
	return s != "" && len(s) <= 128
}
