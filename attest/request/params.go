package request

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxComponents bounds the covered components.
const maxComponents = 32

// params are covered components and parameters of our signature.
type params struct {
	raw                    string // the inner list with its parameters, as sent
	components             []string
	keyID, nonce, alg, tag string
	created, expires       int64
	hasNonce, hasCreated   bool
	hasExpires, hasAlg     bool
	hasKeyID, hasTag       bool
}

// parseParams reads the inner list of our signature. It takes the one form that
// RFC 9651, Section 4.1 writes, so that the text as sent is the value of
// "@signature-params" (RFC 9421, Section 2.3): one space between components,
// none elsewhere, no escapes. Other names of parameters are refused, and each
// may occur once.
func parseParams(raw string) (*params, error) {
	p := &params{raw: raw}
	r := reader{s: raw}
	if !r.take('(') {
		return nil, errors.New("the value of " + Label + ` is no inner list: write ("@method" ...)`)
	}
	p.components = make([]string, 0, 8)
	for !r.take(')') {
		if len(p.components) > 0 && !r.take(' ') {
			return nil, r.unexpected("one space or )")
		}
		name, err := r.plain()
		if err != nil {
			return nil, err
		}
		if r.peek() == ';' {
			return nil, fmt.Errorf("component %q has parameters; cover fields as a whole", name)
		}
		if slices.Contains(p.components, name) {
			return nil, fmt.Errorf("component %q is covered twice", name)
		}
		if len(p.components) == maxComponents {
			return nil, fmt.Errorf("more than %d components", maxComponents)
		}
		p.components = append(p.components, name)
	}
	for r.i < len(raw) {
		if !r.take(';') {
			return nil, r.unexpected("a semicolon")
		}
		name, err := r.key()
		if err != nil {
			return nil, err
		}
		if !r.take('=') {
			return nil, fmt.Errorf("parameter %s has no value", name)
		}
		if err := p.set(&r, name); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// set reads the value of the parameter name.
func (p *params) set(r *reader, name string) (err error) {
	var twice bool
	switch name {
	case "created":
		twice, p.hasCreated = p.hasCreated, true
		p.created, err = r.seconds()
	case "expires":
		twice, p.hasExpires = p.hasExpires, true
		p.expires, err = r.seconds()
	case "nonce":
		twice, p.hasNonce = p.hasNonce, true
		p.nonce, err = r.plain()
	case "keyid":
		twice, p.hasKeyID = p.hasKeyID, true
		p.keyID, err = r.plain()
	case "alg":
		twice, p.hasAlg = p.hasAlg, true
		p.alg, err = r.plain()
	case "tag":
		twice, p.hasTag = p.hasTag, true
		p.tag, err = r.plain()
	default:
		return fmt.Errorf("parameter %.40q: only created, expires, nonce, keyid, alg and tag may be there", name)
	}
	switch {
	case err != nil:
		return fmt.Errorf("parameter %s: %w", name, err)
	case twice:
		return fmt.Errorf("parameter %s occurs twice", name)
	}
	return nil
}

// plain reads a string without escapes.
func (r *reader) plain() (string, error) {
	if r.peek() != '"' {
		return "", r.unexpected(`"`)
	}
	end := strings.IndexByte(r.s[r.i+1:], '"')
	if end < 0 {
		return "", errors.New("a string without its end")
	}
	content, ok := plainString(r.s[r.i : r.i+end+2])
	if !ok {
		return "", errors.New("a string with a backslash, or with what is no printable ASCII")
	}
	r.i += end + 2
	return content, nil
}

// lastSecond is the end of the year 9999.
const lastSecond = 253402300799

// seconds reads a time: an integer as RFC 9651, Section 4.1.4 writes it.
func (r *reader) seconds() (int64, error) {
	begin := r.i
	n := int64(0)
	for is(r.peek(), digitChar) && r.i-begin < 15 {
		n = 10*n + int64(r.s[r.i]-'0')
		r.i++
	}
	switch digits := r.i - begin; {
	case digits == 0 || n > lastSecond:
		return 0, errors.New("no time: write seconds since 1970")
	case digits > 1 && r.s[begin] == '0':
		return 0, errors.New("zeros in front")
	}
	return n, nil
}

// check judges what the parameters say: Staunch demands created, nonce, keyid
// and tag. RFC 9421, Section 3.2, step 6: what an application demands of the
// parameters.
func (p *params) check() *Failure {
	switch {
	case !p.hasCreated:
		return failf(CodeComponents, "the parameter created is missing")
	case !p.hasKeyID:
		return failf(CodeComponents, "the parameter keyid is missing")
	case p.tag != Tag:
		return failf(CodeComponents, "the parameter tag is not %q", Tag)
	case len(p.keyID) > 128 || !isBase64URL(p.keyID):
		return failf(CodeComponents, "keyid is not 1 to 128 characters of base64url: write the id that Register gave")
	case p.hasAlg && (len(p.alg) > 64 || !isBase64URL(p.alg)):
		return failf(CodeComponents, "alg is no name of an algorithm, such as ecdsa-p256-sha256: leave it out")
	case p.hasExpires && p.expires < p.created:
		return failf(CodeComponents, "expires is before created")
	case !p.hasNonce:
		return failf(CodeNonce, "the parameter nonce is missing: write 16 to 48 random bytes in base64url")
	case len(p.nonce) < 22 || len(p.nonce) > 64 || !isBase64URL(p.nonce):
		return failf(CodeNonce, "nonce is not 22 to 64 characters of base64url without padding")
	}
	return nil
}

func isBase64URL(s string) bool { return s != "" && consists(s, base64URLChar) }

// times returns created and expires.
func (p *params) times() (created, expires time.Time) {
	created = time.Unix(p.created, 0).UTC()
	if p.hasExpires {
		expires = time.Unix(p.expires, 0).UTC()
	}
	return created, expires
}
