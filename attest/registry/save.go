package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// known are the keys in the store that a registration touches.
type known struct {
	same     *Key // already stored under the new key's id
	replaced *Key // named in Replaces
}

// stored loads them and reports what in them forbids the registration, or nil.
// A replaced key that is not there and one of somebody else are refused alike.
func (a *attempt) stored(ctx context.Context, tx Tx) (known, *attest.Finding, error) {
	var old known
	if a.verdict.Claims == nil {
		return old, nil, nil
	}
	load := func(id string) (*Key, error) {
		k, err := tx.AttestedKey(ctx, id)
		if errors.Is(err, ErrKeyUnknown) {
			return nil, nil
		}
		return &k, err
	}
	var err error
	if old.same, err = load(a.verdict.Claims.KeyID); err != nil {
		return old, nil, err
	}
	if old.same != nil {
		if f := old.same.registrable(a.in.Account); f != nil {
			return old, f, nil
		}
	}
	if a.in.Replaces == "" || a.in.Replaces == a.verdict.Claims.KeyID {
		return old, nil, nil
	}
	if old.replaced, err = load(a.in.Replaces); err != nil {
		return old, nil, err
	}
	if old.replaced == nil {
		old.replaced = &Key{}
	}
	return old, old.replaced.replaceable(a.in.Account), nil
}

// allow saves the key.
func (a *attempt) allow(ctx context.Context, tx Tx, v attest.Verdict, old known, evidence *Evidence) (*Registered, error) {
	k, err := a.key(v, old.same, evidence)
	if err != nil {
		return nil, err
	}
	if err := tx.PutAttestedKey(ctx, k); err != nil {
		return nil, err
	}
	if err := a.record(ctx, tx, v, "attest.register", "attest.key_registered", &k, "", evidence); err != nil {
		return nil, err
	}
	if old.replaced != nil {
		r := old.replaced.supersede()
		if err := tx.PutAttestedKey(ctx, r); err != nil {
			return nil, err
		}
		if err := a.record(ctx, tx, v, "attest.supersede", "attest.key_superseded", &r, k.ID, nil); err != nil {
			return nil, err
		}
	}
	decision, advice := Decide(v)
	return &Registered{Decision: decision, Advice: advice, KeyID: k.ID, Verdict: &v, Evidence: k.Evidence}, nil
}

// deny records the refusal, with the evidence for it if there is any.
func (a *attempt) deny(ctx context.Context, tx Tx, v attest.Verdict, evidence *Evidence) (*Registered, error) {
	out := denied(v)
	if evidence != nil {
		out.Evidence = evidence.ID
	}
	return out, a.record(ctx, tx, v, "attest.register", "attest.register_denied", nil, "", evidence)
}

// denied is the answer to a refusal.
func denied(v attest.Verdict) *Registered {
	_, advice := Decide(v)
	return &Registered{Decision: Deny, Advice: advice, Verdict: &v}
}

// key builds the record of the key that v accepts. same is what is stored of
// it: its counter goes on, for evidence says nothing of requests.
func (a *attempt) key(v attest.Verdict, same *Key, evidence *Evidence) (Key, error) {
	c := v.Claims
	if c == nil || checkKeyID(c.KeyID) != nil || len(c.KeySPKI) == 0 {
		return Key{}, fmt.Errorf("registry: an accepted verdict names no key")
	}
	k := Key{
		ID: c.KeyID, App: a.in.App, Account: a.in.Account, Platform: c.Platform,
		SPKI: c.KeySPKI, Algorithm: c.KeyAlgorithm, Tier: v.Tier, State: StateActive,
		Device: a.device, PolicyDigest: v.PolicyDigest, RegisteredAt: a.now, Serials: serials(v),
	}
	if evidence != nil {
		k.Evidence = evidence.ID
	}
	if c.Android != nil {
		k.Model, k.OS = model(c.Android.Device), c.Android.OSVersion
	}
	if c.Apple != nil {
		k.AppID, k.OS = c.Apple.AppID, c.Apple.OSVersion
	}
	if same != nil {
		k.Counter, k.Window, k.LastUsed = same.Counter, same.Window, same.LastUsed
		if same.State == StatePending {
			k.State = StatePending // the flow that holds it makes it active
		}
	}
	return k, nil
}

// model is the attested class of the device.
func model(d attest.Device) string {
	var words []string
	for _, word := range []*string{d.Manufacturer, d.Model} {
		if word != nil && *word != "" {
			words = append(words, *word)
		}
	}
	return strings.Join(words, " ")
}

// serials are those of the issuers; every leaf has serial 1.
func serials(v attest.Verdict) []string {
	var out []string
	if v.Claims.Platform == "android" {
		for _, c := range v.Chain[1:] {
			out = append(out, c.Serial)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// detail is what audit entry and event tell. Codes only: the texts of findings
// are for people.
type detail struct {
	Decision  Decision `json:"decision"`
	Platform  string   `json:"platform,omitempty"`
	Tier      string   `json:"tier"`
	Key       string   `json:"key,omitempty"`
	By        string   `json:"by,omitempty"` // the key that replaced it
	Codes     []code   `json:"codes"`
	Exception []string `json:"exceptions,omitempty"`
	Policy    string   `json:"policy"`

	Kept *audit.Kept `json:"kept,omitempty"` // the evidence
}

type code struct {
	Code   string `json:"code"`
	Class  string `json:"class"`
	Effect string `json:"effect"`
}

// record appends an audit entry and an event. k is the key that changed, and
// evidence what was stored for the decision; either may be nil.
func (a *attempt) record(ctx context.Context, tx Tx, v attest.Verdict, action, kind string, k *Key, by string, evidence *Evidence) error {
	decision, _ := Decide(v)
	d := detail{Decision: decision, Platform: platform(v.Format), Tier: string(v.Tier), By: by, Exception: v.Exceptions, Policy: v.PolicyDigest, Codes: []code{}}
	var reasons []string
	for _, f := range v.Findings {
		d.Codes = append(d.Codes, code{f.Code, string(f.Class), string(f.Effect)})
		if f.Effect == attest.Reject {
			reasons = append(reasons, f.Code)
		}
	}
	if evidence != nil {
		digest := evidence.Digest()
		d.Kept = &audit.Kept{Subject: evidence.ID, SHA256: digest[:], Until: evidence.Until}
	}
	e := audit.Entry{
		Account: a.in.Account, Time: a.now, Actor: audit.ActorOf(a.caller),
		Action: action, Reason: strings.Join(reasons, " "),
	}
	if k != nil {
		digest := k.Digest()
		d.Key, e.Subject, e.Object = k.ID, k.ID, digest[:]
	} else if v.Claims != nil {
		d.Key, e.Subject = v.Claims.KeyID, v.Claims.KeyID
	}
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("registry: encode detail: %w", err)
	}
	e.Detail = body
	if err := tx.AppendAudit(ctx, e); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, event.Event{Type: kind, Account: a.in.Account, Body: body, At: a.now})
}

func platform(f attest.Format) string {
	if f == attest.FormatAppleAppAttest {
		return "apple"
	}
	return "android"
}
