package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/staunchid/staunch/attest/android"
)

// GoogleStatusURL is where Google publishes its attestation status list.
const GoogleStatusURL = "https://android.googleapis.com/attestation/status"

// StatusOptions are a Status's.
type StatusOptions struct {
	// URL of the list. Empty: GoogleStatusURL. A mirror must serve the vendor's
	// list as it is, by https.
	URL string
	// Client makes the calls; see NewClient. Required. Redirects are refused,
	// whatever it says of them.
	Client *http.Client
	// File keeps the last good list. Required: without it a restart would take
	// any list. Its folder must exist, and no other process may write it.
	File string
	// Timeout bounds one download. 0: one minute.
	Timeout time.Duration
	// Now is the wall clock. nil: time.Now.
	Now func() time.Time
	// Logger gets what an operator should look at: Error is an alarm. nil discards.
	Logger *slog.Logger
	// OnNew is called with each list that says something else than the one
	// before, when it is in use, and before Fetch returns. It is not called for
	// the kept list at the start: compare the Digest of List with what you have
	// worked off. nil: nobody is told.
	OnNew func(*android.StatusList)
}

// Status keeps the last good revocation list. It is safe for concurrent use.
type Status struct {
	url     string
	client  *http.Client
	file    string
	timeout time.Duration
	clock   func() time.Time
	log     *slog.Logger
	onNew   func(*android.StatusList)

	turn chan struct{} // held by who fetches
	kept atomic.Pointer[kept]
	last atomic.Pointer[error] // of the last Fetch
}

// kept is a good list. It is never changed.
type kept struct {
	list         *android.StatusList
	text         []byte // the vendor's
	stamp        stamp
	fresh        time.Duration // from the stamp on
	etag         string        // empty after a restart: what is not asked for conditionally cannot be confirmed wrongly
	lastModified string
}

// NewStatus takes up the list that File has kept. It fetches nothing.
func NewStatus(opts *StatusOptions) (*Status, error) {
	if opts.Client == nil || opts.File == "" {
		return nil, errors.New("fetch: StatusOptions needs Client and File")
	}
	s := &Status{
		url: opts.URL, client: bounded(opts.Client), file: opts.File, timeout: opts.Timeout,
		clock: opts.Now, log: opts.Logger, onNew: opts.OnNew, turn: make(chan struct{}, 1),
	}
	if s.url == "" {
		s.url = GoogleStatusURL
	}
	if err := checkURL("URL of the revocation list", s.url); err != nil {
		return nil, err
	}
	if s.timeout <= 0 {
		s.timeout = time.Minute
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.onNew == nil {
		s.onNew = func(*android.StatusList) {}
	}
	if info, err := os.Stat(filepath.Dir(s.file)); err != nil {
		return nil, fmt.Errorf("%w: %w: make the folder", ErrFile, err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%w: %s is not a folder", ErrFile, filepath.Dir(s.file))
	}
	if err := s.takeUp(); err != nil {
		return nil, err
	}
	return s, nil
}

// takeUp makes the kept list the last good one.
func (s *Status) takeUp() error {
	list, text, err := load(s.file)
	if err != nil || list == nil {
		return err
	}
	now := s.now()
	at, future := stampKept(list.FetchedAt, now)
	k := &kept{list: list, text: text, stamp: at, fresh: minFresh}
	if future {
		s.log.Warn("the kept revocation list is from the future: the clock is wrong or was; the list counts as fetched now", "file", s.file, "fetched_at", list.FetchedAt, "now", now)
		list.FetchedAt = now
		k.fresh = 0
		if err := s.save(k); err != nil { // or each restart would make it young again
			return err
		}
	}
	s.kept.Store(k)
	return nil
}

// now is the wall clock, without its monotonic reading.
func (s *Status) now() time.Time { return s.clock().Round(0).UTC() }

// List is the last good list with its age, or nil when there has been none.
func (s *Status) List() *android.StatusList {
	k := s.kept.Load()
	if k == nil {
		return nil
	}
	return k.stamp.aged(k.list, s.now())
}

// Err is why the last Fetch has failed, or nil.
func (s *Status) Err() error {
	if err := s.last.Load(); err != nil {
		return *err
	}
	return nil
}

// Fetch asks the vendor once. changed says that the list in use is another one
// now, which may be so even when the error is ErrFile: it is in use, and could
// not be kept. The other errors are ErrList, ErrUnreachable and that of ctx,
// and leave the last good list in use, with its age.
func (s *Status) Fetch(ctx context.Context) (changed bool, err error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return false, fmt.Errorf("fetch: revocation list: %w", ctx.Err())
	}
	defer func() { <-s.turn }()
	before := s.kept.Load()
	next, err := s.ask(ctx, before)
	if ctx.Err() != nil && err != nil {
		return false, fmt.Errorf("fetch: revocation list: %w", ctx.Err()) // stopped by the caller: no alarm
	}
	if err == nil {
		err = s.save(next)
		s.kept.Store(next)
		changed = before == nil || before.list.Digest != next.list.Digest
	}
	failure := err
	s.last.Store(&failure)
	s.report(next, changed, err)
	if changed {
		s.onNew(next.list)
	}
	return changed, err
}

func (s *Status) save(k *kept) error {
	data, err := snapshot(k.text, k.list.FetchedAt)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFile, err)
	}
	return save(s.file, data)
}

