package integrity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/staunchid/staunch/account"
)

type credentialParams struct {
	Credential account.CredentialRef `json:"credential"`
}

// named reads the passkey that the parameters name.
func (s *Service) named(ctx context.Context, tx Tx, a *actor, params json.RawMessage) (account.Credential, error) {
	p, err := parameters[credentialParams](params)
	if err != nil {
		return account.Credential{}, err
	}
	if err := p.Credential.Validate(); err != nil {
		return account.Credential{}, fmt.Errorf("%w: params: credential: %w", ErrMalformed, err)
	}
	return s.credential(ctx, tx, a.Account, p.Credential)
}

func (s *Service) textRemoveCredential(ctx context.Context, tx Tx, a *actor, params json.RawMessage) (string, error) {
	c, err := s.named(ctx, tx, a, params)
	if err != nil {
		return "", err
	}
	name := "the passkey"
	if c.Name != "" {
		name = "the passkey " + inQuotes(c.Name)
	}
	return fmt.Sprintf("Remove %s of %s? Nobody can sign in with it any more.", name, c.AddedAt.UTC().Format("2 January 2006")), nil
}

func (s *Service) runRemoveCredential(ctx context.Context, tx Tx, a *actor, d *deed, params json.RawMessage) (any, error) {
	c, err := s.named(ctx, tx, a, params)
	if err != nil {
		return nil, err
	}
	devices, err := s.devices(ctx, tx, a.Account)
	if err != nil {
		return nil, err
	}
	for _, dev := range devices { // without a passkey nobody takes an account back
		if !slices.Contains(c.Devices, dev.ID) {
			continue
		}
		if err := s.recallStays(a, account.RemoveCredential, dev); err != nil {
			return nil, err
		}
	}
	d.subject, d.event, d.alert = string(c.Ref), "passkey.removed", string(account.RemoveCredential)
	d.body = map[string]any{"credential": c.Ref}
	d.data = map[string]any{"credential": c.Ref, "name": c.Name}
	if err := s.removeCredential(ctx, tx, d, c); err != nil {
		return nil, err
	}
	return map[string]any{"removed": c.Ref}, s.wayInStays(ctx, tx, a.Account)
}
