package storetest

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// passkeyOf has no field at its zero value.
func passkeyOf(id account.ID, n byte) account.Credential {
	return account.Credential{
		Ref: account.CredentialRef([]byte{'c', '_', 'a' + n}), Account: id, RPID: "example.org", CredentialID: bytes.Repeat([]byte{n, 0}, 511),
		Record: []byte(`{"v":1,"rp":"example.org"}`), State: account.CredentialSuspect, Name: "Blue key", SignCount: math.MaxUint32, Flags: 0xff,
		AddedAt: at(int(n)), LastUsedAt: at(50), Devices: []account.DeviceID{"d_1", "d_2"}, MAC: mac(n),
	}
}

func testCredentials(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	add := func(c account.Credential) error {
		return s.Update(ctx, func(tx Tx) error { return tx.AddCredential(ctx, c, []byte("evidence")) })
	}
	put := func(c account.Credential) {
		t.Helper()
		update(t, s, func(tx Tx) error { return tx.PutCredential(ctx, c) })
	}
	byRef := func(ref account.CredentialRef, wanted bool) account.Credential {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (account.Credential, bool, error) { return tx.Credential(ctx, ref) })
	}
	byID := func(rp string, id []byte, wanted bool) account.Credential {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (account.Credential, bool, error) { return tx.CredentialByID(ctx, rp, id) })
	}
	full, least := passkeyOf(alice, 1), account.Credential{
		Ref: "c_least", Account: alice, RPID: "example.org", CredentialID: []byte{0}, Record: []byte("{}"), State: account.CredentialActive,
		AddedAt: at(9), MAC: mac(7),
	}
	for _, c := range []account.Credential{full, least} {
		if err := add(c); err != nil {
			t.Fatal(err)
		}
		same(t, c, byRef(c.Ref, true))
		same(t, c, byID(c.RPID, c.CredentialID, true))
	}
	byRef("c_unknown", false)
	byID("example.net", full.CredentialID, false)
	byID("example.org", full.CredentialID[1:], false)

	// What may change, there and back; the rest stays.
	used := full
	used.State, used.Name, used.SignCount, used.Flags, used.LastUsedAt, used.MAC = account.CredentialRemoved, "", 0, 0, time.Time{}, mac(3)
	for _, devices := range [][]account.DeviceID{nil, {"d_2"}, {"d_2", "d_3"}, nil, {"d_1", "d_2", "d_3"}} {
		used.Devices = devices
		other := used
		other.Account, other.RPID, other.CredentialID, other.Record, other.AddedAt = bob, "example.net", []byte{9}, []byte("x"), at(33)
		put(other)
		same(t, used, byRef(full.Ref, true))
	}
	update(t, s, func(tx Tx) error { // in one transaction, as flows do
		for _, devices := range [][]account.DeviceID{{"d_4"}, {"d_4"}, nil, {"d_4", "d_5"}} {
			c, _, err := tx.Credential(ctx, full.Ref)
			if err != nil {
				return err
			}
			c.Devices = devices
			if err := errors.Join(tx.PutCredential(ctx, c), tx.PutCredential(ctx, c)); err != nil {
				return err
			}
			got, _, err := tx.Credential(ctx, full.Ref)
			if same(t, c, got); err != nil {
				return err
			}
		}
		return nil
	})
	shuffled := full
	shuffled.Devices = []account.DeviceID{"d_2", "d_1"}
	put(shuffled)
	same(t, full, byRef(full.Ref, true))
	same(t, least, byRef("c_least", true))
	refused(t, s, "what became of an unknown passkey", func(tx Tx) error { return tx.PutCredential(ctx, passkeyOf(alice, 8)) })
	twice := full
	twice.Devices = []account.DeviceID{"d_1", "d_1"}
	refused(t, s, "a device twice, which the MAC would count twice", func(tx Tx) error { return tx.PutCredential(ctx, twice) })

	bare := full
	bare.MAC = nil
	refused(t, s, "a passkey without a MAC", func(tx Tx) error { return tx.PutCredential(ctx, bare) })

	// RP ID and credential ID are of one passkey, a removed one included.
	put(used)
	again, elsewhere, sameRef := passkeyOf(bob, 1), passkeyOf(bob, 1), passkeyOf(bob, 2)
	again.Ref, elsewhere.Ref, sameRef.Ref = "c_again", "c_elsewhere", full.Ref
	elsewhere.RPID = "example.net"
	if err := add(again); !errors.Is(err, integrity.ErrPasskeyKnown) {
		t.Errorf("a second time: %v", err)
	}
	if err := add(sameRef); err == nil || errors.Is(err, integrity.ErrPasskeyKnown) {
		t.Errorf("another one with the same reference: %v", err)
	}
	if err := add(elsewhere); err != nil {
		t.Errorf("for another RP ID: %v", err)
	}

	// Those of an account, by time added, removed ones too.
	early := passkeyOf(alice, 0)
	if err := add(early); err != nil {
		t.Fatal(err)
	}
	all := look(t, s, func(tx Tx) ([]account.Credential, error) { return tx.Credentials(ctx, alice) })
	same(t, []account.Credential{early, used, least}, all)
}
