package registry

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// Evidence is what one decision was based on. It never changes.
type Evidence struct {
	ID      string // "e_" and 26 characters
	Account account.ID
	Key     string // id of the key, as far as it is known; it may belong to another account
	At      time.Time
	Until   time.Time // when it may be deleted
	Verdict []byte    // JSON: tier and findings of the decision, without claims
	Bundle  []byte    // JSON of attest.Bundle, for a replay; empty when it must not be kept
}

// Digest is what the audit entry of the decision holds of its evidence.
//
//	SHA-256("staunch/attest/evidence/v1" ‖ 0x00 ‖ L(field) of every field in order), times as U64 microseconds
func (e Evidence) Digest() [32]byte {
	return digest("staunch/attest/evidence/v1", e.ID, string(e.Account), e.Key,
		micros(e.At), micros(e.Until), string(e.Verdict), string(e.Bundle))
}

// saveEvidence keeps what a decision was based on and returns it, or nil if
// the retention is zero. The bundle holds the verifier's verdict,
// which a replay compares; the record's own verdict has what the store added.
func (a *Attempt) saveEvidence(ctx context.Context, tx Tx, v attest.Verdict) (*Evidence, error) {
	keep := a.s.retention
	if keep == 0 {
		return nil, nil
	}
	verdict, err := json.Marshal(struct {
		Format   attest.Format    `json:"format"`
		Tier     attest.Tier      `json:"tier"`
		Findings []attest.Finding `json:"findings"`
		Policy   string           `json:"policy_digest"`
		Rules    int              `json:"rules"`
		At       time.Time        `json:"at"`
	}{v.Format, v.Tier, v.Findings, v.PolicyDigest, v.Rules, a.now})
	if err != nil {
		return nil, fmt.Errorf("registry: encode verdict: %w", err)
	}
	e := &Evidence{
		ID: "e_" + strings.ToLower(rand.Text()), Account: a.in.Account,
		At: a.now, Until: a.now.Add(keep), Verdict: verdict, Bundle: a.bundle,
	}
	if v.Claims != nil {
		e.Key = v.Claims.KeyID
	}
	return e, tx.AddEvidence(ctx, *e)
}
