package fetch_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/fetch"
	"github.com/staunchid/staunch/fetch/fetchtest"
)

func age(f *fixture, clock *wall) time.Duration { return f.List().Age(clock.now()) }

// TestClockGoesBack: a list does not grow young with the clock.
func TestClockGoesBack(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture, clock *wall) {
		f.fetch(t, true, nil)
		f.vendor.FailStatus(fetchtest.Unreachable, -1)
		time.Sleep(time.Hour)
		if a := age(f, clock); a != time.Hour {
			t.Errorf("age %s after an hour", a)
		}
		clock.set(-365 * 24 * time.Hour) // fetched_at is in the future now
		if a := age(f, clock); a != time.Hour {
			t.Errorf("age %s when the clock has gone back", a)
		}
		if f.List().Lookup("a1") != android.StatusRevoked || f.List().Len() != 2 {
			t.Error("the entries are gone")
		}
		time.Sleep(23 * time.Hour)
		if a := age(f, clock); a != 24*time.Hour {
			t.Errorf("age %s after a day", a)
		}
		clock.set(-2 * time.Hour) // a little: it is not in the future
		if a := age(f, clock); a != 24*time.Hour {
			t.Errorf("age %s", a)
		}
		f.vendor.FailStatus(fetchtest.None, 0)
		f.fetch(t, false, nil) // a fresh list is fresh by the clock as it is
		if a := age(f, clock); a != 0 {
			t.Errorf("age %s of a fresh list", a)
		}
	})
}

// TestClockGoesForward: the list counts as old, as after sleep, and is fetched
// within a minute.
func TestClockGoesForward(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture, clock *wall) {
		f.vendor.SetStatusHeader("Cache-Control", "max-age=86400")
		defer f.run(t)()
		time.Sleep(time.Hour)
		clock.set(365 * 24 * time.Hour)
		if a := age(f, clock); a != 365*24*time.Hour+time.Hour {
			t.Errorf("age %s", a)
		}
		seen := len(f.vendor.StatusRequests())
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := f.requests(&seen); n != 1 || age(f, clock) > time.Minute {
			t.Errorf("%d requests, age %s", n, age(f, clock))
		}
		clock.set(0) // and back: it is not fresh for a year
		time.Sleep(21 * time.Hour)
		synctest.Wait()
		if n := f.requests(&seen); n != 0 {
			t.Errorf("%d requests within 21 hours", n)
		}
		time.Sleep(3*time.Hour + time.Minute)
		synctest.Wait()
		if n := f.requests(&seen); n != 1 || age(f, clock) > 3*time.Hour {
			t.Errorf("%d requests, age %s", n, age(f, clock))
		}
	})
}

// TestKeptAges: the age of a kept list goes on, by both clocks.
func TestKeptAges(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture, clock *wall) {
		f.fetch(t, true, nil)
		time.Sleep(10 * time.Hour)
		f.start(t)
		if a := age(f, clock); a != 10*time.Hour {
			t.Errorf("age %s at the start", a)
		}
		clock.set(-9 * time.Hour)
		time.Sleep(time.Hour)
		if a := age(f, clock); a != 11*time.Hour {
			t.Errorf("age %s when the clock has gone back", a)
		}
	})
}

// TestKeptFromTheFuture: a list that says it was fetched tomorrow is taken, as
// of now, once; restarts do not make it young again, and it is fetched at once.
func TestKeptFromTheFuture(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture, clock *wall) {
		clock.set(365 * 24 * time.Hour)
		f.fetch(t, true, nil)
		clock.set(0)
		f.vendor.FailStatus(fetchtest.Unreachable, -1)
		f.start(t)
		if a := age(f, clock); a != 0 || f.List().Lookup("a1") != android.StatusRevoked {
			t.Errorf("age %s", a)
		}
		if a := must(android.ParseStatusList(must(os.ReadFile(f.opts.File)))).Age(clock.now()); a != 0 {
			t.Errorf("age %s in the file", a)
		}
		for i := range 5 {
			if a := age(f, clock); a != time.Duration(i)*24*time.Hour {
				t.Errorf("age %s on day %d", a, i)
			}
			time.Sleep(24 * time.Hour)
			f.start(t)
		}
		f.vendor.SetStatusList(listOf("REVOKED", "c3")) // it still guards
		f.vendor.FailStatus(fetchtest.None, 0)
		f.fetch(t, false, fetch.ErrList)
	})
	bubble(t, func(t *testing.T, f *fixture, clock *wall) {
		clock.set(time.Hour)
		f.fetch(t, true, nil)
		clock.set(0)
		f.start(t)
		seen := len(f.vendor.StatusRequests())
		defer f.run(t)()
		if n := f.requests(&seen); n != 1 {
			t.Errorf("%d requests at the start", n)
		}
	})
	bubble(t, func(t *testing.T, f *fixture, clock *wall) {
		clock.set(time.Hour)
		f.fetch(t, true, nil)
		clock.set(0)
		if err := os.MkdirAll(filepath.Join(f.opts.File+".tmp", "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		if s, err := fetch.NewStatus(f.opts); s != nil || !errors.Is(err, fetch.ErrFile) || !strings.Contains(err.Error(), "cannot be written") {
			t.Errorf("it cannot be written, so it would be young again: %v", err)
		}
	})
}
