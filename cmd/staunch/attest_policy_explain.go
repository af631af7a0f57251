package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/staunchid/staunch/attest"
)

// AttestPolicyExplainCmd is `staunch attest policy explain`.
type AttestPolicyExplainCmd struct {
	Country   string `help:"Country of whom the evidence is from, two letters of ISO 3166-1; default ZZ, unknown." placeholder:"CC"`
	Operation string `default:"auto" enum:"auto,register,request" help:"What the rollout is asked for, register or request; auto: request for assertions, else register." placeholder:"OPERATION"`
	Account   string `help:"Account, for evidence that shows no key." placeholder:"ID"`
	JSON      bool   `name:"json" help:"Print the explanation as one JSON object."`

	File   string `arg:"" help:"Policy file."`
	Bundle string `arg:"" help:"Replay bundle in JSON; - is standard input."`
}

// Help is the long text of --help.
func (AttestPolicyExplainCmd) Help() string {
	return `Verifies the evidence of a bundle again, at its time, but under the policy in FILE, and says for each finding which
key of the file gave it its effect; for each exception why it applied or did not; which risk rules fired; and which
stage of the rollout decides. So a change of a policy can be tried on phones that it is about.

A bundle comes from a server, ` + "`staunch attest replay --config staunch.toml --print EVIDENCE_ID`" + `, or of evidence in
a file from ` + "`staunch attest verify --bundle`" + `. What was known then is in it: the revocation list, uses of exceptions, risk signals. Exceptions with a cap that the bundle does not know count as
having a use left.

Exit status: 0 let in, 1 denied, 2 cannot tell.

Examples:
  staunch attest policy explain policy.toml bundle.json
  staunch attest policy explain --country JP --json policy.toml - < bundle.json`
}

// Run explains.
func (c *AttestPolicyExplainCmd) Run(s *streams) error {
	x, err := c.explain(s.in)
	if err != nil {
		return &exitError{exitCannot, err}
	}
	if c.JSON {
		err = writeJSON(s.out, x.asJSON())
	} else {
		_, err = io.WriteString(s.out, x.inWords(colours(s.out)))
	}
	if err != nil {
		return &exitError{exitCannot, err}
	}
	if !x.letIn() {
		return &exitError{code: exitNo}
	}
	return nil
}

// policyExplanation is an explanation with the file whose lines it names.
type policyExplanation struct {
	*attest.Explanation
	policy *policyText
	then   attest.BundleVerdict // what the bundle's own policy said
	under  *attest.Policy       // that policy
}

func (c *AttestPolicyExplainCmd) explain(stdin io.Reader) (*policyExplanation, error) {
	if c.File == "-" {
		return nil, fmt.Errorf("the policy is a file: only the bundle can be standard input")
	}
	country := attest.Country(c.Country)
	if country == attest.CountryUnknown && c.Country != "" && !strings.EqualFold(c.Country, country) {
		return nil, fmt.Errorf("--country: %q is no country of ISO 3166-1; write two letters such as JP. A server takes it as unknown: try that with %s, or without --country", c.Country, country)
	}
	t, err := readPolicyText(c.File)
	if err != nil {
		return nil, err
	}
	text, err := readBounded(stdin, c.Bundle, 8*attest.MaxInput)
	if err != nil {
		return nil, err
	}
	b, err := attest.ParseBundle(text)
	if err != nil {
		return nil, fmt.Errorf("%w (`staunch attest verify --bundle` makes one of evidence, `staunch attest replay --print` prints one that a server keeps)", err)
	}
	was, err := attest.ParsePolicy(b.Policy)
	if err != nil {
		return nil, err
	}
	ev, want := b.Inputs()
	if left := want.UsesLeft; left != nil {
		want.UsesLeft = func(id string) int {
			if _, known := b.Expect.UsesLeft[id]; known {
				return left(id)
			}
			return 1
		}
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		return nil, err
	}
	subject := attest.Subject{Operation: c.Operation, Country: country, Account: c.Account}
	if c.Operation == "auto" {
		subject.Operation = attest.OperationRegister
		if ev.Format == attest.FormatAppleAssertion {
			subject.Operation = attest.OperationRequest
		}
	}
	e, err := verifier.Explain(ev, want, t.policy, subject, b.At)
	if err != nil {
		return nil, err
	}
	return &policyExplanation{e, t, b.Verdict, was}, nil
}

// letIn is what a server would do.
func (x *policyExplanation) letIn() bool {
	return x.Verdict.Accept() || x.Staged.Mode == attest.ModeObserve
}

