package recovery_test

import (
	"errors"
	"flag"
	"fmt"
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
			checked := now
			wrong := p.otherThan("482915")
			if r := p.journal().Info().Reminder; r.Passed != 0 || r.Checked.Before(checked) {
				t.Errorf("after a wrong one: %+v", r)
			}
			p.must(p.check("482915"))
			p.fails(wrong)
			if r := p.journal().Info().Reminder; r.Passed != 0 || !r.Checked.Equal(now) {
				t.Errorf("after a wrong one: %+v", r)
			}
			if calls := p.net.Calls(); len(calls) > 0 {
				t.Errorf("somebody was asked: %+v", calls)
			}
			p.must(p.register("739164", "secret"))
			p.remembers("739164")

			lost := p.backup
			p.backup = nil
			got := p.recovers("739164", "secret") // with all attempts left
			if p.backup = nil; got.Backup.Info().Reminder.Set.IsZero() {
				t.Error("the new phone remembers nothing")
			}
			p.must(p.save(&p.backup, got.Backup))
			p.remembers("739164")

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
	p.remembers("739164")
	p.vaults.List[2].Start()
	p.must(p.register("739164", "secret"))
	p.remembers("739164")
}

// TestForgottenPIN: of a PIN that brings nothing back any more nothing is kept.
func TestForgottenPIN(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	one := len(p.backup)
	p.must(p.register("739164", "secret"))
	if n := len(p.backup); n > one+50 { // what is kept of a PIN has 60 bytes and more
		t.Errorf("a journal of %d bytes, and of %d after the PIN has changed", one, n)
	}
	_, err := p.client.Delete(t.Context(), p.journal())
	p.must(err)
	if n := len(p.backup); n > 250 {
		t.Errorf("%d bytes after all is deleted", n)
	}
}

func (p *phone) check(pin string) error { return p.client.CheckPIN(p.journal(), pinOf(p, pin)) }

// otherThan is a PIN that the phone knows to be another one: of 256 wrong ones one passes
// for right.
func (p *phone) otherThan(pin string) (wrong string) {
	p.Helper()
	for i := range 4 {
		wrong = fmt.Sprintf("90471%d", i)
		switch err := p.check(wrong); {
		case errors.Is(err, recovery.ErrOtherPIN):
			return wrong
		case err != nil:
			p.Fatal(err)
		}
	}
	p.Fatalf("whatever is typed passes for %s", pin)
	return ""
}

func (p *phone) fails(pin string) {
	p.Helper()
	if err := p.check(pin); !errors.Is(err, recovery.ErrOtherPIN) {
		p.Errorf("%s: %v", pin, err)
	}
}

// remembers wants a PIN to be right, and others wrong.
func (p *phone) remembers(pin string) {
	p.Helper()
	p.otherThan(pin)
	p.must(p.check(pin))
}

// TestCheckPINOften: who tries on waits longer and longer, the owner as well, and clocks
// that are set make nobody wait longer.
func TestCheckPINOften(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	now := time.Now().Truncate(time.Second)
	p.client = p.newClient(func(o *recovery.ClientOptions) { o.Now = func() time.Time { return now } })
	p.must(p.register("482915", "secret"))
	wrong := p.otherThan("482915")
	p.must(p.check("482915"))
	waits := func(pin string, want time.Duration) {
		t.Helper()
		var wait *recovery.PINWaitError
		if err := p.check(pin); !errors.As(err, &wait) || wait.RetryAt.Sub(now) != want {
			t.Fatalf("%v, want a wait of %s", err, want)
		}
	}
	for range 5 {
		p.fails(wrong)
	}
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440} {
		wait *= time.Minute
		waits(wrong, wait)
		now = now.Add(wait - time.Second)
		waits("482915", time.Second) // nor is the right one looked at
		now = now.Add(time.Second)
		p.fails(wrong)
	}
	now = now.Add(-1000 * time.Hour)
	waits(wrong, 24*time.Hour)
	waits(wrong, 24*time.Hour)
	now = now.Add(24 * time.Hour)
	p.must(p.check("482915"))
	for range 5 { // from the beginning
		p.fails(wrong)
	}
	waits("482915", time.Minute)
}

// TestLittleIsKept: what the phone keeps of a PIN leaves thousands that it may be.
func TestLittleIsKept(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	may := 0
	for i := range 20_000 {
		now := time.Unix(1_800_000_000, 0).AddDate(0, 0, 2*i)
		c := p.newClient(func(o *recovery.ClientOptions) {
			o.Now = func() time.Time { return now }
			o.SaveBackup = func(*recovery.Backup) error { return nil }
		})
		if c.CheckPIN(p.journal(), pinOf(t, fmt.Sprintf("%06d", 304_715+3*i))) == nil {
			may++
		}
	}
	if may < 20 || may > 200 { // 78 are expected
		t.Errorf("%d of 20,000 PINs may be the one", may)
	}
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
		t.Error(err) // one salt in 256 takes it for right: write another file
	}
	p.must(c.CheckPIN(b, pinOf(t, "482915")))
}
