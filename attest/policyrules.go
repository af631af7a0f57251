package attest

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// requests checks what signed requests are judged by. An empty list of
// authorities is legitimate where no requests are signed: all are refused.
func (c *policyChecker) requests(f *RequestPolicyFile) (r RequestPolicy) {
	if f == nil {
		c.fail("request", "missing; the key is required")
		return r
	}
	r.MaxAge = c.duration("request.max_age", f.MaxAge, "")
	r.FutureSkew = c.duration("request.future_skew", f.FutureSkew, "")
	for i, a := range f.Authorities {
		c.authority(fmt.Sprintf("request.authorities[%d]", i), a)
	}
	r.Authorities = f.Authorities
	return r
}

// authority wants the form in which "@authority" is signed: lower case, without
// the default port of its scheme. RFC 9421, Section 2.2.3.
func (c *policyChecker) authority(key, text string) {
	host, port, hasPort := text, "", false
	if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.HasSuffix(text, "]") {
		host, port, hasPort = text[:i], text[i+1:], true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	inner, bracketed := strings.CutPrefix(strings.TrimSuffix(host, "]"), "[")
	addr, notAddr := netip.ParseAddr(inner)
	switch {
	case strings.Contains(text, "/"):
		c.fail(key, "%q is a URL; write the host alone, such as pay.example.com", text)
	case text != strings.ToLower(text):
		c.fail(key, "%q: signatures hold names in lower case; write %s", text, strings.ToLower(text))
	case hasPort && (err != nil || n == 0 || port[0] == '0'):
		c.fail(key, "%q: %q is no port", text, port)
	case hasPort && (n == 443 || n == 80):
		c.fail(key, "%q: signatures leave default ports out; write %s", text, host)
	case bracketed && (notAddr != nil || !addr.Is6()), !bracketed && !isHost.MatchString(host):
		c.fail(key, "%q is no host such as pay.example.com, with a port if it is not the default one", text)
	}
}

// isHost is the form of a host name or an IPv4 address.
var isHost = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

func (c *policyChecker) routes(files []RouteFile) (routes []route) {
	for i := range files {
		f := &files[i]
		name := fmt.Sprintf("route[%d]", i)
		r := route{RouteFile: f, name: name}
		path := f.Path
		if path, r.prefix = strings.CutSuffix(path, "/*"); r.prefix {
			path += "/"
		}
		var why string
		switch r.base, why = readPath(path); {
		case f.Path == "":
			c.fail(name+".path", "empty")
		case strings.Contains(path, "*"):
			c.fail(name+".path", `%q has a * elsewhere than in "/*" at its end`, f.Path)
		case why != "":
			c.fail(name+".path", "%q %s, so that it never matches", f.Path, why)
		}
		for j, m := range f.Methods {
			if !isMethod.MatchString(m) {
				c.fail(fmt.Sprintf("%s.methods[%d]", name, j), `%q is no method such as "POST"`, m)
			}
		}
		for j, p := range f.Params {
			if p == "" {
				c.fail(fmt.Sprintf("%s.params[%d]", name, j), "empty")
			}
		}
		for j, h := range f.Headers {
			h = strings.ToLower(h)
			if !isFieldName.MatchString(h) {
				c.fail(fmt.Sprintf("%s.headers[%d]", name, j), `%q is no header field such as "idempotency-key"`, h)
			}
			r.headers = append(r.headers, h)
		}
		routes = append(routes, r)
	}
	return routes
}

var (
	isMethod    = regexp.MustCompile(`^[A-Z][A-Z-]*$`)
	isFieldName = regexp.MustCompile("^[a-z0-9!#$%&'*+.^_`|~-]+$") // RFC 9110, Section 5.6.2, in lower case
	isCountry   = regexp.MustCompile(`^[A-Z]{2}$`)
)

func (c *policyChecker) risk(rules []RiskFile) {
	for i, r := range rules {
		key := fmt.Sprintf("risk[%d]", i)
		c.oneOf(key+".signal", r.Signal, riskSignals()...)
		c.oneOf(key+".effect", string(r.Effect), "warn", "reject")
	}
}

func (c *policyChecker) rollout(f *PolicyFile) {
	named := map[string]int{}
	for i, s := range f.Rollout {
		key := fmt.Sprintf("rollout[%d]", i)
		if s.Name != "" {
			if !isExceptionID.MatchString(s.Name) {
				c.fail(key+".name", "%q; a name has 1 to 64 letters, digits, dots, dashes and underscores", s.Name)
			}
			if first, twice := named[s.Name]; twice {
				c.fail(key+".name", "%q is the name of rollout[%d] too", s.Name, first)
			}
			named[s.Name] = i
		}
		c.oneOf(key+".platform", s.Platform, "android", "apple", "any")
		c.oneOf(key+".operation", s.Operation, OperationRegister, OperationRequest, "any")
		c.oneOf(key+".mode", s.Mode, string(ModeObserve), string(ModeEnforce))
		if s.Percent < 0 || s.Percent > 100 {
			c.fail(key+".percent", "%d is not within 0 and 100", s.Percent)
		}
		c.some(key+".countries", len(s.Countries))
		for _, country := range s.Countries {
			if country != "*" && !isCountry.MatchString(country) {
				c.fail(key+".countries", `%q is neither "*" nor two capital letters`, country)
			}
		}
		for _, code := range s.Codes {
			if _, ok := LookupCode(code); !ok {
				c.fail(key+".codes", "%q is no code; `staunch attest codes` lists them", code)
			}
		}
		if !slices.ContainsFunc(f.App, func(a AppFile) bool { return a.ID == s.App }) {
			c.fail(key+".app", "there is no [[app]] with id %q", s.App)
		}
	}
}
