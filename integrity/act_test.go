package integrity

import (
	"context"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
)

// oneDevice is a store with one device.
type oneDevice struct {
	Tx
	d     account.Device
	reads int
}

func (o *oneDevice) DeviceByKey(context.Context, string) (account.Device, bool, error) {
	o.reads++
	return o.d, true, nil
}

func (o *oneDevice) Device(context.Context, account.DeviceID) (account.Device, bool, error) {
	o.reads++
	return o.d, true, nil
}

func (o *oneDevice) PutDevice(_ context.Context, d account.Device) error { o.d = d; return nil }

func (o *oneDevice) SeenDevice(_ context.Context, _ account.DeviceID, at time.Time) error {
	o.d.LastSeenAt = at
	return nil
}

// TestDeviceReadOnce: in one transaction a device is read once, and anew after
// each change.
func TestDeviceReadOnce(t *testing.T) {
	ctx, id := t.Context(), account.NewDeviceID()
	for _, test := range []struct {
		name   string
		change func(Tx) error
		reads  int
	}{
		{"no change", func(Tx) error { return nil }, 1},
		{"put", func(tx Tx) error {
			return tx.PutDevice(ctx, account.Device{ID: id, State: account.Locked, LastSeenAt: time.Unix(1, 0)})
		}, 2},
		{"seen", func(tx Tx) error { return tx.SeenDevice(ctx, id, time.Unix(2, 0)) }, 2},
	} {
		store := &oneDevice{d: account.Device{ID: id, State: account.Active}}
		tx := &noting{Tx: store, touched: &touches{}}
		if _, _, err := tx.DeviceByKey(ctx, "key"); err != nil {
			t.Fatal(err)
		}
		if err := test.change(tx); err != nil {
			t.Fatal(err)
		}
		d, found, err := tx.Device(ctx, id)
		if err != nil || !found || d.State != store.d.State || !d.LastSeenAt.Equal(store.d.LastSeenAt) || store.reads != test.reads {
			t.Errorf("%s: %v since %v after %d reads (%v, %v)", test.name, d.State, d.LastSeenAt, store.reads, found, err)
		}
		other := account.NewDeviceID()
		if _, _, err := tx.Device(ctx, other); err != nil || store.reads != test.reads+1 {
			t.Errorf("%s: another device is taken for it", test.name)
		}
	}
}
