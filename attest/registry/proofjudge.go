package registry

import (
	"slices"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/request"
)

// parseCall reads a call to Staunch itself and looks at all that needs no key. It
// gives nil, and the reason in a.verdict, unless all is good. An error is that of
// a message which no request gives.
func (a *ask) parseCall(hosts []string, loopbackToo bool) (*request.Parsed, error) {
	p, err := request.Parse(a.in.Message)
	if err != nil {
		return nil, a.fail(err)
	}
	if f := a.misdirected(p, hosts, loopbackToo); f != nil {
		return nil, a.fail(f)
	}
	if f := p.Clock(a.now, a.rules.request.MaxAge, a.rules.request.FutureSkew); f != nil {
		return nil, a.fail(f)
	}
	if checkKeyID(p.KeyID) == nil {
		a.keyID = p.KeyID
	}
	a.created = p.Created
	return p, nil
}

// misdirected reports why a call is not one to Staunch about this app, or nil. A
// host that the policy names for the app's backend is none of ours, so that
// nothing that was signed for the one is good at the other.
func (a *ask) misdirected(p *request.Parsed, hosts []string, loopbackToo bool) *request.Failure {
	if f := p.AtHost(hosts, loopbackToo); f != nil {
		return f
	}
	if p.At(a.rules.request.Authorities) == nil {
		return components("signed for " + p.Authority + ", which request.authorities of the policy gives to the app's backend")
	}
	for _, name := range request.CallFields() {
		if _, sent := a.in.Message.Fields[name]; sent && !p.Covers(name) {
			return components("the header field " + name + " is there, and the signature does not cover it")
		}
	}
	if app, sent := a.in.Message.Fields["staunch-app"]; sent && app != string(a.in.App) {
		return components("Staunch-App names another app than the one that is asked for")
	}
	return nil
}

func components(detail string) *request.Failure {
	return &request.Failure{Code: request.CodeComponents, Detail: detail}
}

// judgeCall verifies the signature of a call by a.key; nil: there is none.
func (s *Service) judgeCall(a *ask, p *request.Parsed) error {
	switch {
	case a.key == nil:
		a.refuse(keyUnknown, "no key of this app has this id")
	case a.key.unfit != "":
		a.refuseUnverified(a.key.unfit)
	case a.key.platform == platformApple:
		return s.judgeApple(a, p)
	default:
		a.judgeAndroid(p)
	}
	return nil
}

// refusal says why v refuses a call; nil: it does not. The rollout is asked only
// about what is neither hard nor of class abuse, and never for a call that nobody
// has signed.
func (a *ask) refusal(v attest.Verdict) error {
	if v.Accept() && a.good {
		return nil
	}
	if a.good && !barred(v) {
		subject := attest.Subject{App: string(a.in.App), Operation: attest.OperationRequest, Platform: a.key.platform, KeyID: a.key.id}
		if a.rules.policy.Stage(subject, v).Mode == attest.ModeObserve {
			return nil
		}
	}
	return refusedAt(a.now, gravest(v))
}

// barred reports whether v has a finding that no mode of a rollout lets through
// where the call is to Staunch itself.
func barred(v attest.Verdict) bool { return slices.ContainsFunc(v.Findings, bars) }

func bars(f attest.Finding) bool {
	if f.Effect != attest.Reject {
		return false
	}
	code, known := attest.LookupCode(f.Code)
	return !known || code.Hard || f.Class == attest.Abuse
}

// gravest is the finding that a refusal names: one that bars, else the first
// that rejects.
func gravest(v attest.Verdict) attest.Finding {
	if i := slices.IndexFunc(v.Findings, bars); i >= 0 {
		return v.Findings[i]
	}
	for _, f := range v.Findings {
		if f.Effect == attest.Reject {
			return f
		}
	}
	return attest.NewFinding(keyNotAttested, "the policy accepts nothing")
}

func refusedAt(now time.Time, f attest.Finding) *ProofRefused {
	return &ProofRefused{Code: f.Code, Detail: f.Detail, At: now}
}
