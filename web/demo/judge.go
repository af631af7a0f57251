package demo

import (
	"fmt"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/web/site"
)

// pinnedPolicy is what the app of the demo would have built in: which apps and
// roots its phones believe, whatever the server says. A real app asks its platform's
// SDK here.
func pinnedPolicy(app account.AppID) (*attest.Policy, error) {
	var file attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &file); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	file.App[0].ID = string(app)
	for i := range file.Rollout {
		file.Rollout[i].App = string(app)
	}
	p, err := attest.NewPolicy(&file)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return p, nil
}

// finding is one of a verdict.
type finding struct {
	Code   string `json:"code"`
	Effect string `json:"effect"`
	Detail string `json:"detail,omitempty"`
}

// noStatus is what a policy finds where there is no revocation list. A phone has
// none, and that is no reason to refuse: the server, which has one, has judged too.
const noStatus = "android.status_unavailable"

// verify judges what another phone says of its key.
func (c *call) verify() (any, error) {
	var in struct {
		Evidence struct {
			Platform string   `json:"platform"`
			Chain    []octets `json:"chain"`
		} `json:"evidence"`
		Challenge octets `json:"challenge"`
		SPKI      octets `json:"spki"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Evidence.Platform != "android" || len(in.Evidence.Chain) == 0 {
		return nil, fmt.Errorf(`%w: evidence: the phones of the demo are "android", with a chain`, site.ErrRequest)
	}
	if len(in.Challenge) == 0 {
		return nil, fmt.Errorf("%w: challenge: without one the evidence may be anybody's", site.ErrRequest)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	ev := attest.Evidence{Format: attest.FormatAndroidChain}
	for _, der := range in.Evidence.Chain {
		ev.Chain = append(ev.Chain, der)
	}
	v, err := verifier.Verify(ev, attest.Expect{App: string(c.app), Challenge: in.Challenge}, c.judge, c.now())
	if err != nil {
		return nil, fmt.Errorf("%w: evidence: %w", site.ErrRequest, err)
	}
	out := struct {
		Accepted bool      `json:"accepted"`
		Key      octets    `json:"key"`
		Findings []finding `json:"findings"`
	}{Accepted: v.Claims != nil, Findings: []finding{}}
	if v.Claims != nil {
		out.Key = v.Claims.KeySPKI
		out.Accepted = string(out.Key) == string(in.SPKI) // the attested key, and not another beside it
	}
	for _, f := range v.Findings {
		if f.Code == noStatus {
			continue
		}
		out.Findings = append(out.Findings, finding{f.Code, string(f.Effect), f.Detail})
		out.Accepted = out.Accepted && f.Effect != attest.Reject
	}
	return out, nil
}
