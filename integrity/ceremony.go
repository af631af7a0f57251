package integrity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// ceremonyRow is what is stored of a ceremony.
func ceremonyRow(c passkey.Ceremony) CeremonyRow {
	return CeremonyRow{
		ID: account.NewCeremonyID(), Purpose: string(c.Purpose), Account: c.Account, Challenge: c.Challenge, Origin: c.Origin,
		Extensions: c.Extensions, Allow: c.EncodeAllow(), CreatedAt: c.CreatedAt, ExpiresAt: c.ExpiresAt,
	}
}

// ceremony makes of a row what package passkey verifies with.
func (s *Service) ceremony(r CeremonyRow) (passkey.Ceremony, error) {
	c := passkey.Ceremony{
		Purpose: passkey.Purpose(r.Purpose), RPID: s.rp.RPID(), Account: r.Account, Challenge: asked(r.Challenge), Origin: r.Origin,
		Extensions: r.Extensions, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, UsedAt: r.UsedAt,
	}
	return c, c.ParseAllow(r.Allow)
}

// The bindings of a ceremony: to the phone's key, or to the browser's cookie.
func boundToKey(keyID string) []byte { return binding("key", []byte(keyID)) }

func boundToCookie(cookie []byte) []byte { return binding("cookie", cookie) }

func binding(kind string, secret []byte) []byte {
	sum := sha256.Sum256(append([]byte("staunch/ceremony/"+kind+"/v1\x00"), secret...))
	return sum[:]
}

// bound is the binding of whoever calls: a browser by its cookie, a phone by its
// key; nil: neither.
func bound(c account.Caller, b *Browser) []byte {
	switch {
	case b != nil && len(b.Cookie) > 0 && c.Device == "":
		return boundToCookie(b.Cookie)
	case b == nil && c.Kind == account.Phone && c.Key != "":
		return boundToKey(c.Key)
	}
	return nil
}

// binder is bound for a flow that a new phone may call, too. That has no key
// yet, and is bound by the challenge in its evidence; whoever is none of the
// three is refused.
func binder(c account.Caller, b *Browser, newPhone bool) ([]byte, error) {
	by := bound(c, b)
	switch {
	case newPhone && (b != nil || c.Device != ""):
		return nil, fmt.Errorf("%w: a new phone is neither a browser nor a device that is known", ErrNotAllowed)
	case newPhone:
		return nil, nil
	case by == nil:
		return nil, fmt.Errorf("%w: it takes a browser with its ceremony cookie, or a call that a phone has signed", ErrNotAllowed)
	}
	return by, nil
}

// answered reads the ceremony that an answer is for, and reports whether it may
// be answered by who is bound to it: the same purpose, the same browser or
// phone, in time. What is wrong is one reason. Nobody at all may answer only
// what is bound to the evidence of a new phone, which verifyPhone compares.
func (s *Service) answered(ctx context.Context, tx Tx, id account.CeremonyID, p passkey.Purpose, by []byte, now time.Time) (CeremonyRow, error) {
	if err := id.Validate(); err != nil {
		return CeremonyRow{}, ErrCeremonyExpired
	}
	r, found, err := tx.Ceremony(ctx, id)
	switch {
	case err != nil:
		return r, err
	case !found || r.Purpose != string(p) || !now.Before(r.ExpiresAt):
		return CeremonyRow{}, ErrCeremonyExpired
	case subtle.ConstantTimeCompare(r.Binding, by) != 1 || len(by) == 0 && len(r.AttestChallenge) == 0:
		return CeremonyRow{}, ErrCeremonyExpired
	case !r.UsedAt.IsZero():
		return CeremonyRow{}, ErrCeremonyUsed
	}
	return r, nil
}

// use marks a ceremony used, in the transaction that acts on its answer. One
// that was begun at or before the account's not_before died with what set it.
func (s *Service) use(ctx context.Context, tx Tx, r CeremonyRow, a account.Account, now time.Time) error {
	if !r.CreatedAt.After(a.NotBefore) {
		return ErrCeremonyExpired
	}
	ok, err := tx.UseCeremony(ctx, r.ID, now)
	if err != nil {
		return err
	}
	if !ok {
		return ErrCeremonyUsed
	}
	return nil
}

// page is the Relying Party as it asks on a browser's page, or in an app.
func (s *Service) page(b *Browser, hint passkey.Hint) (*passkey.RelyingParty, error) {
	d := passkey.Dialog{Hint: hint}
	if b != nil {
		d.Origin = b.Origin
	}
	return s.rp.For(d)
}

// user is the account as package passkey knows it.
func user(a account.Account) passkey.User {
	return passkey.User{Account: a.ID, Handle: a.UserHandle[:], Name: a.Handle}
}

// stored is a passkey as package passkey verifies with it.
func stored(c account.Credential) (passkey.Stored, error) {
	r, err := passkey.ParseRecord(c.Record)
	if err != nil {
		return passkey.Stored{}, err
	}
	return passkey.Stored{Record: r, Flags: c.Flags, Count: c.SignCount, Suspect: c.State == account.CredentialSuspect}, nil
}

// again is stored for the passkey of an assertion, which was read again. Its
// record never changes; as long as it is the same it is not parsed twice.
func (as *asserted) again(c account.Credential) (passkey.Stored, error) {
	if !bytes.Equal(c.Record, as.credential.Record) {
		return stored(c)
	}
	return passkey.Stored{Record: as.before.Record, Flags: c.Flags, Count: c.SignCount, Suspect: c.State == account.CredentialSuspect}, nil
}

// records are those of the account's passkeys, for lists of which may answer.
func records(all []account.Credential) ([]passkey.Record, error) {
	list := make([]passkey.Record, len(all))
	for i, c := range all {
		var err error
		if list[i], err = passkey.ParseRecord(c.Record); err != nil {
			return nil, err
		}
	}
	return list, nil
}
