package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/webhook"
)

// TestDeliver: every event comes once, signed, and the cursor follows.
func TestDeliver(t *testing.T) {
	m, r := &memory{}, newReceiver(t, nil)
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, id := range []account.ID{alice, bob, "", alice} {
		m.append(id, "account.frozen", `{"by":"phone"}`, at)
	}
	deliver(t, options(m, r.URL), func() bool { return m.at() == 4 })
	if ids := r.ids(); len(ids) != 4 {
		t.Errorf("events %v", ids)
	}
	for _, c := range r.calls {
		if c.err != nil || c.body.Type != "account.frozen" || !c.body.Timestamp.Equal(at) || c.data.App != "demo" || c.id != fmt.Sprintf("evt_demo_%d_%d", c.data.ID, at.UnixMicro()) {
			t.Errorf("%+v", c)
		}
	}
	// What comes later is sent, too, and nothing again.
	m.append(bob, "account.unfrozen", `{}`, at)
	deliver(t, options(m, r.URL), func() bool { return m.at() == 5 })
	if ids := r.ids(); len(ids) != 5 {
		t.Errorf("events %v", ids)
	}
}

// TestDeliverAgain: what is not acknowledged comes again, whatever the receiver
// does instead, and those of its account wait for it; others do not.
func TestDeliverAgain(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func() int
	}{
		{"an error", func() int { return http.StatusInternalServerError }},
		{"not found", func() int { return http.StatusNotFound }},
		{"a redirect", func() int { return http.StatusFound }},
		{"not modified", func() int { return http.StatusNotModified }},
		{"too late", func() int { time.Sleep(400 * time.Millisecond); return http.StatusOK }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := &memory{}
			var refused atomic.Int32
			r := newReceiver(t, func(_ int, c call) int {
				if c.data.Account == alice && refused.Add(1) <= 2 {
					return test.answer()
				}
				return http.StatusOK
			})
			for _, id := range []account.ID{alice, bob, alice, bob} {
				m.append(id, "account.frozen", `{}`, time.Now())
			}
			deliver(t, options(m, r.URL), func() bool { return m.at() == 4 })
			var mine []uint64
			for _, c := range r.calls {
				if c.data.Account == alice {
					mine = append(mine, c.data.ID)
				}
			}
			if !slices.Equal(mine, []uint64{1, 1, 1, 3}) {
				t.Errorf("of alice %v", mine)
			}
			if all := r.ids(); len(all) != 6 || slices.Index(all, 4) > slices.Index(all, 3) {
				t.Errorf("bob waited for alice: %v", all)
			}
		})
	}
}

// TestCursorAfterAcknowledgement: the cursor never passes what is not
// acknowledged, and what was is not forgotten.
func TestCursorAfterAcknowledgement(t *testing.T) {
	m := &memory{}
	r := newReceiver(t, func(_ int, c call) int {
		if c.data.ID == 2 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	for range 3 {
		m.append(alice, "account.frozen", `{}`, time.Now())
		m.append(bob, "account.frozen", `{}`, time.Now())
	}
	deliver(t, options(m, r.URL), func() bool { return len(r.ids()) > 6 })
	if m.at() != 1 {
		t.Errorf("the cursor is at %d", m.at())
	}
	r.answer = nil
	deliver(t, options(m, r.URL), func() bool { return m.at() == 6 })
	if !slices.IsSorted(m.puts) {
		t.Errorf("the cursor went back: %v", m.puts)
	}
}

// TestGivenUp: an event that is older than a week keeps back the others of its
// account no longer.
func TestGivenUp(t *testing.T) {
	for _, test := range []struct {
		name string
		age  time.Duration
		want []uint64
	}{
		{"a week", 7 * 24 * time.Hour, []uint64{1, 2}},
		{"not quite", 7*24*time.Hour - time.Minute, []uint64{1, 1, 1}},
	} {
		m := &memory{}
		r := newReceiver(t, func(_ int, c call) int {
			if c.data.ID == 1 {
				return http.StatusBadRequest
			}
			return http.StatusOK
		})
		m.append(alice, "account.frozen", `{}`, time.Now().Add(-test.age))
		m.append(alice, "account.unfrozen", `{}`, time.Now())
		deliver(t, options(m, r.URL), func() bool { return len(r.ids()) >= len(test.want) })
		if got := r.ids()[:len(test.want)]; !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// TestLease: of two servers on one store one sends; when it stops the other goes
// on at once, and when it dies, after its lease.
func TestLease(t *testing.T) {
	m, r := &memory{}, newReceiver(t, nil)
	m.holder, m.until = "another server", time.Now().Add(time.Hour)
	m.append(alice, "account.frozen", `{}`, time.Now())
	d, err := webhook.New(options(m, r.URL))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	if err := d.Run(ctx); err != nil || len(r.ids()) != 0 {
		t.Errorf("%v; sent %v without the lease", err, r.ids())
	}
	m.until = time.Now()
	deliver(t, options(m, r.URL), func() bool { return m.at() == 1 })
	if m.until.After(time.Now()) {
		t.Error("the lease was not given back")
	}
}

// TestLeaseLost: who has lost the lease moves no cursor.
func TestLeaseLost(t *testing.T) {
	m := &memory{}
	r := newReceiver(t, func(int, call) int {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.holder, m.until = "another server", time.Now().Add(time.Hour)
		return http.StatusOK
	})
	m.append(alice, "account.frozen", `{}`, time.Now())
	deliver(t, options(m, r.URL), func() bool { return len(r.ids()) == 1 })
	if m.at() != 0 || m.holder != "another server" {
		t.Errorf("cursor %d, lease of %s", m.at(), m.holder)
	}
}

// TestStoreAway: a store that is away is asked again.
func TestStoreAway(t *testing.T) {
	m, r := &memory{away: true}, newReceiver(t, nil)
	m.append(alice, "account.frozen", `{}`, time.Now())
	time.AfterFunc(150*time.Millisecond, func() { m.mu.Lock(); m.away = false; m.mu.Unlock() })
	deliver(t, options(m, r.URL), func() bool { return m.at() == 1 })
}

// TestAlerted: an event that tells of an alert brings it along.
func TestAlerted(t *testing.T) {
	m, r := &memory{}, newReceiver(t, nil)
	m.append(alice, "account.alerted", `{"seq":7,"kind":"device.add"}`, time.Now())
	o := options(m, r.URL)
	var tries atomic.Int32
	o.Alert = func(_ context.Context, id account.ID, seq uint64) (json.RawMessage, error) {
		if tries.Add(1) == 1 {
			return nil, errors.New("away")
		}
		if id != alice || seq != 7 {
			t.Errorf("asked for alert %d of %s", seq, id)
		}
		return json.RawMessage(`{"text":"A new phone"}`), nil
	}
	deliver(t, o, func() bool { return m.at() == 1 })
	if len(r.calls) != 1 || r.calls[0].data.Seq != 7 || r.calls[0].data.Alert.(map[string]any)["text"] != "A new phone" {
		t.Errorf("%+v", r.calls)
	}
}
