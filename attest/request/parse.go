package request

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// required are the components that every signature covers, besides
// content-digest where there must be one.
func required() [4]string { return [4]string{"@method", "@authority", "@path", "@query"} }

// Parse reads the signature of m that has our tag and checks the form of
// everything that it must cover. An error is a *Failure, or wraps ErrMalformed.
//
// What it leaves to its caller is whatever needs a clock, a key or a policy: At,
// Clock, Demand, VerifySignature, and the nonce, which must be new.
func Parse(m *Message) (*Parsed, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	if f := m.checkSize(); f != nil {
		return nil, f
	}
	raw, f := findInput(m.SignatureInput)
	if f != nil {
		return nil, f
	}
	signature, f := findSignature(m.Signature)
	if f != nil {
		return nil, f
	}
	if f := m.checkLine(); f != nil {
		return nil, f
	}
	p, err := parseParams(raw)
	if err != nil {
		return nil, failf(CodeComponents, "Signature-Input: %s", err)
	}
	if f := p.check(); f != nil {
		return nil, f
	}
	if f := m.checkComponents(p.components); f != nil {
		return nil, f
	}
	if f := m.checkEncoding(p.components); f != nil {
		return nil, f
	}
	if err := m.checkDigest(slices.Contains(p.components, contentDigest)); err != nil {
		return nil, err
	}
	base, err := Base(m, p.components, p.raw)
	if err != nil {
		return nil, failf(CodeComponents, "%s", err)
	}
	created, expires := p.times()
	return &Parsed{
		KeyID: p.keyID, Nonce: p.nonce, Created: created, Expires: expires, Alg: p.alg,
		Authority: normalAuthority(m.Authority), Covered: p.components, Base: base, Signature: signature,
		members: m.BodyMembers, contentType: m.Fields[contentType], contentEncoding: m.Fields[contentEncoding],
	}, nil
}

// check looks for what no request gives, only a program that made a Message.
func (m *Message) check() error {
	if m == nil {
		return fmt.Errorf("%w: nil", ErrMalformed)
	}
	if n := len(m.BodySHA256); n != sha256.Size && (n != 0 || m.HasBody) {
		return fmt.Errorf("%w: BodySHA256 has %d bytes, not %d", ErrMalformed, n, sha256.Size)
	}
	if n := len(m.BodySHA512); n != sha512.Size && n != 0 {
		return fmt.Errorf("%w: BodySHA512 has %d bytes, not %d", ErrMalformed, n, sha512.Size)
	}
	for name := range m.Fields {
		if !isFieldName(name) {
			return fmt.Errorf("%w: Fields has %.40q, which is no name of a field in lower case", ErrMalformed, name)
		}
	}
	return nil
}

