package integrity

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// Join is what a device of the account shows of a join before it approves it.
// The code is what it has scanned; the hash in it must be that of the server, or
// the join is unknown. Without a code it gives a join that waits for the
// caller's own account: one that began with a sign-in.
func (s *Service) Join(ctx context.Context, c account.Caller, id account.JoinID, code string) (*JoinView, error) {
	now := s.now()
	var hash []byte
	if code != "" {
		var err error
		if id, hash, err = account.ParseJoinCode(code); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	var out *JoinView
	err := s.look(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.AccountRead); err != nil {
			return err
		}
		j, err := s.offered(ctx, tx, a, id)
		if err != nil {
			return err
		}
		switch {
		case hash != nil && subtle.ConstantTimeCompare(hash, j.KeysHash[:len(hash)]) != 1, hash == nil && j.Account != a.Account:
			return ErrJoinUnknown
		}
		out = &JoinView{
			Join: j.ID, Kind: j.Kind, Name: j.Name, Platform: j.Platform, KeysHash: j.KeysHash, Origin: j.Origin, Place: j.Place,
			ExpiresAt: j.ExpiresAt,
		}
		return nil
	})
	return out, err
}

// offered reads a join that a device of the account may approve: it is open, and
// waits for no other account.
func (s *Service) offered(ctx context.Context, tx Tx, a *actor, id account.JoinID) (JoinRow, error) {
	if id.Validate() != nil {
		return JoinRow{}, ErrJoinUnknown
	}
	j, found, err := tx.Join(ctx, id)
	switch {
	case err != nil:
		return j, err
	case !found || j.Account != "" && j.Account != a.Account:
		return JoinRow{}, ErrJoinUnknown
	case j.State != StateOpen || !a.now.Before(j.ExpiresAt):
		return JoinRow{}, ErrJoinExpired
	}
	return j, nil
}

// JoinStatus is how a join stands, for who has opened it. Once it is confirmed
// a new device gets the ceremony of its passkey, another one at each look; a
// guest gets his session, once.
//
// The first look with a JoinWait uses up the proof of the call that it is of,
// and does for the others.
func (s *Service) JoinStatus(ctx context.Context, c account.Caller, in *JoinWait) (*JoinStatus, error) {
	if !c.In(s.app) {
		return nil, ErrNotAllowed
	}
	now := s.now()
	h, err := s.waiter(ctx, in)
	if err != nil {
		return nil, err
	}
	var j JoinRow
	err = s.look(ctx, func(tx Tx) (err error) {
		j, err = s.held(ctx, tx, in.Join, h, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &JoinStatus{Join: j.ID, State: j.State}
	if j.State != StateConfirmed {
		return out, nil
	}
	if err := s.takeBegin(ctx, c); err != nil {
		return nil, err
	}
	if j.Kind == JoinGuest {
		return s.enterGuest(ctx, c, in.Join, h, now)
	}
	err = s.act(ctx, func(tx Tx) error {
		j, err := s.held(ctx, tx, in.Join, h, now)
		if err != nil {
			return err
		}
		if out.State, out.Account = j.State, j.Account; j.State != StateConfirmed {
			out.Account = ""
			return nil
		}
		out.Ceremony, out.Options, err = s.beginJoined(ctx, tx, j, h, in.Browser, now)
		return err
	})
	return out, err
}

// beginJoined opens the ceremony with which a join is finished: that of a new
// passkey, or, for a phone that has signed in already, that of the same passkey.
func (s *Service) beginJoined(ctx context.Context, tx Tx, j JoinRow, h *holder, b *Browser, now time.Time) (account.CeremonyID, []byte, error) {
	a, err := s.account(ctx, tx, j.Account)
	if err != nil {
		return "", nil, err
	}
	passkeys, err := s.credentials(ctx, tx, a.ID)
	if err != nil {
		return "", nil, err
	}
	known, err := records(passkeys)
	if err != nil {
		return "", nil, err
	}
	rp, err := s.page(b, "")
	if err != nil {
		return "", nil, err
	}
	signedIn, err := j.signedIn(ctx, tx)
	if err != nil {
		return "", nil, err
	}
	var ceremony passkey.Ceremony
	var options []byte
	if signedIn {
		ceremony, options, err = rp.Request(passkey.SignIn, known, nil, now)
	} else {
		ceremony, options, err = rp.Create(passkey.Join, user(a), known, now)
	}
	if err != nil {
		return "", nil, err
	}
	row := ceremonyRow(ceremony)
	row.Binding = h.binding(j.ID)
	if row.ExpiresAt.After(j.ExpiresAt) {
		row.ExpiresAt = j.ExpiresAt
	}
	return row.ID, options, tx.AddCeremony(ctx, row)
}

// signedIn reports whether the join began with a sign-in: then its key is the
// account's already, and pending.
func (j JoinRow) signedIn(ctx context.Context, tx Tx) (bool, error) {
	if j.Kind != JoinPhone {
		return false, nil
	}
	k, err := tx.AttestedKey(ctx, j.KeyID)
	return k.Account != "", err
}
