package integrity_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// TestClockNotStarved: what the clock does not run, and what it cannot, keeps
// nobody else waiting, however much there is of it.
func TestClockNotStarved(t *testing.T) {
	r := newRig(t)
	first, second := r.family()
	leaver, wrong, waiting := r.enrol(), r.enrol(), r.enrol()
	var waits integrity.PendingRow
	must[*integrity.Confirmed](t)(leaver.do(account.DeleteAccount))
	err := r.opts.Update(t.Context(), func(tx integrity.Tx) error {
		d, _, err := tx.Device(t.Context(), second.device)
		if err != nil {
			return err
		}
		d.Account, d.Hold.Until = wrong.account, d.Hold.Until.Add(-time.Hour) // first in the list
		for range 250 {
			d.ID = account.NewDeviceID() // the MAC is another device's
			d.KeyID = "key of " + string(d.ID)
			waits = integrity.PendingRow{
				ID: account.NewPendingID(), Account: waiting.account, Action: account.StartRecovery, Params: json.RawMessage(`{}`),
				By: integrity.Creator{Kind: account.Phone}, CreatedAt: r.clock(), OpensAt: r.clock().Add(r.opts.Policy.Waits.Delete - time.Hour), State: integrity.StateOpen,
			}
			waits.MAC = waits.Seal(r.opts.RowKey)
			if err := errors.Join(tx.PutDevice(t.Context(), d), tx.AddPending(t.Context(), waits)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r.advance(r.opts.Policy.Waits.Delete + time.Second)
	if _, err := r.Tick(t.Context()); !errors.Is(err, integrity.ErrIntegrity) {
		t.Errorf("rows with a wrong MAC: %v", err)
	}
	if got := r.states(first, second); !slices.Equal(got, []string{"active", "active", "active"}) {
		t.Errorf("the hold that was over: %v", got)
	}
	if got := r.row(leaver.account).State; got != account.Deleted {
		t.Errorf("the account that was to be deleted is %s", got)
	}
	if n := r.count("pending WHERE state = 'open'"); n != 250 {
		t.Errorf("%d are left alone, want 250", n)
	}
	if done, err := r.Open(t.Context(), waits); done || err != nil {
		t.Errorf("one of those: %v, %v", done, err)
	}
}