// findInput finds the one signature that is ours: it has our tag and our label.
// Others are read over.
func findInput(field string) (raw string, _ *Failure) {
	if field == "" {
		return "", failf(CodeSignatureMissing, "there is no Signature-Input")
	}
	labelled, tagged, other := 0, 0, ""
	err := dictionary(field, func(d member) error {
		if d.key == Label {
			labelled++
			raw = d.raw
		}
		if d.tag == Tag {
			tagged++
			if d.key != Label {
				other = d.key
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return "", failf(CodeComponents, "Signature-Input is no dictionary of RFC 9651: %s", err)
	case tagged == 0:
		return "", failf(CodeSignatureMissing, "no signature has the tag %q", Tag)
	case tagged > 1:
		return "", failf(CodeComponents, "%d signatures have the tag %q", tagged, Tag)
	case other != "":
		return "", failf(CodeComponents, "the signature with the tag %q has the label %.40q: it must be %q", Tag, other, Label)
	case labelled > 1:
		return "", failf(CodeComponents, "the label %q occurs twice", Label)
	}
	return raw, nil
}

// findSignature finds the bytes of our signature.
func findSignature(field string) ([]byte, *Failure) {
	if field == "" {
		return nil, failf(CodeSignatureMissing, "there is no Signature")
	}
	n, raw := 0, ""
	err := dictionary(field, func(d member) error {
		if d.key == Label {
			n++
			raw = d.raw
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, failf(CodeComponents, "Signature is no dictionary of RFC 9651: %s", err)
	case n == 0:
		return nil, failf(CodeSignatureMissing, "Signature has no member %q", Label)
	case n > 1:
		return nil, failf(CodeComponents, "Signature has the member %q twice", Label)
	}
	signature, ok := decodeBytes(raw)
	if !ok || len(signature) == 0 {
		return nil, failf(CodeComponents, "the member %q of Signature is no byte sequence, such as :AQID:", Label)
	}
	return signature, nil
}

// checkComponents demands the components that bind a request, and takes header
// fields besides.
func (m *Message) checkComponents(components []string) *Failure {
	for _, name := range required() {
		if !slices.Contains(components, name) {
			return failf(CodeComponents, "%q is not covered by the signature", name)
		}
	}
	for _, name := range components {
		if name[:min(1, len(name))] == "@" {
			if r := required(); !slices.Contains(r[:], name) {
				return failf(CodeComponents, "component %.40q: of the derived ones only @method, @authority, @path and @query may be covered", name)
			}
			continue
		}
		switch value, there := m.Fields[name]; {
		case !isFieldName(name):
			return failf(CodeComponents, "component %.40q is no name of a header field in lower case", name)
		case name == "signature" || name == "signature-input":
			return failf(CodeComponents, "component %q: a signature cannot cover itself", name)
		case name == contentDigest && !there:
			return failf(CodeDigest, "Content-Digest is covered and not there")
		case !there:
			return failf(CodeComponents, "component %.40q: there is no such header field", name)
		case !consists(value, valueChar): // a line end would begin a line of the base (RFC 9421, Sections 2.1 and 2.5)
			return failf(CodeComponents, "component %.40q holds what is no printable ASCII", name)
		}
	}
	return nil
}

// Covered returns the header fields that our signature covers, to be put into
// Message.Fields together with content-digest, content-type and content-encoding,
// and no other: what is not covered is nobody's business. A field that cannot be
// read covers nothing.
func Covered(signatureInput string) []string {
	if len(signatureInput) > maxSignatureInput {
		return nil
	}
	raw, f := findInput(signatureInput)
	if f != nil {
		return nil
	}
	p, err := parseParams(raw)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(p.components, func(name string) bool {
		return !isFieldName(name) || name == "signature" || name == "signature-input"
	})
}

// Covers reports whether the signature covers the header field, in any case.
func (p *Parsed) Covers(header string) bool {
	return slices.Contains(p.Covered, strings.ToLower(header))
}

// At reports why the request is not one for any of these authorities, or nil.
// They are host names in lower case, with a port unless it is 80 or 443.
func (p *Parsed) At(authorities []string) *Failure {
	if slices.Contains(authorities, p.Authority) {
		return nil
	}
	return failf(CodeComponents, "signed for %.100q, which is none of the authorities that are served here", p.Authority)
}

// AtHost reports why the request is not one for any of these hosts, or nil. They
// are in lower case and without a port, for any port will do. loopbackToo takes
// the names of this machine besides: localhost, 127.0.0.0/8 and [::1].
func (p *Parsed) AtHost(hosts []string, loopbackToo bool) *Failure {
	host := p.Authority
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	if slices.Contains(hosts, host) || loopbackToo && isLoopback(host) {
		return nil
	}
	return failf(CodeComponents, "signed for %.100q, which is none of the hosts that are served here", p.Authority)
}

func isLoopback(host string) bool {
	if host == "localhost" { // RFC 6761, Section 6.3
		return true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && a.IsLoopback()
}

// Clock reports why the request may not be taken at now, or nil: created must
// lie within now-maxAge and now+futureSkew, both included, and now must not be
// after expires.
func (p *Parsed) Clock(now time.Time, maxAge, futureSkew time.Duration) *Failure {
	switch {
	case p.Created.Before(now.Add(-maxAge)):
		return failf(CodeClock, "created %s ago; at most %s are allowed", now.Sub(p.Created).Round(time.Second), maxAge)
	case p.Created.After(now.Add(futureSkew)):
		return failf(CodeClock, "created %s ahead; at most %s are allowed", p.Created.Sub(now).Round(time.Second), futureSkew)
	case !p.Expires.IsZero() && now.After(p.Expires):
		return failf(CodeClock, "expired %s ago", now.Sub(p.Expires).Round(time.Second))
	}
	return nil
}

// Demand reports why the request does not meet what a route demands beyond the
// rules for all, or nil: header fields that are covered, and members, by their
// exact names, that occur exactly once at the top of the JSON body. Where it
// demands members, Content-Type must be covered and say JSON in UTF-8, so that
// nobody on the way has the handler read the same bytes as something else.
func (p *Parsed) Demand(headers, members []string) *Failure {
	for _, h := range headers {
		if !p.Covers(h) {
			return failf(CodeComponents, "this route wants the header field %q to be covered", h)
		}
	}
	if len(members) > 0 {
		if f := p.demandJSON(); f != nil {
			return f
		}
	}
	for _, name := range members {
		if !slices.Contains(p.members, name) {
			return failf(CodeParams, "this route wants the member %q exactly once at the top of a JSON body, in no other case", name)
		}
	}
	return nil
}

func failf(code, format string, args ...any) *Failure {
	return &Failure{Code: code, Detail: fmt.Sprintf(format, args...)}
}

func encodeBytes(b []byte) string { return ":" + base64.StdEncoding.EncodeToString(b) + ":" }

// failure returns the Failure in err, or nil.
func failure(err error) *Failure {
	var f *Failure
	errors.As(err, &f)
	return f
}
