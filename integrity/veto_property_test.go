package integrity_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// crowd is a few accounts whose phones do what they like.
type crowd struct {
	*rig
	rand   *rand.Rand
	phones []*phone
	done   map[string]int // what has succeeded
}

func newCrowd(t testing.TB, seed uint64) *crowd {
	c := &crowd{rig: newRig(t), rand: rand.New(rand.NewPCG(seed, 1)), done: map[string]int{}}
	c.enrolNew()
	c.enrolNew()
	return c
}

func (c *crowd) enrolNew() {
	c.t.Helper()
	p := c.newPhone(&passkeytest.Options{Synced: true})
	p.enrolled(must[*integrity.Enrolled](c.t)(c.FinishEnrol(c.t.Context(), c.anonymous(), p.enrolment())))
	c.phones = append(c.phones, p)
}

// pair is a phone, and another one that is mostly of the same account.
func (c *crowd) pair() (p, other *phone) {
	p = c.any()
	for range 4 {
		if other = c.any(); other != p && other.account == p.account {
			break
		}
	}
	return p, other
}

func (c *crowd) any() *phone { return c.phones[c.rand.IntN(len(c.phones))] }

// step lets a phone do something.
func (c *crowd) step() {
	p, other := c.pair()
	type act struct {
		name string
		do   func() error
	}
	confirm := func(name account.Action, kv ...any) act {
		return act{string(name), func() error { _, err := p.do(name, kv...); return err }}
	}
	acts := []act{
		{"freeze", func() error { _, err := c.Freeze(c.t.Context(), p.caller()); return err }},
		{"freeze device", func() error { _, err := c.FreezeDevice(c.t.Context(), p.caller(), other.device); return err }},
		{"veto", func() error {
			if err := c.sign(p); err != nil {
				return err
			}
			_, err := c.Veto(c.t.Context(), p.caller(), other.device, "")
			return err
		}},
		{"veto pending", func() error {
			s := p.status()
			if s.Rest == nil || len(s.Rest.Pending) == 0 {
				return integrity.ErrPendingUnknown
			}
			if err := c.sign(p); err != nil {
				return err
			}
			_, err := c.Veto(c.t.Context(), p.caller(), "", s.Rest.Pending[0].ID)
			return err
		}},
		{"rename", func() error {
			return c.RenameDevice(c.t.Context(), p.caller(), other.device, fmt.Sprint("Pixel ", c.rand.IntN(9)))
		}},
		{"leave", func() error { return c.LeaveDevice(c.t.Context(), p.caller()) }},
		{"sign in", func() error { return c.sign(p) }},
		{"sign in anew", func() error {
			q, in := c.newcomer(p.passkey)
			out, err := c.FinishSignIn(c.t.Context(), c.anonymous(), in)
			if err == nil {
				q.account, q.device, q.token = out.Signed.Account, out.Signed.Device, out.Signed.Token
				c.phones = append(c.phones, q)
			}
			return err
		}},
		{"recovered", func() error { return c.Recovered(c.t.Context(), p.account, p.device, 3*day) }},
		{"revoked", func() error { c.revoke(p); return nil }},
		confirm(account.UnfreezeAccount), confirm(account.UnfreezeAccount), confirm(account.DeleteAccount),
		confirm(account.UnfreezeDevice, "device", other.device), confirm(account.RemoveDevice, "device", other.device),
		confirm(account.RenewFreezeCode), confirm(account.ChangeHandle, "handle", fmt.Sprint("name", c.rand.IntN(3))),
		{"time", func() error { c.advance(time.Duration(c.rand.Int64N(int64(2 * day)))); return nil }},
	}
	for _, again := range acts { // what needs several phones in some state must be tried often
		switch again.name {
		case "sign in anew", "veto", string(account.RemoveDevice), string(account.UnfreezeDevice):
			acts = append(acts, again, again, again)
		}
	}
	a := acts[c.rand.IntN(len(acts))]
	c.advance(time.Second)
	c.tick()
	if !c.usable(p) {
		if c.rand.IntN(8) == 0 { // somebody new
			c.enrolNew()
		}
		return
	}
	if a.name == "revoked" && (len(c.phones) < 4 || c.rand.IntN(3) > 0) || a.name == "recovered" && !c.held(p) {
		return
	}
	switch err := a.do(); {
	case err == nil:
		c.done[a.name]++
	case !c.expected(err):
		c.t.Errorf("%s: %v", a.name, err)
	}
}

// sign signs the phone in.
func (c *crowd) sign(p *phone) error {
	p.token = nil
	out, err := c.FinishSignIn(c.t.Context(), p.caller(), p.assertion())
	if err == nil {
		p.token = out.Signed.Token
	}
	return err
}

// usable reports whether the phone's key still makes calls that count, and drops
// a session that has ended.
func (c *crowd) usable(p *phone) bool {
	_, err := c.Prove(c.t.Context(), p.message(p.token), p.token, false)
	if errors.Is(err, integrity.ErrSessionEnded) {
		p.token = nil
		_, err = c.Prove(c.t.Context(), p.message(nil), nil, false)
	}
	if err != nil {
		return false
	}
	caller := p.caller()
	if caller.Account == "" {
		return false
	}
	s := p.status()
	return s.DeviceState != account.Frozen && s.DeviceState != account.Locked
}

// held reports whether the phone is a new one, as the phone of a recovery is.
func (c *crowd) held(p *phone) bool {
	s := p.status()
	return s.DeviceState == account.Held && s.Hold != nil && s.Hold.Reason == account.HoldNew
}

