package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// appraise holds what is signed against the record of the key and the policy,
// and lists everything. Of the risk signals the metric of Apple's last receipt
// is known at a request; the others are those of a registration.
func (a *ask) appraise(k *KeyStanding) (findings []attest.Finding) {
	find := func(code, detail string) { findings = append(findings, attest.NewFinding(code, detail)) }
	switch k.State {
	case StateActive:
	case StateRevoked:
		find(keyRevoked, "this key was revoked")
	case StateSuperseded:
		find(keyNotAttested, "this key was replaced by another")
	default: // observed, and what nobody thought of
		find(keyNotAttested, "this key was let in without a good verdict")
	}
	if most := a.rules.app.MaxKeyAge; most > 0 && a.now.Sub(k.RegisteredAt) > most {
		find(keyTooOld, "registered on "+k.RegisteredAt.Format(time.DateOnly)+", longer ago than max_key_age")
	}
	if a.in.Account != "" && k.Account != a.in.Account {
		find(accountMismatch, "the key is another account's than the backend expects")
	}
	if a.key.platform == platformAndroid && !a.rules.app.TakesAndroid { // Apple: the verifier says so
		find(platformRefused, "the app has no [app.android] any more")
	}
	if k.RiskMetric != nil {
		findings = append(findings, a.rules.policy.Risk(string(a.in.App), map[string]uint64{attest.RiskMetric: uint64(*k.RiskMetric)})...)
	}
	return findings
}

// decided is what becomes of an ask.
type decided struct {
	*ask
	standing *KeyStanding // nil without a good signature by a key that is there
	verdict  attest.Verdict
	stage    attest.Staged
	decision Decision
	advice   Advice
	would    bool // it would be denied, and the stage only observes
	noted    bool // it is refused, or would be, and there is room on the record for it
}

// decide asks the rollout with the final verdict. The key draws the bucket, also
// where the signature is wrong: else the account that the backend expects.
func (a *ask) decide(k *KeyStanding, findings []attest.Finding) *decided {
	d := &decided{ask: a, standing: k, verdict: a.verdict}
	if len(findings) > 0 {
		d.verdict = a.verdict.With(findings...)
	}
	subject := attest.Subject{App: string(a.in.App), Operation: attest.OperationRequest, Country: a.in.Country, Account: string(a.in.Account)}
	if a.key != nil {
		subject.Platform, subject.KeyID = a.key.platform, a.key.id
	}
	d.stage = a.rules.policy.Stage(subject, d.verdict)
	d.decision, d.advice, d.would = decideIn(d.verdict, d.stage)
	d.noted = !d.verdict.Accept() && a.room()
	return d
}

// answer names the key only if the verdict accepts: identity is what was proved.
func (d *decided) answer() *RequestVerdict {
	out := &RequestVerdict{Decision: d.decision, Advice: d.advice, Verdict: &d.verdict, Stage: d.stage.Name}
	if d.verdict.Accept() && d.standing != nil {
		k := d.standing
		out.Key = &VerifiedKey{k.ID, k.Account, d.key.platform, k.Tier, k.RegisteredAt}
	}
	return out
}

// outcome is what the statistics count.
func (d *decided) outcome() outcome {
	o := outcome{
		at: d.now, operation: attest.OperationRequest, country: d.in.Country,
		stage: d.stage, allowed: d.decision == Allow,
		unsigned: d.standing == nil, unrecorded: !d.verdict.Accept() && !d.noted,
	}
	if d.key != nil {
		o.signed(d.key.about)
	}
	o.account = d.in.Account // as far as it is known without a good signature
	o.judged(d.verdict)
	if d.standing != nil {
		o.account = d.standing.Account
	}
	return o
}

// requestDetail is what audit entry and event tell of a request. Neither path
// nor query is in it: they may name people.
type requestDetail struct {
	Decision  Decision `json:"decision"`
	WouldDeny bool     `json:"would_deny,omitempty"`
	Platform  string   `json:"platform,omitempty"`
	Tier      string   `json:"tier"`
	Key       string   `json:"key,omitempty"`
	Codes     []code   `json:"codes"`
	Method    string   `json:"method,omitempty"`
	Route     string   `json:"route,omitempty"`
	Stage     string   `json:"stage,omitempty"`
	Policy    string   `json:"policy"`
}

// record puts a refusal on record, also one that a stage only observes. What is
// accepted is counted, not recorded one by one.
//
// A refusal with a good signature stands in the chain of the key's account, as
// far as there is room for this key: the request may be one that somebody has
// captured, and the key one that was stolen. One without is anybody's doing: it
// stands in the app's own chain, as far as there is room there (see budget).
// What finds no room is counted like all others, and told to nobody.
func (d *decided) record(ctx context.Context, tx Tx) error {
	if !d.noted {
		return nil
	}
	body := requestDetail{
		Decision: d.decision, WouldDeny: d.would, Tier: string(d.verdict.Tier), Key: d.keyID, Codes: []code{},
		Route: d.route.Name, Stage: d.stage.Name, Policy: d.verdict.PolicyDigest,
	}
	if d.standing != nil { // else it may be any text
		body.Method = d.in.Message.Method
	}
	if d.key != nil {
		body.Platform = d.key.platform
	}
	var reasons []string
	for _, f := range d.verdict.Findings {
		body.Codes = append(body.Codes, code{f.Code, string(f.Class), string(f.Effect)})
		if f.Effect == attest.Reject {
			reasons = append(reasons, f.Code)
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("registry: encode detail: %w", err)
	}
	e := audit.Entry{
		Time: d.now, Actor: audit.ActorOf(d.caller), Action: "attest.request", Subject: d.keyID,
		Reason: strings.Join(slices.Compact(reasons), " "), Detail: text,
	}
	if d.standing != nil {
		e.Account = d.standing.Account
	}
	if err := tx.AppendAudit(ctx, e); err != nil {
		return err
	}
	if d.standing == nil || d.decision == Allow {
		return nil
	}
	return tx.AppendEvent(ctx, event.Event{Type: "attest.request_denied", Account: e.Account, Body: text, At: d.now})
}
