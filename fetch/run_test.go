package fetch_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/fetch"
	"github.com/staunchid/staunch/fetch/fetchtest"
)

// wall is a wall clock that somebody sets: it is that far from the time.
type wall struct{ off atomic.Int64 }

func (w *wall) now() time.Time      { return time.Now().Add(time.Duration(w.off.Load())) }
func (w *wall) set(d time.Duration) { w.off.Store(int64(d)) }
func (w *wall) add(d time.Duration) { w.off.Add(int64(d)) }

// bubble runs a test in which time passes when everybody waits. The fake vendor
// listens outside of it, and is called without a network inside.
func bubble(t *testing.T, test func(t *testing.T, f *fixture, clock *wall)) {
	vendor := newVendor(t)
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		clock := &wall{}
		f := &fixture{vendor: vendor}
		f.opts = &fetch.StatusOptions{
			URL: vendor.StatusURL(), Client: vendor.InProcess(), File: filepath.Join(dir, "list.json"),
			Logger: slog.New(slog.NewTextHandler(&f.log, nil)),
			Now:    clock.now, OnNew: func(l *android.StatusList) { f.news = append(f.news, l) },
		}
		vendor.SetStatusList(listOf("REVOKED", "a1", "b2"))
		f.start(t)
		test(t, f, clock)
	})
}

// run starts Run; stop ends it.
func (f *fixture) run(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	s := f.Status
	go func() { done <- s.Run(ctx) }()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	}
}

// requests is how many there have been since the last call.
func (f *fixture) requests(seen *int) int {
	n := len(f.vendor.StatusRequests())
	defer func() { *seen = n }()
	return n - *seen
}

// TestRunKeepsFresh: the next request comes when the vendor's max-age is over,
// within the bounds, and up to a tenth earlier.
func TestRunKeepsFresh(t *testing.T) {
	for _, c := range []struct {
		name, cacheControl, age string
		want                    time.Duration
	}{
		{"as said", "public, max-age=7200", "", 2 * time.Hour},
		{"in other letters, quoted", `Max-Age="7200"`, "", 2 * time.Hour},
		{"less its age in a cache", "max-age=7200", "3600", time.Hour},
		{"too short", "max-age=1", "", 15 * time.Minute},
		{"zero", "max-age=0", "", 15 * time.Minute},
		{"too long", "max-age=31536000", "", 24 * time.Hour},
		{"longer than anything", "max-age=99999999999999999999999", "", 24 * time.Hour},
		{"older than anything", "max-age=7200", "99999999999999999999999", 15 * time.Minute},
		{"not to be kept", "no-store, max-age=7200", "", 15 * time.Minute},
		{"not to be used unasked", "max-age=7200, no-cache", "", 15 * time.Minute},
		{"not said", "public", "", time.Hour},
		{"no header", "", "", time.Hour},
		{"negative", "max-age=-7200", "", 15 * time.Minute},
		{"no number", "max-age=soon", "", 15 * time.Minute},
		{"said in two ways", "max-age=7200, max-age=60", "", 15 * time.Minute},
		{"of shared caches", "s-maxage=60, max-age=7200", "", 2 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fixture, _ *wall) {
				f.vendor.SetStatusHeader("Cache-Control", c.cacheControl)
				f.vendor.SetStatusHeader("Age", c.age)
				seen := 0
				defer f.run(t)()
				if n := f.requests(&seen); n != 1 {
					t.Fatalf("%d requests at the start", n)
				}
				for range 3 { // a 304 says it as well
					early := max(c.want*9/10, 15*time.Minute) - time.Second
					time.Sleep(early)
					synctest.Wait()
					if n := f.requests(&seen); n != 0 {
						t.Errorf("%d requests within %s", n, early)
					}
					begun := time.Now()
					for f.requests(&seen) == 0 {
						if time.Sleep(time.Second); time.Since(begun) > c.want-early+2*time.Second {
							t.Fatalf("none after %s", c.want)
						}
						synctest.Wait()
					}
				}
				if len(f.news) != 1 {
					t.Errorf("told %d times", len(f.news))
				}
			})
		})
	}
}

// TestFetchIsBounded: a vendor that never answers is left after a minute.
func TestFetchIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture, _ *wall) {
		f.vendor.FailStatus(fetchtest.Hang, 1)
		begun := time.Now()
		f.fetch(t, false, fetch.ErrUnreachable)
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}