func (x *policyExplanation) inWords(p palette) string {
	var b strings.Builder
	b.WriteString(headline(p, x.Verdict) + "\n\n")
	item(&b, p, "judged now", judgedBy(x.Verdict)+", app "+x.Verdict.App)
	was := "policy " + x.under.Name() + x.digests() + ", "
	if (x.then.Verdict == "accept") != x.Verdict.Accept() {
		was += "ANOTHER outcome: " + x.then.Verdict
	} else {
		was += "the same outcome: " + x.then.Verdict
	}
	item(&b, p, "judged then", was)

	heading(&b, p, "Findings, and what gave them their effect")
	for i, f := range x.Verdict.Findings {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(finding(p, f))
		b.WriteString(wrap("By: "+printable(x.by(x.Reasons[i])), indent))
	}
	if len(x.Verdict.Findings) == 0 {
		item(&b, p, "none", "nothing departs from what the policy demands")
	}
	x.exceptionsInWords(&b, p)
	if len(x.Risk) > 0 {
		heading(&b, p, "Risk rules")
	}
	for _, r := range x.Risk {
		item(&b, p, r.Key, fmt.Sprintf("%s, from %d on %s: %s", r.Rule.Signal, r.Rule.AtLeast, r.Rule.Effect, riskOutcome(r)))
	}
	x.stagesInWords(&b, p)
	b.WriteString("\n" + x.decision(p))
	return b.String()
}

// digests tells the two policies apart where their names do not.
func (x *policyExplanation) digests() string {
	now, then := x.policy.policy, x.under
	switch {
	case now.Name() != then.Name():
		return ""
	case now.Digest() == then.Digest():
		return " (this one)"
	}
	return fmt.Sprintf(" (digest %s; now %s)", shortDigest(then.Digest()), shortDigest(now.Digest()))
}

// shortDigest is enough of a digest to tell two apart.
func shortDigest(digest string) string {
	return short(strings.TrimPrefix(digest, "sha256:"), 13)
}

// by says which key, where and with what value, and why.
func (x *policyExplanation) by(r attest.Reason) string {
	if r.Key == "" {
		return r.Why
	}
	text := r.Key + " (" + x.policy.at(r.Key) + ")"
	if v := x.policy.value(r.Key); v != "" && len(v) <= 60 {
		text = r.Key + " = " + v + " (" + x.policy.at(r.Key) + ")"
	}
	return text + ": " + r.Why
}

func (x *policyExplanation) exceptionsInWords(b *strings.Builder, p palette) {
	if len(x.Exceptions) > 0 {
		heading(b, p, "Exceptions, held against what this phone departs in")
	}
	for _, try := range x.Exceptions {
		outcome := p.paint(dim, "does not apply")
		why := ": it " + try.Why
		if try.Applied {
			outcome, why = p.paint(green, "APPLIES"), ""
		}
		fmt.Fprintf(b, "  %s at position %d: %s (%s, %s) %s\n", try.Check, try.Position, try.ID, try.Key, x.policy.at(try.Key), outcome)
		if why != "" {
			b.WriteString(wrap(strings.TrimPrefix(why, ": "), indent))
		}
	}
}

func riskOutcome(r attest.RiskTry) string {
	switch {
	case r.Value == nil:
		return "the signal has no value here, and fires nothing"
	case r.Fired:
		return fmt.Sprintf("it is %d, so the rule FIRES", *r.Value)
	}
	return fmt.Sprintf("it is %d, below the rule", *r.Value)
}

func (x *policyExplanation) stagesInWords(b *strings.Builder, p palette) {
	s := x.Subject
	country := s.Country
	if country == attest.CountryUnknown {
		country = "an unknown country (--country)"
	}
	heading(b, p, "Rollout")
	item(b, p, "for", fmt.Sprintf("app %s, %s on %s, %s, %s", s.App, s.Operation, s.Platform, country, drawnBy(s)))
	matched := false
	for i, try := range x.Stages {
		switch {
		case try.Matched:
			matched = true
			bucket := ""
			if stage := x.policy.keys.Rollout[i]; stage.Percent < 100 {
				bucket = fmt.Sprintf("; bucket %d, below %d", try.Bucket, stage.Percent*100)
			}
			item(b, p, try.Key, fmt.Sprintf("(%s) MATCHES, mode %s%s", x.policy.at(try.Key), try.Mode, bucket))
		case try.Why != "":
			item(b, p, try.Key, fmt.Sprintf("(%s) does not match: it %s", x.policy.at(try.Key), try.Why))
		default:
			item(b, p, try.Key, "not looked at")
		}
	}
	if !matched {
		item(b, p, "otherwise", "no stage matches: mode enforce")
	}
}

func drawnBy(s attest.Subject) string {
	switch {
	case s.KeyID != "":
		return "key " + s.KeyID
	case s.Account != "":
		return "account " + s.Account + ", since the evidence shows no key"
	}
	return "neither key nor account (--account): the last bucket"
}

func (x *policyExplanation) decision(p palette) string {
	stage := x.Staged.Name
	if stage == "" {
		stage = "no stage"
	}
	switch {
	case x.Verdict.Accept():
		return p.paint(green, "LET IN") + "  the verdict accepts\n"
	case x.letIn():
		return p.paint(yellow, "LET IN") + "  the verdict rejects, and " + stage + " observes: the record keeps would_deny\n"
	case x.Staged.Name == "":
		return p.paint(red, "DENIED") + "  the verdict rejects, and no stage lets it in\n"
	}
	return p.paint(red, "DENIED") + "  the verdict rejects, and " + stage + " enforces\n"
}
