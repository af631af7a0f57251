package registry

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

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
	for _, c := range v.Chain[1:] {
		out = append(out, c.Serial)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// batchKey is the SHA-256 of the batch's key; nil: there is none.
func batchKey(v attest.Verdict) []byte {
	text, _ := v.Batch()
	b, err := hex.DecodeString(text)
	if err != nil || len(b) == 0 {
		return nil
	}
	return b
}

// told is what audit entry and event tell of.
type told struct {
	action   string    // empty: attest.register
	kind     string    // of the event
	key      *Key      // that changed; nil: none
	by       string    // the key that replaced it
	evidence *Evidence // what was stored for the decision; nil: nothing
}

// detail is what audit entry and event tell. Codes only: the texts of findings
// are for people.
type detail struct {
	Decision  Decision `json:"decision"`
	WouldDeny bool     `json:"would_deny,omitempty"` // it rejects, and the stage only observes
	Stage     string   `json:"stage,omitempty"`
	Platform  string   `json:"platform,omitempty"`
	Tier      string   `json:"tier"`
	Key       string   `json:"key,omitempty"`
	State     State    `json:"state,omitempty"` // of the key, if it changed
	By        string   `json:"by,omitempty"`    // the key that replaced it
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

// record puts a registration on record and counts it.
func (a *Attempt) record(ctx context.Context, tx Tx, r ruling, t told) error {
	if err := a.deed().record(ctx, tx, r, t); err != nil {
		return err
	}
	return a.s.count(ctx, tx, a.outcome(r))
}

func (a *Attempt) deed() deed { return deed{a.caller, a.in.Account, a.now} }

// deed is who did something for which account, and when.
type deed struct {
	caller  account.Caller
	account account.ID
	now     time.Time
}

// record appends an audit entry and an event.
func (d deed) record(ctx context.Context, tx Tx, r ruling, t told) error {
	v := r.verdict
	body := detail{
		Decision: r.decision, WouldDeny: r.would, Stage: r.stage.Name, Platform: platform(v.Format), Tier: string(v.Tier), By: t.by,
		Exception: v.Exceptions, Policy: v.PolicyDigest, Codes: []code{},
	}
	var reasons []string
	for _, f := range v.Findings {
		body.Codes = append(body.Codes, code{f.Code, string(f.Class), string(f.Effect)})
		if f.Effect == attest.Reject {
			reasons = append(reasons, f.Code)
		}
	}
	if t.evidence != nil {
		digest := t.evidence.Digest()
		body.Kept = &audit.Kept{Subject: t.evidence.ID, SHA256: digest[:], Until: t.evidence.Until}
	}
	e := audit.Entry{
		Account: d.account, Time: d.now, Actor: audit.ActorOf(d.caller),
		Action: t.action, Reason: strings.Join(reasons, " "),
	}
	if e.Action == "" {
		e.Action = "attest.register"
	}
	if k := t.key; k != nil {
		digest := k.Digest()
		body.Key, body.State, e.Subject, e.Object = k.ID, k.State, k.ID, digest[:]
	} else if v.Claims != nil {
		body.Key, e.Subject = v.Claims.KeyID, v.Claims.KeyID
	}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("registry: encode detail: %w", err)
	}
	e.Detail = text
	if err := tx.AppendAudit(ctx, e); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, event.Event{Type: t.kind, Account: d.account, Body: text, At: d.now})
}

// appendGone tells the account that k was observed of that it is no longer its
// own. Whose it is now stands in the other account's record.
func (a *Attempt) appendGone(ctx context.Context, tx Tx, k *Key) error {
	body, err := json.Marshal(struct {
		Gone string `json:"gone"`
	}{k.ID})
	if err != nil {
		return fmt.Errorf("registry: encode detail: %w", err)
	}
	e := audit.Entry{
		Account: k.Account, Time: a.now, Actor: audit.ActorOf(a.caller), Action: "attest.release",
		Subject: k.ID, Reason: "a key that was only observed, and that another account has attested", Detail: body,
	}
	if err := tx.AppendAudit(ctx, e); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, event.Event{Type: "attest.key_released", Account: k.Account, Body: body, At: a.now})
}

func platform(f attest.Format) string {
	if f == attest.FormatAppleAppAttest {
		return "apple"
	}
	return "android"
}
