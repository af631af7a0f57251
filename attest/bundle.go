package attest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/staunchid/staunch/attest/android"
)

// Bundle is everything that a verdict is a function of, so that it can be
// computed again: evidence, expectations, canonical policy, what the revocation
// list said of the chain, and time; with the verdict that came out then.
type Bundle struct {
	Version  int             `json:"version"` // 1
	Evidence BundleEvidence  `json:"evidence"`
	Expect   BundleExpect    `json:"expect"`
	Policy   json.RawMessage `json:"policy"` // canonical
	Status   *BundleStatus   `json:"status_list"`
	Rules    int             `json:"rules"` // of the code that gave the verdict
	At       time.Time       `json:"at"`
	Verdict  BundleVerdict   `json:"verdict"`
}

// BundleEvidence is Evidence; one of the two is set.
type BundleEvidence struct {
	Format Format   `json:"format"`
	Chain  [][]byte `json:"chain,omitempty"`
	Object []byte   `json:"object,omitempty"`
}

// BundleExpect is Expect, as far as it is data.
type BundleExpect struct {
	App            string         `json:"app,omitempty"`
	AppID          string         `json:"app_id,omitempty"`
	Challenge      []byte         `json:"challenge"`
	ClientData     []byte         `json:"client_data"`
	ClientDataHash []byte         `json:"client_data_hash"`
	KeyID          []byte         `json:"key_id"`
	PublicKey      []byte         `json:"public_key"`
	Counter        uint32         `json:"counter,omitempty"`
	UsesLeft       map[string]int `json:"uses_left,omitempty"` // by exception with a cap
	CapsJudged     bool           `json:"caps_judged,omitempty"`

	Signals map[string]uint64 `json:"signals,omitempty"` // risk signals that the server knew; absent in bundles of releases before they acted
}

// BundleStatus is the revocation list by its digest, with the entries that the
// chain's serials have.
type BundleStatus struct {
	Digest    string            `json:"digest"`
	FetchedAt *time.Time        `json:"fetched_at"`
	Entries   int               `json:"entries"`
	Listed    map[string]string `json:"listed"`
}

// BundleVerdict is what a replay compares.
type BundleVerdict struct {
	Verdict  string          `json:"verdict"`
	Tier     Tier            `json:"tier"`
	Findings []BundleFinding `json:"findings"`
}

// BundleFinding is a Finding without what is only for people.
type BundleFinding struct {
	Code     string `json:"code"`
	Effect   Effect `json:"effect"`
	Position *int   `json:"position"`
}

func (f BundleFinding) String() string {
	if f.Position == nil {
		return fmt.Sprintf("%s (%s)", f.Code, f.Effect)
	}
	return fmt.Sprintf("%s (%s) at position %d", f.Code, f.Effect, *f.Position)
}

// NewBundle packs a verdict with its inputs.
func NewBundle(ev Evidence, want Expect, p *Policy, verdict Verdict) (*Bundle, error) {
	if p == nil || p.canonical == nil {
		return nil, fmt.Errorf("%w: no policy to pack", ErrMalformed)
	}
	b := &Bundle{
		Version:  1,
		Evidence: BundleEvidence(ev),
		Expect: BundleExpect{
			want.App, want.AppID, want.Challenge, want.ClientData, want.ClientDataHash, want.KeyID, want.PublicKey,
			want.Counter, nil, want.UsesLeft != nil, maps.Clone(want.Signals),
		},
		Policy: p.canonical, Rules: verdict.Rules, At: verdict.At.UTC(), Verdict: summarise(verdict),
	}
	if want.UsesLeft != nil {
		b.Expect.UsesLeft = make(map[string]int)
		for _, x := range p.exceptions {
			if x.MaxUsesPerDay > 0 {
				b.Expect.UsesLeft[x.ID] = want.UsesLeft(x.ID)
			}
		}
	}
	if s := want.Status; s != nil {
		b.Status = &BundleStatus{s.Digest, timeOrNil(s.FetchedAt), s.Len(), make(map[string]string)}
		for _, c := range verdict.Chain {
			if status := s.Lookup(c.Serial); status != "" {
				b.Status.Listed[c.Serial] = status
			}
		}
	}
	return b, nil
}