// report is the one log line of a Fetch.
func (s *Status) report(next *kept, changed bool, err error) {
	switch {
	case errors.Is(err, ErrUnreachable):
		s.log.Warn("revocation list", "error", err)
	case err != nil:
		s.log.Error("revocation list", "error", err)
	case changed:
		s.log.Info("revocation list", "entries", next.list.Len(), "digest", next.list.Digest)
	default:
		s.log.Debug("revocation list: confirmed", "entries", next.list.Len())
	}
}

// Run keeps the list fresh until ctx ends, and returns its error. A kept list
// that is younger than 15 minutes is not fetched again at the start, so that a
// server that restarts over and over does not ask over and over.
func (s *Status) Run(ctx context.Context) error {
	fresh := time.Duration(0)
	if k := s.kept.Load(); k != nil {
		fresh = k.fresh
	}
	remaining := s.remaining(fresh)
	for failures := 0; ; {
		if err := waitUntil(ctx, remaining); err != nil {
			return err
		}
		if _, err := s.Fetch(ctx); err != nil {
			failures++
			pause, begun := max(backOff(failures), askedToWait(err)), time.Now()
			remaining = func() time.Duration { return pause - time.Since(begun) }
			s.log.Warn("revocation list: the next try", "in", pause.Round(time.Second), "meanwhile", s.meanwhile())
			continue
		}
		failures = 0
		remaining = s.remaining(early(s.kept.Load().fresh))
	}
}

// meanwhile says which list is in use.
func (s *Status) meanwhile() string {
	list := s.List()
	if list == nil {
		return "there is no list, and every Android phone that registers is refused"
	}
	return fmt.Sprintf("the last good list is in use, %s old", list.Age(s.now()).Round(time.Second))
}

// remaining tells how long the list in use stays fresh, by the clock that says
// less.
func (s *Status) remaining(fresh time.Duration) func() time.Duration {
	return func() time.Duration {
		k := s.kept.Load()
		if k == nil {
			return 0
		}
		return fresh - k.stamp.age(s.now())
	}
}

// confirm is a list whose vendor says that it has not changed: the same with
// another age.
func (k *kept) confirm(at stamp, fresh time.Duration) *kept {
	c, list := *k, *k.list
	list.FetchedAt = at.wall
	c.list, c.stamp, c.fresh = &list, at, fresh
	return &c
}

// replace is the list that an answer holds.
func (k *kept) replace(text []byte, at stamp, h http.Header) (*kept, error) {
	text = bytes.TrimSpace(text)
	list, err := judge(text, k)
	if err != nil {
		return nil, err
	}
	list.FetchedAt = at.wall
	return &kept{
		list: list, text: text, stamp: at, fresh: freshness(h),
		etag: h.Get("ETag"), lastModified: h.Get("Last-Modified"),
	}, nil
}
