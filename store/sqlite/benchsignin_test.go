package sqlite

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
)

// BenchmarkSignIn is what a sign-in on a known phone asks of the store, without
// fsync: beginning it, finishing it, and each of the two with its bucket.
func BenchmarkSignIn(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		s, err := Open(b.Context(), &Options{Path: filepath.Join(b.TempDir(), "a.db"), App: "demo"})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		err = s.writer.with(b.Context(), func(c *conn) error { return c.db.Exec("PRAGMA synchronous = 0") })
		if err != nil {
			b.Fatal(err)
		}
		const people = 5000
		for n := range uint64(people) {
			addPerson(b, s, n)
		}
		b.ReportAllocs()
		n := uint64(0)
		for b.Loop() {
			n++
			signIn(b, s, n*7919%people, n)
		}
	})
}

// benchID gives the n-th identifier of a kind, in the form of a random one.
func benchID(prefix string, n uint64) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, n))
	return prefix + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}

// addPerson adds an account with a device and a passkey.
func addPerson(b *testing.B, s *Store, n uint64) {
	b.Helper()
	ctx := b.Context()
	a := account.Account{ID: account.ID(benchID("a_", n)), State: account.Active, CreatedAt: noon}
	binary.BigEndian.PutUint64(a.UserHandle[:], n)
	d := account.Device{ID: account.DeviceID(benchID("d_", n)), Account: a.ID, State: account.Active, KeyID: benchID("k_", n), AddedAt: noon, Name: "Pixel 8"}
	c := account.Credential{
		Ref: account.CredentialRef(benchID("c_", n)), Account: a.ID, RPID: "example.org", CredentialID: []byte(benchID("", n)), Record: make([]byte, 500),
		State: account.CredentialActive, AddedAt: noon, Devices: []account.DeviceID{d.ID},
	}
	a.MAC, d.MAC, c.MAC = a.Seal(rowKey), d.Seal(rowKey), c.Seal(rowKey)
	err := s.Update(ctx, func(tx *Tx) error {
		return errors.Join(tx.PutAccount(ctx, a, ""), tx.PutDevice(ctx, d), tx.AddCredential(ctx, c, make([]byte, 600)))
	})
	if err != nil {
		b.Fatal(err)
	}
}

// signIn signs the n-th person in.
func signIn(b *testing.B, s *Store, n, turn uint64) {
	b.Helper()
	ctx := b.Context()
	now := noon.Add(time.Duration(turn) * time.Millisecond)
	y := integrity.CeremonyRow{
		ID: account.CeremonyID(benchID("y_", turn)), Purpose: "sign_in", Binding: make([]byte, 32), Challenge: []byte(benchID("", turn)), CreatedAt: now, ExpiresAt: now,
	}
	bucket := func() {
		err := s.Update(ctx, func(tx *Tx) error {
			r, _, err := tx.Rate(ctx, sha256.Sum256([]byte(benchID("", n))))
			if err != nil {
				return err
			}
			r.Tokens, r.At = r.Tokens+1, now
			return tx.PutRate(ctx, r)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	bucket()
	if err := s.Update(ctx, func(tx *Tx) error { return tx.AddCeremony(ctx, y) }); err != nil {
		b.Fatal(err)
	}
	bucket()
	if err := s.Update(ctx, func(tx *Tx) error { return finishSignIn(b, tx, y.ID, n, turn, now) }); err != nil {
		b.Fatal(err)
	}
}

func finishSignIn(b *testing.B, tx *Tx, id account.CeremonyID, n, turn uint64, now time.Time) error {
	ctx := b.Context()
	if used, err := tx.UseCeremony(ctx, id, now); err != nil || !used {
		return errors.Join(err, errors.New("no ceremony"))
	}
	c, _, err := tx.CredentialByID(ctx, "example.org", []byte(benchID("", n)))
	if err != nil {
		return err
	}
	a, _, err := tx.Account(ctx, c.Account)
	if err != nil {
		return err
	}
	d, _, err := tx.DeviceByKey(ctx, benchID("k_", n))
	if err != nil {
		return err
	}
	if _, err := tx.Signals(ctx, a.ID, now); err != nil {
		return err
	}
	c.SignCount, c.LastUsedAt, c.MAC = c.SignCount+1, now, c.Seal(rowKey)
	if err := tx.PutCredential(ctx, c); err != nil {
		return err
	}
	sess := account.Session{
		ID: account.SessionID(benchID("s_", turn)), Account: a.ID, Device: d.ID, Kind: account.PhoneSession,
		Proofs:    []account.Proof{{Method: account.ByAssertion, At: now, Credential: c.Ref, Synced: true, Device: d.ID}},
		CreatedAt: now, LastSeenAt: now, Until: now.Add(180 * 24 * time.Hour),
	}
	sess.TokenHash = sha256.Sum256([]byte(sess.ID))
	sess.MAC = sess.Seal(rowKey)
	if err := tx.AddSession(ctx, sess, sess.TokenHash); err != nil {
		return err
	}
	if err := tx.SeenDevice(ctx, d.ID, now); err != nil {
		return err
	}
	e := audit.Entry{Account: a.ID, Time: now, Actor: audit.Actor{Kind: account.Phone, ID: string(d.ID)}, Action: "session.started", Subject: string(sess.ID)}
	if err := tx.AppendAudit(ctx, e); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, event.Event{Type: "session.started", Account: a.ID, Body: []byte(`{"class":"fresh"}`), At: now})
}