func summarise(v Verdict) BundleVerdict {
	s := BundleVerdict{Verdict: "reject", Tier: v.Tier, Findings: []BundleFinding{}}
	if v.Accept() {
		s.Verdict = "accept"
	}
	for _, f := range v.Findings {
		s.Findings = append(s.Findings, BundleFinding{f.Code, f.Effect, f.Position})
	}
	return s
}

// ParseBundle reads a bundle as json.Marshal writes it.
func ParseBundle(data []byte) (*Bundle, error) {
	if len(data) > 8*MaxInput {
		return nil, fmt.Errorf("%w: a bundle larger than %d bytes", ErrMalformed, 8*MaxInput)
	}
	b := &Bundle{}
	if text := bytes.TrimSpace(data); len(text) == 0 || text[0] != '{' {
		return nil, fmt.Errorf("%w: a replay bundle is a JSON object", ErrMalformed)
	}
	if err := strictJSON(data, b); err != nil {
		return nil, fmt.Errorf("%w: bundle: %w", ErrMalformed, err)
	}
	if b.Version != 1 {
		return nil, fmt.Errorf("%w: bundle of version %d; this release reads version 1", ErrMalformed, b.Version)
	}
	return b, nil
}

// Inputs are what the verdict was about, for Verifier.Verify at b.At.
func (b *Bundle) Inputs() (Evidence, Expect) {
	e := &b.Expect
	want := Expect{
		App: e.App, AppID: e.AppID, Challenge: e.Challenge, ClientData: e.ClientData, ClientDataHash: e.ClientDataHash,
		KeyID: e.KeyID, PublicKey: e.PublicKey, Counter: e.Counter, Signals: e.Signals,
	}
	if e.CapsJudged {
		want.UsesLeft = func(id string) int { return e.UsesLeft[id] }
	}
	if s := b.Status; s != nil {
		want.Status = android.NewStatusList(s.Digest, s.FetchedAt, s.Entries, s.Listed)
	}
	return Evidence(b.Evidence), want
}

// Replay is the outcome of verifying a bundle again.
type Replay struct {
	Equal      bool
	Then, Now  BundleVerdict
	RulesThen  int
	RulesNow   int
	Differ     []string // what differs, for people
	NewVerdict Verdict
}

// Replay verifies the bundle again and compares verdict, tier and the set of
// (code, effect, position).
func (v *Verifier) Replay(b *Bundle) (*Replay, error) {
	p, err := ParsePolicy(b.Policy)
	if err != nil {
		return nil, err
	}
	ev, want := b.Inputs()
	now, err := v.Verify(ev, want, p, b.At)
	if err != nil {
		return nil, err
	}
	r := &Replay{Then: b.Verdict, Now: summarise(now), RulesThen: b.Rules, RulesNow: Rules, NewVerdict: now}
	r.compare()
	return r, nil
}

func (r *Replay) compare() {
	if r.Then.Verdict != r.Now.Verdict {
		r.Differ = append(r.Differ, fmt.Sprintf("verdict: was %s, is %s", r.Then.Verdict, r.Now.Verdict))
	}
	if r.Then.Tier != r.Now.Tier {
		r.Differ = append(r.Differ, fmt.Sprintf("tier: was %s, is %s", r.Then.Tier, r.Now.Tier))
	}
	then, now := findingSet(r.Then.Findings), findingSet(r.Now.Findings)
	for _, f := range then {
		if !slices.Contains(now, f) {
			r.Differ = append(r.Differ, "gone: "+f)
		}
	}
	for _, f := range now {
		if !slices.Contains(then, f) {
			r.Differ = append(r.Differ, "new: "+f)
		}
	}
	r.Equal = len(r.Differ) == 0
}

func findingSet(findings []BundleFinding) []string {
	set := make([]string, 0, len(findings))
	for _, f := range findings {
		set = append(set, f.String())
	}
	slices.Sort(set)
	return slices.Compact(set)
}
