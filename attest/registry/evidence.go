package registry

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest"
)

// saveEvidence keeps what a decision was based on and returns its id, or
// nothing if the retention is zero. The bundle holds the verifier's verdict,
// which a replay compares; the record's own verdict has what the store added.
func (a *attempt) saveEvidence(ctx context.Context, tx Tx, v attest.Verdict) (string, error) {
	if a.keep == 0 {
		return "", nil
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
		return "", fmt.Errorf("registry: encode verdict: %w", err)
	}
	e := Evidence{
		ID: "e_" + strings.ToLower(rand.Text()), Account: a.in.Account,
		At: a.now, Until: a.now.Add(a.keep), Verdict: verdict, Bundle: a.bundle,
	}
	if v.Claims != nil {
		e.Key = v.Claims.KeyID
	}
	return e.ID, tx.AddEvidence(ctx, e)
}
