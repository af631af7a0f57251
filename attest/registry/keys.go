package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// KeyFilter chooses keys. What is empty chooses all.
type KeyFilter struct {
	Account account.ID
	State   State
	Serial  string // of an issuer, in hex: the keys that its revocation would touch
	Model   string // attested manufacturer and model, as in Key

	After string // the keys behind this id, which need not be there
}

// KeyPage is a part of the keys that a filter chooses, by id.
type KeyPage struct {
	Keys []Key
	Next string // for KeyFilter.After; empty: there are no more
}

// maxKeyPage is how many keys a page holds at most; as many as it does when it
// is not said.
const (
	maxKeyPage     = 500
	defaultKeyPage = 100
)

// ListKeys gives keys, a page at a time; size 0 means 100.
func (s *Service) ListKeys(ctx context.Context, caller account.Caller, app account.AppID, f KeyFilter, size int) (*KeyPage, error) {
	if err := s.forBackend(caller, app); err != nil {
		return nil, err
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	if size < 0 || size > maxKeyPage {
		return nil, fmt.Errorf("%w: a page of %d keys; at most %d are given at once", ErrMalformed, size, maxKeyPage)
	}
	if size == 0 {
		size = defaultKeyPage
	}
	var page KeyPage
	err := s.view(ctx, func(tx Tx) (err error) {
		page.Keys, err = tx.AttestedKeys(ctx, f, size+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("registry: list keys: %w", err)
	}
	if len(page.Keys) > size {
		page.Keys = page.Keys[:size]
		page.Next = page.Keys[size-1].ID
	}
	return &page, nil
}

// forBackend refuses whoever may not see and revoke keys.
func (s *Service) forBackend(c account.Caller, app account.AppID) error {
	if app != s.id {
		return ErrAppUnknown
	}
	if !c.In(s.id) || c.Kind != account.Backend && c.Kind != account.Operator {
		return ErrNotAllowed
	}
	return nil
}

// check reports what in f can choose nothing, and writes the serial as it is
// stored.
func (f *KeyFilter) check() error {
	if f.Account != "" {
		if err := f.Account.Validate(); err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	switch f.State {
	case "", StateActive, StatePending, StateObserved, StateRevoked, StateSuperseded:
	default:
		return fmt.Errorf("%w: state %.20q", ErrMalformed, f.State)
	}
	if f.Serial != "" {
		serial := strings.ToLower(f.Serial)
		if len(serial) > 128 || strings.Trim(serial, "0123456789abcdef") != "" {
			return fmt.Errorf("%w: serial %.60q is not hexadecimal", ErrMalformed, f.Serial)
		}
		if serial = strings.TrimLeft(serial, "0"); serial == "" {
			serial = "0"
		}
		f.Serial = serial
	}
	if len(f.Model) > 256 {
		return fmt.Errorf("%w: model of %d bytes", ErrMalformed, len(f.Model))
	}
	if f.After != "" {
		if err := checkKeyID(f.After); err != nil {
			return fmt.Errorf("page token: %w", err)
		}
	}
	return nil
}

// maxReason bounds the words that say why a key is revoked, in bytes.
const maxReason = 500

// RevokeKey ends a key for ever, whatever its state: no request of it is
// accepted from the answer on, and its account cannot register it again. Nobody
// else can either, unless the key was only observed: such a row is a claim, and
// gives way to the account that has the key accepted. The record of the key
// stays. reason goes into the audit record. To revoke a key again does
// nothing.
func (s *Service) RevokeKey(ctx context.Context, caller account.Caller, app account.AppID, id, reason string) (Key, error) {
	now := s.now()
	if err := s.forBackend(caller, app); err != nil {
		return Key{}, err
	}
	if err := checkKeyID(id); err != nil {
		return Key{}, err
	}
	if err := checkReason(reason); err != nil {
		return Key{}, err
	}
	var k Key
	err := s.update(ctx, func(tx Tx) (err error) {
		if k, err = tx.AttestedKey(ctx, id); err != nil || k.State == StateRevoked {
			return err
		}
		was := k.State
		k.State = StateRevoked
		if err := tx.PutAttestedKey(ctx, k); err != nil {
			return err
		}
		body, err := json.Marshal(struct {
			Key      string `json:"key"`
			Platform string `json:"platform"`
			Was      State  `json:"was"`
		}{k.ID, k.Platform, was})
		if err != nil {
			return fmt.Errorf("registry: encode detail: %w", err)
		}
		digest := k.Digest()
		err = tx.AppendAudit(ctx, audit.Entry{
			Account: k.Account, Time: now, Actor: audit.ActorOf(caller), Action: "attest.revoke",
			Subject: k.ID, Object: digest[:], Reason: reason, Detail: body,
		})
		if err != nil {
			return err
		}
		return tx.AppendEvent(ctx, event.Event{Type: "attest.key_revoked", Account: k.Account, Body: body, At: now})
	})
	if err != nil {
		return Key{}, fmt.Errorf("registry: revoke key: %w", err)
	}
	return k, nil
}

// checkReason wants words that a person can read later.
func checkReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return fmt.Errorf("%w: no reason; say why the key is revoked, for the record", ErrMalformed)
	}
	if len(reason) > maxReason || !utf8.ValidString(reason) || strings.ContainsFunc(reason, unicode.IsControl) {
		return fmt.Errorf("%w: the reason is at most %d bytes of printable text", ErrMalformed, maxReason)
	}
	return nil
}