// expected reports whether an error is an answer, and not a fault.
func (c *crowd) expected(err error) bool {
	for _, want := range []error{
		account.ErrRefused, account.ErrStep, integrity.ErrLastWayIn, integrity.ErrDeviceUnknown, integrity.ErrPendingUnknown, integrity.ErrTooLate,
		integrity.ErrMalformed, integrity.ErrHandleTaken, integrity.ErrRateLimited, integrity.ErrSessionRequired, passkey.ErrUnknown,
		integrity.ErrApprovalUsed, integrity.ErrSyncedRefused,
	} {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}

// TestRandomFlows: whatever phones do, the record tells of legal steps only, and
// agrees with every row.
func TestRandomFlows(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 2
	}
	var mu sync.Mutex
	done := map[string]int{}
	t.Run("seed", func(t *testing.T) {
		for seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				c := newCrowd(t, seed)
				for i := 0; i < 80 && !t.Failed(); i++ {
					c.step()
				}
				c.checked()
				mu.Lock()
				defer mu.Unlock()
				for name, n := range c.done {
					done[name] += n
				}
			})
		}
	})
	if len(done) < 12 {
		t.Errorf("too little has succeeded to mean anything: %v", done)
	}
	t.Log(done)
}

// TestTampered: after such flows every row that is changed, deleted, swapped or
// put back is found by the check, and but for the last by its next use.
func TestTampered(t *testing.T) {
	c := newCrowd(t, 7)
	p := c.phones[0]
	q := c.another(p)
	c.exec("CREATE TABLE old_device AS SELECT * FROM device WHERE id = ?", string(q.device))
	c.exec("CREATE TABLE old_account AS SELECT * FROM account WHERE id = ?", string(p.account))
	must[*integrity.Confirmed](t)(p.do(account.RenewFreezeCode))
	c.advance(2 * day)
	c.tick()
	p.signIn()
	must[*integrity.Confirmed](t)(p.do(account.ChangeHandle, "handle", "alice"))
	for name, test := range map[string]struct {
		change []string // ?1 is the account, ?2 the device
		use    bool     // the next use finds it
	}{
		"nothing":            {nil, false},
		"account changed":    {[]string{"UPDATE account SET created_at = created_at + 1 WHERE id = ?1"}, true},
		"account thawed":     {[]string{"UPDATE account SET not_before = NULL, freeze_code = NULL WHERE id = ?1"}, true},
		"account deleted":    {[]string{"DELETE FROM account WHERE id = ?1"}, true},
		"account put back":   {[]string{"DELETE FROM account WHERE id = ?1", "INSERT INTO account SELECT * FROM old_account"}, false},
		"device changed":     {[]string{"UPDATE device SET tier = 'none' WHERE id = ?2"}, true},
		"device deleted":     {[]string{"DELETE FROM device WHERE id = ?2"}, true},
		"device put back":    {[]string{"DELETE FROM device WHERE id = ?2", "INSERT INTO device SELECT * FROM old_device"}, false},
		"sealing keys":       {[]string{"UPDATE device SET sealing_key = randomblob(32) WHERE id = ?2"}, true},
		"devices swapped":    {[]string{"UPDATE device SET account = (SELECT id FROM account WHERE id <> ?1 LIMIT 1) WHERE id = ?2"}, true},
		"passkey changed":    {[]string{"UPDATE credential SET sign_count = 99 WHERE account = ?1"}, true},
		"passkey deleted":    {[]string{"DELETE FROM credential_device", "DELETE FROM credential WHERE account = ?1"}, true},
		"MACs swapped":       {[]string{"UPDATE device SET mac = (SELECT mac FROM account WHERE id = ?1) WHERE id = ?2"}, true},
		"entry changed":      {[]string{"UPDATE audit_entry SET action = 'nothing' WHERE account = ?1 AND n = 2"}, false},
		"entry deleted":      {[]string{"DELETE FROM audit_entry WHERE account = ?1 AND n = 2"}, false},
		"last entry deleted": {[]string{"DELETE FROM audit_entry WHERE account = ?1 AND n = (SELECT max(n) FROM audit_entry WHERE account = ?1)"}, false},
		"time of an entry":   {[]string{"UPDATE audit_entry SET time = time + 1 WHERE account = ?1 AND n = 1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := &rig{t: t, path: filepath.Join(t.TempDir(), "copy.db"), now: c.clock()}
			c.exec("VACUUM INTO ?", r.path)
			r.open()
			for _, change := range test.change {
				r.exec(strings.NewReplacer("?1", "'"+string(p.account)+"'", "?2", "'"+string(q.device)+"'").Replace(change))
			}
			r.exec("DROP TABLE old_device")
			r.exec("DROP TABLE old_account")
			if found := len(r.report().Problems) > 0; found != (test.change != nil) {
				t.Errorf("the check finds %+v", r.report().Problems)
			}
			user := *q
			user.r = r
			user.token = nil
			if err := user.use(); (err != nil) != test.use {
				t.Errorf("its next use: %v", err)
			}
		})
	}
}

// use signs in on the phone, and reads all there is.
func (p *phone) use() error {
	ctx := p.r.t.Context()
	c, err := p.r.Prove(ctx, p.message(nil), nil, false)
	if err != nil {
		return err
	}
	begun, err := p.r.BeginSignIn(ctx, c, &integrity.SignInStart{})
	if err != nil {
		return err
	}
	response, err := p.passkey.Get(begun.Options, origin)
	if err != nil {
		return err
	}
	if _, err := p.r.FinishSignIn(ctx, c, &integrity.SignInAnswer{Ceremony: begun.Ceremony, Response: response}); err != nil {
		return err
	}
	_, err = p.r.Account(ctx, c)
	return err
}
