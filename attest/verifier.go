package attest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/internal/cbor"
)

// Options are a Verifier's.
type Options struct {
	Cache *android.Cache // of verified issuers, of both platforms; nil: a new one
}

// Verifier turns evidence into verdicts. It keeps nothing but the cache of
// verified issuers, and is safe for concurrent use.
type Verifier struct{ cache *android.Cache }

// NewVerifier returns a Verifier. nil options are the defaults.
func NewVerifier(opts *Options) (*Verifier, error) {
	v := &Verifier{cache: android.NewCache()}
	if opts != nil && opts.Cache != nil {
		v.cache = opts.Cache
	}
	return v, nil
}

// Verify verifies ev and appraises it under p at now. An error means that
// nothing can be told: it wraps ErrMalformed or ErrUnsupported.
func (v *Verifier) Verify(ev Evidence, want Expect, p *Policy, now time.Time) (Verdict, error) {
	a := &appraisal{ev: ev, want: &want, p: p, now: now}
	if err := a.judge(v.cache); err != nil {
		return Verdict{}, err
	}
	return a.verdict, nil
}

// appraisal is one piece of evidence on its way to a verdict.
type appraisal struct {
	ev      Evidence
	want    *Expect
	p       *Policy
	app     *appPolicy
	now     time.Time
	held    map[string]uint64 // risk signals in the evidence
	tries   *[]ExceptionTry   // nil: nobody asks for an explanation
	verdict Verdict
}

// judge verifies and appraises the evidence into the verdict.
func (a *appraisal) judge(cache *android.Cache) error {
	if a.p == nil || a.p.digest == "" {
		return errors.New("attest: the zero Policy accepts nothing: make one with NewPolicy or Genuine")
	}
	if err := a.want.check(a.ev.Format); err != nil {
		return err
	}
	a.verdict = Verdict{Format: a.ev.Format, Provisioning: "none", Policy: a.p.name, PolicyDigest: a.p.digest, Rules: Rules, At: a.now.UTC()}
	if s := a.want.Status; s != nil {
		a.verdict.Status = &StatusInfo{s.Digest, timeOrNil(s.FetchedAt), s.Len()}
	}
	switch a.ev.Format {
	case FormatAndroidChain, FormatAndroidKey:
		return a.android(cache)
	case FormatAppleAppAttest:
		return a.attestation(cache)
	case FormatAppleAssertion:
		return a.assertion()
	case FormatAppleReceipt:
		return a.receipt()
	}
	return fmt.Errorf("%w: there is no format %q", ErrUnsupported, a.ev.Format)
}

// find adds a finding that is about no certificate.
func (a *appraisal) find(code string, effect Effect, format string, args ...any) {
	a.findAt(-1, code, effect, format, args...)
}

// findAt adds a finding about the certificate at position, or about none.
func (a *appraisal) findAt(position int, code string, effect Effect, format string, args ...any) {
	f := Finding{Code: code, Class: classOf(code), Effect: effect, Detail: clip(fmt.Sprintf(format, args...))}
	if position >= 0 {
		f.Position = &position
	}
	a.verdict.Findings = append(a.verdict.Findings, f)
}

// maxDetail bounds a detail, which may quote what a stranger wrote, in bytes.
const maxDetail = 500

func clip(text string) string {
	if len(text) <= maxDetail {
		return text
	}
	return strings.ToValidUTF8(text[:maxDetail], "") + "..."
}

// hard ends an appraisal before it begins: the evidence is not authentic, and
// its claims are nobody's.
func (a *appraisal) hard(position int, code, detail string, unverified *Claims) {
	a.findAt(position, code, Reject, "%s", detail)
	a.verdict.Tier, a.verdict.UnverifiedClaims = TierNone, unverified
}

// conclude sets the tier once everything is found.
func (a *appraisal) conclude(c *Claims) {
	a.verdict.Claims, a.verdict.Tier = c, tierOf(a.verdict.Findings)
}

// judged is the effect of a finding that every policy file rejects and the
// built-in policy reports.
func (a *appraisal) judged() Effect {
	if a.p.genuine != nil {
		return Warn
	}
	return Reject
}

// chooseApp picks the app of the policy: the one that is named, the only one,
// the first that the evidence's identity matches, or the first.
func (a *appraisal) chooseApp(matches func(*appPolicy) bool) error {
	apps := a.p.apps
	switch {
	case a.p.genuine != nil:
		a.app = a.p.genuine
	case a.want.App != "":
		for i := range apps {
			if apps[i].id == a.want.App {
				a.app = &apps[i]
			}
		}
		if a.app == nil {
			return fmt.Errorf("%w: policy %s has no app %q", ErrUnsupported, a.p.name, a.want.App)
		}
	default:
		a.app = &apps[0]
		for i := range apps {
			if matches(&apps[i]) {
				a.app = &apps[i]
				break
			}
		}
	}
	a.verdict.App = a.app.id
	if a.app.android != nil {
		a.verdict.Profile = a.app.android.profile
	}
	return nil
}

// notReadable turns a format's "cannot tell" into ours.
func notReadable(err error) error {
	if errors.Is(err, appattest.ErrUnsupported) {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}

// peekRPIDHash reads rpIdHash from an unverified object, to find the app by it.
func peekRPIDHash(object []byte) []byte {
	var o struct {
		AuthData          []byte `cbor:"authData"`
		AuthenticatorData []byte `cbor:"authenticatorData"`
	}
	if err := cbor.Unmarshal(object, &o); err != nil {
		return nil
	}
	data := append(o.AuthData, o.AuthenticatorData...)
	if len(data) < 32 {
		return nil
	}
	return data[:32]
}
