package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// Adopt is Activate for a key that was committed for nobody: it gives the key to
// an account and makes it active, in the transaction of the flow. It is asked
// the same questions, and how many new keys the account has, which nobody could
// count before. The app's record says that the key is gone from there, and the
// account's tells of it from then on.
//
// ErrKeyUnknown: there is no such key, or it is somebody's. After a denial the
// transaction is to be committed, too, and the key is nobody's as before; if an
// issuer was revoked meanwhile it is StateRevoked.
func (s *Service) Adopt(ctx context.Context, tx Tx, caller account.Caller, id account.ID, keyID string, now time.Time) (*Registered, error) {
	policy, _, err := s.current(s.id)
	if err != nil {
		return nil, err
	}
	if err := id.Validate(); err != nil {
		return nil, fmt.Errorf("registry: adopt key: %w: %w", ErrMalformed, err)
	}
	k, err := tx.AttestedKey(ctx, keyID)
	if err != nil {
		return nil, fmt.Errorf("registry: adopt key: %w", err)
	}
	if k.Account != "" {
		return nil, fmt.Errorf("registry: adopt key: %w", ErrKeyUnknown)
	}
	n, err := accountKeys(ctx, tx, id, k.ID, now)
	if err != nil {
		return nil, err
	}
	against := append(s.speaksAgainst(k, policy, now), policy.Risk(string(s.id), map[string]uint64{attest.KeysPerAccount30Days: n})...)
	v := policy.Verdict(formatOf(k), string(s.id), now, against...)
	own := k
	own.Account = id
	r := s.ruleActivation(own, policy, v)
	if r.decision != Allow {
		return activate(ctx, tx, caller, k, r, now) // and on record where it stays
	}
	if err := handOver(ctx, tx, caller, own, now); err != nil {
		return nil, err
	}
	return activate(ctx, tx, caller, own, r, now)
}

// handOver says in the app's record that k is gone to its account. A pending key
// is stored by who activates it, any other here. Its receipt goes with it.
func handOver(ctx context.Context, tx Tx, caller account.Caller, k Key, now time.Time) error {
	body, err := json.Marshal(struct {
		Gone audit.Names `json:"gone"`
		To   account.ID  `json:"to"`
	}{audit.Names{k.ID}, k.Account})
	if err != nil {
		return fmt.Errorf("registry: encode detail: %w", err)
	}
	err = tx.AppendAudit(ctx, audit.Entry{
		Time: now, Actor: audit.ActorOf(caller), Action: "attest.release", Subject: k.ID, Reason: "an account has adopted it", Detail: body,
	})
	if err != nil {
		return err
	}
	if err := tx.AppendEvent(ctx, event.Event{Type: "attest.key_adopted", Account: k.Account, Body: body, At: now}); err != nil {
		return err
	}
	if k.State != StatePending {
		if err := tx.PutAttestedKey(ctx, k); err != nil {
			return err
		}
		digest := k.Digest()
		err := tx.AppendAudit(ctx, audit.Entry{
			Account: k.Account, Time: now, Actor: audit.ActorOf(caller), Action: "attest.adopt", Subject: k.ID, Object: digest[:],
		})
		if err != nil {
			return err
		}
	}
	r, found, err := tx.AttestedReceipt(ctx, k.ID)
	if err != nil || !found {
		return err
	}
	r.Account = k.Account
	if err := tx.PutReceipt(ctx, r); err != nil {
		return err
	}
	return tx.ReviveReceipts(ctx, k.Account, now)
}
