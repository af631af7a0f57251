package registry

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestTeamBudget: a team makes no more exchanges than its budget, however many
// workers it has, and what nobody needed is given back.
func TestTeamBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &receiptWork{perMinute: 120}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second-time.Millisecond)
		defer cancel()
		turns := make(chan int, exchangeWorkers)
		for range exchangeWorkers {
			go func() {
				n := 0
				for w.team("T").turn(ctx) {
					n++
				}
				turns <- n
			}()
		}
		all := 0
		for range exchangeWorkers {
			all += <-turns
		}
		if all != 20 {
			t.Errorf("%d turns in 10 seconds, want 20", all)
		}
		other := w.team("other")
		for range 1000 {
			if !other.turn(t.Context()) {
				t.Fatal("stopped")
			}
			other.giveBack()
		}
	})
}

// TestPauses: a team waits as long as Apple asks, or longer and longer when it
// has no answer, and no worker waits for that long.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &receiptWork{perMinute: 60_000}
		team := w.team("T")
		paused := func() time.Duration {
			began := time.Now()
			for !team.turn(t.Context()) {
				if time.Since(began) > time.Hour {
					t.Fatal("never again")
				}
				time.Sleep(time.Second)
			}
			return time.Since(began)
		}
		for _, want := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute} {
			team.answered(Exchanged{Result: ExchangeLater})
			if d := paused(); d != want {
				t.Errorf("waited %s, want %s", d, want)
			}
		}
		team.answered(Exchanged{Result: ExchangeTooEarly})
		if d := paused(); d > time.Second {
			t.Errorf("waited %s after an answer", d)
		}
		team.answered(Exchanged{Result: ExchangeLater, RetryAfter: 5 * time.Minute})
		if d := paused(); d != 5*time.Minute {
			t.Errorf("waited %s, and was asked for 5 minutes", d)
		}
		began := time.Now()
		team.answered(Exchanged{Result: ExchangeBadCredentials})
		if team.turn(t.Context()) || time.Since(began) > 0 {
			t.Error("goes on with credentials that were refused, or waits for others")
		}
		w.resume()
		if !w.team("T").turn(t.Context()) {
			t.Error("stopped for ever")
		}
	})
}
