package operator

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// Browser is where a ceremony goes on: the page's origin, by the configuration,
// and the secret that binds it to the browser that began it.
type Browser struct {
	Origin string
	Cookie []byte // 32 bytes
	Label  string // what it says of itself: "Chromium on Linux"
}

// Begun is a ceremony that waits for its answer.
type Begun struct {
	Ceremony account.CeremonyID
	Options  json.RawMessage // for the browser
	Name     string          // of the operator who enrols
}

// Answer is what a browser answers.
type Answer struct {
	Ceremony account.CeremonyID
	Response []byte
	Browser  Browser
}

// Signed is a session that has begun.
type Signed struct {
	Operator ID
	Name     string
	Token    Secret
	Until    time.Time
}

// page is the Relying Party for a browser.
func (s *Service) page(b Browser) (*passkey.RelyingParty, error) {
	switch {
	case s.rp == nil:
		return nil, ErrNotAllowed
	case b.Origin == "" || len(b.Cookie) != secretSize:
		return nil, ErrCeremony
	}
	return s.rp.For(passkey.Dialog{Origin: b.Origin})
}

// open stores a ceremony that has begun.
func (s *Service) open(ctx context.Context, tx Tx, c passkey.Ceremony, row Ceremony, b Browser) (account.CeremonyID, error) {
	by := sha256.Sum256(b.Cookie)
	row.ID, row.Purpose, row.Binding = account.NewCeremonyID(), c.Purpose, by[:]
	row.Challenge, row.Origin, row.Extensions = c.Challenge, c.Origin, c.Extensions
	row.CreatedAt, row.ExpiresAt = c.CreatedAt, c.ExpiresAt
	row.MAC = row.Seal(s.key)
	return row.ID, tx.AddOperatorCeremony(ctx, row)
}

// ceremony finds the ceremony of an answer, if this browser has begun it.
func (s *Service) ceremony(ctx context.Context, in *Answer, p passkey.Purpose) (row Ceremony, c passkey.Ceremony, err error) {
	if s.rp == nil {
		return row, c, ErrNotAllowed
	}
	found := false
	err = s.view(ctx, func(tx Tx) (err error) {
		row, found, err = tx.OperatorCeremony(ctx, in.Ceremony)
		return err
	})
	by := sha256.Sum256(in.Browser.Cookie)
	switch {
	case err != nil:
	case !found || row.Purpose != p || len(in.Browser.Cookie) != secretSize || subtle.ConstantTimeCompare(by[:], row.Binding) != 1:
		err = ErrCeremony
	case !row.Sound(s.key):
		err = fmt.Errorf("%w: ceremony %s", ErrTampered, row.ID)
	case p == passkey.Enrol && len(row.Invitation) != sha256.Size:
		err = ErrCeremony
	}
	return row, passkey.Ceremony{
		Purpose: row.Purpose, RPID: s.rp.RPID(), Challenge: row.Challenge, Origin: row.Origin, Extensions: row.Extensions,
		CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt, UsedAt: row.UsedAt,
	}, err
}

// use marks the ceremony used, once.
func (s *Service) use(ctx context.Context, tx Tx, row Ceremony, now time.Time) error {
	switch ok, err := tx.UseOperatorCeremony(ctx, row.ID, now); {
	case err != nil:
		return err
	case !ok:
		return ErrCeremony
	}
	return nil
}
