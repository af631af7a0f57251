package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// phone has no field at its zero value.
func phone(id account.DeviceID, of account.ID, keyID string) account.Device {
	return account.Device{
		ID: id, Account: of, Name: "Pixel 8", Platform: "android", State: account.Locked, Prior: account.Held,
		Hold:  account.Hold{Reason: account.HoldNew, Since: at(1), Until: at(2), Left: 3*time.Second + 1, By: "d_other"},
		KeyID: keyID, SealingAlg: "X25519", SealingKey: []byte{4, 0}, Tier: "affirming", AttestedAt: at(5), AddedBy: "d_other",
		AddedAt: at(6), LastSeenAt: at(7), MAC: mac(9),
	}
}

func testDevices(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	put := func(d account.Device) {
		t.Helper()
		update(t, s, func(tx Tx) error { return tx.PutDevice(ctx, d) })
	}
	byID := func(id account.DeviceID, wanted bool) account.Device {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (account.Device, bool, error) { return tx.Device(ctx, id) })
	}
	byKey := func(key string, wanted bool) account.DeviceID {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (account.Device, bool, error) { return tx.DeviceByKey(ctx, key) }).ID
	}
	full := phone("d_1", alice, "k1")
	least := account.Device{ID: "d_1", Account: bob, State: account.Active, KeyID: "k2", AddedAt: at(3), MAC: mac(1)}
	for range 2 {
		put(full)
		same(t, full, byID("d_1", true))
		put(least)
		same(t, least, byID("d_1", true))
	}
	byID("d_2", false)
	byKey("k1", false)
	byKey("", false)
	if id := byKey("k2", true); id != "d_1" {
		t.Errorf("k2 is the key of %q", id)
	}

	// A key is of one device, a deleted one included.
	least.State = account.Deleted
	put(least)
	for _, id := range []account.DeviceID{"d_2", "d_1"} {
		err := s.Update(ctx, func(tx Tx) error { return tx.PutDevice(ctx, phone(id, alice, "k2")) })
		if taken := id == "d_2"; errors.Is(err, integrity.ErrDeviceKeyKnown) != taken || (err != nil) != taken {
			t.Errorf("the key of d_1 for %s: %v", id, err)
		}
	}
	for what, change := range map[string]func(*account.Device){
		"a device without a key":   func(d *account.Device) { d.KeyID = "" },
		"a device without a state": func(d *account.Device) { d.State = account.Unset },
		"a device without a MAC":   func(d *account.Device) { d.MAC = nil },
	} {
		bad := phone("d_9", alice, "k9")
		change(&bad)
		refused(t, s, what, func(tx Tx) error { return tx.PutDevice(ctx, bad) })
	}

	// Those of an account, by time added, tombstones too.
	second, third, bobs := phone("d_2", alice, "k3"), phone("d_3", alice, "k4"), phone("d_4", bob, "k5")
	second.AddedAt, third.State = at(5), account.Deleted
	for _, d := range []account.Device{third, bobs, second} {
		put(d)
	}
	all := look(t, s, func(tx Tx) ([]account.Device, error) { return tx.Devices(ctx, alice) })
	same(t, []account.Device{second, phone("d_1", alice, "k2"), third}, all)

	update(t, s, func(tx Tx) error { return tx.SeenDevice(ctx, "d_2", at(99)) })
	second.LastSeenAt = at(99)
	same(t, second, byID("d_2", true))
	same(t, third, byID("d_3", true))
	refused(t, s, "when an unknown device was seen", func(tx Tx) error { return tx.SeenDevice(ctx, "d_9", at(1)) })
}
