package registry

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/audit"
)

// policyDocument is the kind of document that a policy is.
const policyDocument = "policy"

// AdoptPolicy keeps p, so that the verdicts under it can be explained for ever,
// and puts on the app's record that it is in force from now on, in one
// transaction. The server calls it at start and before it puts another policy
// in force; if it fails, the old one must stay. A policy that is in force
// already is not written again.
func (s *Service) AdoptPolicy(ctx context.Context, p *attest.Policy) error {
	now := s.now()
	var was string
	err := s.view(ctx, func(tx Tx) (err error) {
		was, err = tx.DocumentInForce(ctx, policyDocument)
		return err
	})
	if err != nil {
		return fmt.Errorf("registry: look up policy: %w", err)
	}
	if was == p.Digest() {
		return nil
	}
	err = s.update(ctx, func(tx Tx) error {
		was, err := tx.DocumentInForce(ctx, policyDocument)
		if err != nil || was == p.Digest() {
			return err
		}
		d := Document{Digest: p.Digest(), Kind: policyDocument, Body: p.Canonical(), At: now}
		if err := tx.PutDocumentInForce(ctx, d); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, d.entry(p.Name(), was))
	})
	if err != nil {
		return fmt.Errorf("registry: save policy: %w", err)
	}
	return nil
}

// entry tells the app's record that d is in force.
func (d Document) entry(name, was string) audit.Entry {
	digest := sha256.Sum256(d.Body)
	reason := "the first one"
	if was != "" {
		reason = "was " + was
	}
	body, err := json.Marshal(struct {
		Name string `json:"name"`
		Was  string `json:"was"` // digest; empty: there was none
	}{name, was})
	if err != nil {
		panic(err) // strings always encode
	}
	return audit.Entry{
		Time: d.At, Actor: audit.Actor{Kind: account.System}, Action: "attest.policy",
		Subject: d.Digest, Object: digest[:], Reason: reason, Detail: body,
	}
}
