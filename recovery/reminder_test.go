package recovery_test

import (
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/tee"
)

var update = flag.Bool("update", false, "write testdata/reminder.cbor anew")

func TestReminderDue(t *testing.T) {
	day := func(n float64) time.Time {
		return time.Unix(1_800_000_000, 0).Add(time.Duration(n * 24 * float64(time.Hour)))
	}
	never := time.Time{}
	for _, tt := range []struct {
		name         string
		set, checked time.Time
		passed       int
		now          float64
		due          bool
	}{
		{"no PIN is remembered", never, never, 0, 1000, false},
		{"set today", day(0), never, 0, 0.99, false},
		{"set yesterday", day(0), never, 0, 1, true},
		{"right once", day(0), day(2), 1, 4.99, false},
		{"three days ago", day(0), day(2), 1, 5, true},
		{"right twice", day(0), day(10), 2, 16.99, false},
		{"a week ago", day(0), day(10), 2, 17, true},
		{"right three times", day(0), day(20), 3, 34, true},
		{"right often", day(0), day(100), 4, 129.99, false},
		{"a month ago", day(0), day(100), 4, 130, true},
		{"right very often", day(0), day(100), 255, 130, true},
		{"set anew since", day(200), day(100), 0, 200.5, false},
		{"wrong since", day(0), day(100), 0, 101, true},
		{"by a clock that was wrong", day(900), never, 0, 1, true},
		{"a number that cannot be", day(0), never, -1, 1, true},
	} {
		r := recovery.Reminder{Set: tt.set, Checked: tt.checked, Passed: tt.passed}
		if got := r.Due(day(tt.now)); got != tt.due {
			t.Errorf("%s: due %v; next %v", tt.name, got, r.Next())
		}
	}
}

// TestCheckPIN: the phone knows its PIN without asking anybody.
func TestCheckPIN(t *testing.T) {
	for _, profile := range []string{recovery.ProfileKR1, recovery.ProfileSeed} {
		t.Run(profile, func(t *testing.T) {
			p := newPhone(t, recoverytest.Options{Profile: profile})
			now := time.Now().Truncate(time.Second)
			p.client = p.newClient(func(o *recovery.ClientOptions) { o.Now = func() time.Time { return now } })
			if err := p.check("482915"); !errors.Is(err, recovery.ErrNotFound) {
				t.Error("before there is a backup:", err)
			}
			p.must(p.register("482915", "secret"))
			p.net.Reset()
			if r := p.journal().Info().Reminder; !r.Set.Equal(now) || r.Passed != 0 {
				t.Errorf("%+v", r)
			}
			for n := 1; n <= 3; n++ {
				now = now.Add(time.Hour)
				p.must(p.check("482915"))
				if r := p.journal().Info().Reminder; !r.Checked.Equal(now) || r.Passed != n {
					t.Errorf("%+v", r)
				}
			}
			for range 20 {
				if err := p.check("482916"); !errors.Is(err, recovery.ErrOtherPIN) {
					t.Fatal("another PIN:", err)
				}
			}
			if r := p.journal().Info().Reminder; r.Passed != 0 || !r.Checked.Equal(now) {
				t.Errorf("after a wrong one: %+v", r)
			}
			if calls := p.net.Calls(); len(calls) > 0 {
				t.Errorf("somebody was asked: %+v", calls)
			}
			p.must(p.register("739164", "secret"))
			p.remembers("739164", "482915")

			lost := p.backup
			p.backup = nil
			got := p.recovers("739164", "secret") // with all attempts left
			if p.backup = nil; got.Backup.Info().Reminder.Set.IsZero() {
				t.Error("the new phone remembers nothing")
			}
			p.must(p.save(&p.backup, got.Backup))
			p.remembers("739164", "482915")

			p.backup = lost
			_, err := p.client.Delete(t.Context(), p.journal())
			p.must(err)
			if err := p.check("739164"); !errors.Is(err, recovery.ErrNotFound) {
				t.Error("of a backup that is gone:", err)
			}
		})
	}
}

// TestCheckPINBetween: while one PIN takes the place of another, it is the new one
// that its owner has to know.
func TestCheckPINBetween(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	p.vaults.List[2].Stop()
	p.incomplete(p.register("739164", "secret"), 2)
	p.remembers("739164", "482915")
	p.vaults.List[2].Start()
	p.must(p.register("739164", "secret"))
	p.remembers("739164", "482915")
}

// TestForgottenPIN: of a PIN that brings nothing back any more nothing is kept.
func TestForgottenPIN(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	one := len(p.backup)
	p.must(p.register("739164", "secret"))
	if n := len(p.backup); n > one+50 { // what is kept of a PIN has 82 bytes and more
		t.Errorf("a journal of %d bytes, and of %d after the PIN has changed", one, n)
	}
	_, err := p.client.Delete(t.Context(), p.journal())
	p.must(err)
	if n := len(p.backup); n > 250 {
		t.Errorf("%d bytes after all is deleted", n)
	}
}

func (p *phone) check(pin string) error { return p.client.CheckPIN(p.journal(), pinOf(p, pin)) }

// remembers wants the one PIN to be right, and the other wrong.
func (p *phone) remembers(pin, not string) {
	p.Helper()
	if err := p.check(not); !errors.Is(err, recovery.ErrOtherPIN) {
		p.Errorf("%s: %v", not, err)
	}
	p.must(p.check(pin))
}

// TestReminderFile: a journal, and the PIN that is remembered in it, are read by the
// clients of both languages, whoever has written them. -update writes it anew.
func TestReminderFile(t *testing.T) {
	const file = "testdata/reminder.cbor"
	var kept []byte
	p := newPhone(t, recoverytest.Options{})
	c, err := recovery.NewClient(&recovery.ClientOptions{
		Transport: p.net, ReleaseKeys: p.vaults.ReleaseKeys, Policy: tee.Policy{AllowProcess: true},
		SaveBackup:  func(b *recovery.Backup) (err error) { kept, err = b.Encode(); return err },
		SaveAttempt: func(*recovery.Attempt) error { return nil },
	}) // with Argon2id
	p.must(err)
	if *update {
		_, err := c.Register(t.Context(), nil, pinOf(t, "482915"), payloadOf("secret"))
		p.must(err)
		p.must(os.WriteFile(file, kept, 0o644))
	}
	data, err := os.ReadFile(file)
	p.must(err)
	b, err := recovery.ParseBackup(data)
	p.must(err)
	if err := c.CheckPIN(b, pinOf(t, "482916")); !errors.Is(err, recovery.ErrOtherPIN) {
		t.Error(err)
	}
	p.must(c.CheckPIN(b, pinOf(t, "482915")))
}
