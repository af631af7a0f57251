package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/transfer/sealed"
)

// TestJournal: it knows what was noted, also by another program, and after a crash
// that tore its last line.
func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	open := func() *journal {
		t.Helper()
		j, err := openJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { j.close() }) //nolint:errcheck // a test
		return j
	}
	knows := func(j *journal, s sealing) bool {
		t.Helper()
		ok, err := j.knows(s)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	a, b := open(), open()
	s := sealing{1, 64, 64, [32]byte{1}}
	again := sealing{1, 64, 64, [32]byte{2}}
	for _, e := range []sealing{{2, 0, 1, [32]byte{3}}, s, {1, 0, 64, [32]byte{4}}, again} {
		if knows(b, e) {
			t.Errorf("known before: %v", e)
		}
		if err := a.note(e); err != nil {
			t.Fatal(err)
		}
	}
	for name, j := range map[string]*journal{"who wrote it": a, "another program": b, "a later one": open()} {
		if !knows(j, s) || !knows(j, again) || !knows(j, sealing{2, 0, 1, [32]byte{3}}) {
			t.Errorf("%s does not know", name)
		}
		for _, e := range []sealing{{1, 64, 63, [32]byte{1}}, {1, 65, 64, [32]byte{1}}, {2, 64, 64, [32]byte{1}}, {1, 64, 64, [32]byte{9}}} {
			if knows(j, e) {
				t.Errorf("%s knows %v", name, e)
			}
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("torn")); err != nil {
		t.Fatal(err)
	}
	f.Close()
	c, next := open(), sealing{3, 0, 1, [32]byte{5}}
	if err := c.note(next); err != nil {
		t.Fatal(err)
	}
	if d := open(); !knows(d, s) || !knows(d, next) {
		t.Error("after a torn line it knows less")
	}
}

// TestSourceChanges: a file that is not what the plan has is noticed before it is
// read, while it is, and when it is gone.
func TestSourceChanges(t *testing.T) {
	for name, tt := range map[string]struct {
		before, within func(path string) error
	}{
		"unchanged":       {},
		"longer before":   {before: func(p string) error { return os.WriteFile(p, make([]byte, 100_001), 0o600) }},
		"touched before":  {before: func(p string) error { return os.Chtimes(p, time.Now(), time.Now().Add(time.Hour)) }},
		"gone before":     {before: os.Remove},
		"written within":  {within: func(p string) error { return os.WriteFile(p, make([]byte, 100_000), 0o600) }},
		"shorter within":  {within: func(p string) error { return os.Truncate(p, 50_000) }},
		"replaced within": {within: func(p string) error { return os.Truncate(p, 100_007) }},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "f")
		if err := os.WriteFile(file, make([]byte, 100_000), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, time.Now(), time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		src, err := NewFolderSource(&FolderSourceOptions{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		p, err := freeze(t.Context(), &moveDir{dir: t.TempDir()}, 1, src)
		if err != nil {
			t.Fatal(err)
		}
		change := func(fn func(string) error) {
			if fn != nil {
				if err := fn(file); err != nil {
					t.Fatal(err)
				}
			}
		}
		change(tt.before)
		entries, err := p.open(src)
		if err != nil {
			t.Fatal(err)
		}
		defer entries.close()
		w := sealed.NewWriter(p.Totals, entries)
		n, err := io.CopyN(io.Discard, w, 1000)
		if err == nil {
			change(tt.within)
			var rest int64
			rest, err = io.Copy(io.Discard, w)
			n += rest
		}
		if want := name != "unchanged"; errors.Is(err, sealed.ErrChanged) != want || !want && (err != nil || uint64(n) != p.Bytes) {
			t.Errorf("%s: %d of %d bytes, %v", name, n, p.Bytes, err)
		}
	}
}

// TestBeacon: who is beside the new phone hears it, and who is asked to connect to
// anything else does not.
func TestBeacon(t *testing.T) {
	b, err := listenBeacon(0, true)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	says := [beaconSize]byte{1, 2, 3}
	go b.serve(says)
	_, port, err := net.SplitHostPort(b.addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	hear := func(loopback bool, addrs ...string) bool {
		return hearBeacon(t.Context(), addrs, loopback, func(got [beaconSize]byte) bool { return got == says })
	}
	own := "127.0.0.1:" + port
	if !hear(true, "127.0.0.1:1", own) || !hear(true, own) {
		t.Error("the beacon was not heard")
	}
	if hear(false, own) || hear(true, "x", "x", "x", "x", own) {
		t.Error("heard at an address that is none of a phone's beside this one, or at the fifth")
	}
	for addr, want := range map[string]bool{
		"192.168.1.2:1024": true, "10.0.0.1:5000": true, "[fe80::1]:5000": true, "[fd00::1]:5000": true, "172.16.0.1:65535": true,
		"192.168.1.2:1023": false, "8.8.8.8:5000": false, "[2001:db8::1]:5000": false, "127.0.0.1:5000": false, "0.0.0.0:5000": false,
		"224.0.0.1:5000": false, "[fe80::1%eth0]:5000": false,
	} {
		if got := beaconAllowed(netip.MustParseAddrPort(addr), false); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}

// TestProgressIsDurable: what is shown is what the new phone has made durable, which
// never falls within a revision, and comes at most once a second but at a change of
// phase.
func TestProgressIsDurable(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var got []MoveEvent
	p := newTeller(func(e MoveEvent) { got = append(got, e) }, func() time.Time { return now })
	set := func(revision uint32, phase string, done uint64) {
		p.update(func(e *MoveEvent) { e.Revision, e.Phase, e.Done, e.Total = revision, phase, done, 1000 })
	}
	set(1, PhaseCopy, 100)
	set(1, PhaseCopy, 200)
	now = now.Add(time.Second)
	set(1, PhaseCopy, 300)
	now = now.Add(time.Second)
	set(1, PhaseCopy, 250) // an older answer
	set(1, PhaseCheck, 250)
	now = now.Add(time.Second)
	set(2, PhaseCopy, 50)
	var done []uint64
	for _, e := range got {
		done = append(done, e.Done)
	}
	want := []uint64{100, 300, 300, 50}
	if len(done) != len(want) {
		t.Fatal(done)
	}
	for i := range want {
		if done[i] != want[i] {
			t.Fatal(done)
		}
	}
}

// TestNoZeroETA: there is none before there is a rate, and none while the move is
// held; then it is never 0, however little is left.
func TestNoZeroETA(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var last MoveEvent
	p := newTeller(func(e MoveEvent) { last = e }, func() time.Time { return now })
	const total = 20_000
	for s := range 21 {
		p.update(func(e *MoveEvent) { e.Revision, e.Phase, e.Done, e.Total = 1, PhaseCopy, uint64(s)*1000, total })
		switch {
		case s < 3 && (last.Rate >= 0 || last.ETA >= 0):
			t.Errorf("after %d s: %v bytes/s, %v", s, last.Rate, last.ETA)
		case s >= 3 && (last.Rate < 900 || last.Rate > 1100):
			t.Errorf("after %d s: %v bytes/s", s, last.Rate)
		case s >= 3 && (last.ETA < time.Second || last.ETA > time.Duration(20-min(s, 18))*time.Second*3/2):
			t.Errorf("after %d s: %v", s, last.ETA)
		}
		now = now.Add(time.Second)
	}
	p.phase(PhaseHold)
	if last.Rate >= 0 || last.ETA >= 0 {
		t.Errorf("held: %+v", last)
	}
}

// TestNotAPlan: a plan that is damaged is noticed, and none that is not written whole
// takes the place of another.
func TestNotAPlan(t *testing.T) {
	d := &moveDir{dir: t.TempDir()}
	src, err := NewFolderSource(&FolderSourceOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	p, err := freeze(t.Context(), d, 1, src)
	if err != nil || p.Totals.Objects != 0 || p.Bytes == 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := freeze(ctx, d, 2, src); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, damaged := range []string{"\x01", "\x01\x05\x02\x03ab", "\x01\x05\x02" + strings.Repeat("\xff", 11)} {
		if err := os.WriteFile(p.path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := p.open(src)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Next(); err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v", damaged, err)
		}
		e.close()
	}
}
