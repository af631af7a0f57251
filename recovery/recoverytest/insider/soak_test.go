package insider_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest/insider"
	"github.com/staunchid/staunch/recovery/wire"
)

// soakEnv says how many accounts TestSoak has; `make soak-recovery` sets it.
const soakEnv = "STAUNCH_SOAK_ACCOUNTS"

// TestSoak kills the API and all vaults and witnesses at once, again and again,
// while owners try PINs, wrong ones too. No count falls, none grows by more than
// what was tried, no row goes back; and in the end everybody recovers.
func TestSoak(t *testing.T) {
	accounts, long := 20, 8*time.Second
	if text := os.Getenv(soakEnv); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("%s=%q: how many accounts?", soakEnv, text)
		}
		accounts, long = n, time.Duration(n)*150*time.Millisecond
	} else if testing.Short() {
		t.Skip("this kills processes for some seconds")
	}
	k, said := kit(t, recovery.ProfileKR1, 10)
	s := &soak{T: t, k: k, owners: make([]*account, accounts)}
	s.each(8, func(i int) { s.owners[i] = s.enrol() })
	t.Logf("%d accounts have a PIN", accounts)

	var kills atomic.Int32
	begin := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for time.Since(begin) < long && !t.Failed() {
			time.Sleep(time.Duration(200+rand.IntN(1800)) * time.Millisecond)
			if err := k.Restart(t.Context(), append(k.Parts(), insider.APIName)...); err != nil {
				t.Error(err)
				return
			}
			kills.Add(1)
		}
	}()
	for time.Since(begin) < long && !t.Failed() {
		time.Sleep(20 * time.Millisecond) // all may have tried what they can
		s.each(8, func(i int) {
			if time.Since(begin) < long {
				s.owners[i].try()
			}
		})
	}
	<-done
	t.Logf("everything was killed %d times, during %d attempts, of which %d had a verdict", kills.Load(), s.attempts.Load(), s.verdicts.Load())
	s.each(8, func(i int) { s.owners[i].settle() })
	s.each(8, func(i int) { s.owners[i].recover() })
	if said.has(rolledBack) {
		t.Error("operators are alarmed that disks went back")
	}
	for _, kind := range []string{"recovery.fork", "recovery.future", "recovery.locked"} {
		if n, err := k.Events(t.Context(), kind); err != nil || n > 0 {
			t.Errorf("%d events %s: %v", n, kind, err)
		}
	}
	t.Logf("%d accounts have recovered, after %s", accounts, time.Since(begin).Round(time.Second))
}

// soak is a run of it.
type soak struct {
	*testing.T
	k                  *insider.Kit
	owners             []*account
	attempts, verdicts atomic.Int32
}

// each does something for every account, several at a time.
func (s *soak) each(workers int, do func(i int)) {
	var next atomic.Int32
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(s.owners) && !s.Failed(); i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}

// account is one owner and what is known of his count.
type account struct {
	*soak
	*insider.Owner
	sent   int // elements sent since the last right PIN: no vault has charged more
	used   map[string]uint8
	ver    map[string]uint64
	tries  int
	wanted wire.Key // of an attempt that had no verdict: it goes on
	open   bool
}

func (s *soak) enrol() *account {
	o, err := s.k.Enrol(s.Context(), ownersPIN)
	if err != nil {
		s.Error(err)
		return nil
	}
	a := &account{soak: s, Owner: o, used: map[string]uint8{}, ver: map[string]uint64{}}
	o.Answered = a.saw
	return a
}

// saw holds an answer against what was seen before.
func (a *account) saw(vault string, op wire.Op, answer *wire.Answer) {
	right := op == wire.OpRelease && answer.Verdict == wire.VerdictOK
	switch {
	case answer.Ver <= a.ver[vault]:
		a.Errorf("%s at %s: version %d after %d", a.ID, vault, answer.Ver, a.ver[vault])
	case right && answer.Used != 0:
		a.Errorf("%s at %s: the PIN is right, and %d are used", a.ID, vault, answer.Used)
	case !right && answer.Used < a.used[vault]:
		a.Errorf("%s at %s: used falls from %d to %d by %s", a.ID, vault, a.used[vault], answer.Used, op)
	case int(answer.Used) > a.sent:
		a.Errorf("%s at %s: %d are used, and %d were tried", a.ID, vault, answer.Used, a.sent)
	}
	a.used[vault], a.ver[vault] = answer.Used, answer.Ver
}

// try tries a wrong PIN, or goes on with the one before. Eight at most, so that
// there is one left whatever was charged.
func (a *account) try() {
	if !a.open {
		if a.tries == 8 {
			return
		}
		a.tries++
		a.sent++
		a.wanted, a.open = wire.NewKey(), true
	}
	a.attempts.Add(1)
	_, err := a.Recover(a.Context(), "000000", a.wanted)
	switch {
	case err == nil:
		a.Errorf("%s: a wrong PIN is right", a.ID)
	case errors.Is(err, insider.ErrVerdict):
		a.open = false
		a.verdicts.Add(1)
	}
}

// settle compares the count with what vaults and store say of it now that all is
// quiet.
func (a *account) settle() {
	for _, vault := range []string{"v1", "v2", "v3"} {
		before := a.used[vault]
		answer, err := a.Status(a.Context(), vault)
		if err != nil {
			a.Errorf("%s at %s: %v", a.ID, vault, err)
			return
		}
		row, err := a.k.Row(a.Context(), a.ID, vault)
		if err != nil || row.Ver < answer.Ver || row.Used < before {
			a.Errorf("%s at %s: the store has version %d with %d used, the vault says %d and %d: %v", a.ID, vault, row.Ver, row.Used, answer.Ver, answer.Used, err)
		}
	}
}

// recover gives the right PIN.
func (a *account) recover() {
	a.sent++
	got, err := a.Recover(a.Context(), ownersPIN, wire.NewKey())
	if err != nil || got != a.Secret {
		a.Errorf("%s has recovered %q: %v; used %v", a.ID, got, err, fmt.Sprint(a.used))
	}
}