// TestRunBacksOff: each failure doubles the wait, up to a quarter of an hour,
// and half of it is chance.
func TestRunBacksOff(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture, _ *wall) {
		f.vendor.FailStatus(fetchtest.ServerError, -1)
		seen := 0
		defer f.run(t)()
		for i, seconds := range []int{10, 20, 40, 80, 160, 320, 640, 900, 900, 900} {
			if n := f.requests(&seen); n != 1 {
				t.Fatalf("%d requests after wait %d", n, i)
			}
			want := time.Duration(seconds) * time.Second
			begun := time.Now()
			for len(f.vendor.StatusRequests()) == seen {
				time.Sleep(time.Second / 10)
				synctest.Wait()
				if time.Since(begun) > want+time.Second {
					t.Fatalf("wait %d is longer than %s", i, want)
				}
			}
			if waited := time.Since(begun); waited < want/2 {
				t.Fatalf("wait %d is %s, less than half of %s", i, waited, want)
			}
		}
		if f.List() != nil || !errors.Is(f.Err(), fetch.ErrUnreachable) {
			t.Errorf("%v, %v", f.List(), f.Err())
		}
		if log := f.log.String(); !strings.Contains(log, `msg="revocation list: the next try" in=`) ||
			!strings.Contains(log, `meanwhile="there is no list, and every Android phone that registers is refused"`) {
			t.Errorf("the log says neither when it asks again nor what happens until then:\n%s", log)
		}
		f.vendor.FailStatus(fetchtest.None, 0)
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		if f.List().Len() != 2 || f.Err() != nil {
			t.Errorf("%v, %v", f.List(), f.Err())
		}
		// It starts anew after a success.
		f.vendor.FailStatus(fetchtest.Malformed, 1)
		for f.Err() == nil {
			time.Sleep(time.Second)
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if f.Err() != nil {
			t.Errorf("not asked again within 11 s: %v", f.Err())
		}
		if log := f.log.String(); !strings.Contains(log, `meanwhile="the last good list is in use, `) {
			t.Errorf("the log does not say which list is in use:\n%s", log)
		}
	})
}

// TestRunWaitsAsAsked: Retry-After, in seconds or as a date, of the answers that
// are none.
func TestRunWaitsAsAsked(t *testing.T) {
	for _, c := range []struct {
		name, after string
		least, most time.Duration
	}{
		{"seconds", "1800", 30 * time.Minute, 30 * time.Minute},
		{"too few", "1", time.Minute, time.Minute},
		{"too many", "999999999999", 6 * time.Hour, 6 * time.Hour},
		{"a date", "Sat, 01 Jan 2000 00:30:00 GMT", 30 * time.Minute, 30 * time.Minute},
		{"a date in the past", "Fri, 01 Jan 1999 00:00:00 GMT", time.Minute, time.Minute},
		{"nonsense", "soon", 5 * time.Second, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fixture, _ *wall) {
				f.vendor.FailStatus(fetchtest.Unavailable, 1)
				f.vendor.SetStatusHeader("Retry-After", c.after)
				defer f.run(t)()
				begun := time.Now()
				for f.List() == nil && time.Since(begun) <= c.most {
					time.Sleep(time.Second)
					synctest.Wait()
				}
				if waited := time.Since(begun); waited < c.least || f.List() == nil {
					t.Errorf("waited %s, want %s to %s", waited, c.least, c.most)
				}
			})
		})
	}
}

// TestRunAfterRestart: a server that restarts over and over does not ask over
// and over, but does not rest on the kept list either.
func TestRunAfterRestart(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture, _ *wall) {
		f.vendor.SetStatusHeader("Cache-Control", "max-age=86400")
		f.fetch(t, true, nil)
		seen := len(f.vendor.StatusRequests())
		for range 4 {
			f.start(t)
			stop := f.run(t)
			time.Sleep(3 * time.Minute)
			stop()
		}
		if n := f.requests(&seen); n != 0 {
			t.Errorf("%d requests in 12 minutes", n)
		}
		f.start(t)
		defer f.run(t)()
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		if n := f.requests(&seen); n != 1 {
			t.Errorf("%d requests after 16 minutes", n)
		}
	})
}
