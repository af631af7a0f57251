package wal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
)

// disk is a disk whose calls fail when the test wants it.
type disk struct {
	mu       sync.Mutex
	write    int // bytes that still fit; below 0: any
	sync     error
	truncate error
	slow     time.Duration
	syncs    atomic.Int64
	last     *faultyFile
	early    bool // a file was begun while the one before was not synced
}

type faultyFile struct {
	*os.File
	d     *disk
	dirty bool
}

func (d *disk) open(path string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	d.early = d.early || d.last != nil && d.last.dirty
	d.last = &faultyFile{f, d, false}
	return d.last, err
}

func (d *disk) set(write int, sync, truncate error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.write, d.sync, d.truncate = write, sync, truncate
}

func (f *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	f.dirty = true
	if f.d.write >= 0 && len(b) > f.d.write {
		n, _ := f.File.WriteAt(b[:f.d.write], off)
		return n, syscall.ENOSPC
	}
	return f.File.WriteAt(b, off)
}

func (f *faultyFile) Sync() error {
	f.d.mu.Lock()
	err, slow := f.d.sync, f.d.slow
	f.dirty = err != nil
	f.d.mu.Unlock()
	f.d.syncs.Add(1)
	time.Sleep(slow)
	return err
}

func (f *faultyFile) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.truncate != nil {
		return f.d.truncate
	}
	return f.File.Truncate(size)
}

func record(n byte, ver uint64) recovery.Record {
	return recovery.Record{App: "demo", Vault: "v1", Acct: [16]byte{n}, Gen: 1, Ver: ver, Sealed: make([]byte, 544)}
}

func openOn(t *testing.T, dir string, d *disk, size int64) *Log {
	t.Helper()
	o := &Options{Dir: dir, Stream: stream.Options{Rate: -1}, testingOnlySegmentSize: size}
	if d != nil {
		o.testingOnlyOpen = d.open
	}
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// held are the versions that a log opened anew holds, by account.
func held(t *testing.T, dir string) map[byte]uint64 {
	t.Helper()
	l := openOn(t, dir, nil, 0)
	defer l.Close()
	all := map[byte]uint64{}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	n := l.Stats().Depth
	var mu sync.Mutex
	end := make(chan struct{})
	if n == 0 {
		return all
	}
	go func() {
		<-end
		stop()
	}()
	_ = l.Run(ctx, func(_ context.Context, r recovery.Record) error {
		mu.Lock()
		defer mu.Unlock()
		all[r.Acct[0]] = r.Ver
		if len(all) == n {
			close(end)
		}
		return errors.New("not stored, so that it is there the next time")
	})
	return all
}

// TestFullDisk: crash table 07. What was not acknowledged is not there, what was is.
func TestFullDisk(t *testing.T) {
	bad := errors.New("I/O error")
	for _, c := range []struct {
		name           string
		write          int
		sync, truncate error
	}{
		{"full at once", 0, nil, nil},
		{"full within a frame", 100, nil, nil},
		{"sync fails", -1, bad, nil},
		{"cutting off fails, too", 100, nil, bad},
		{"all fails", 100, bad, bad},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, d := t.TempDir(), &disk{write: -1}
			l := openOn(t, dir, d, 0)
			if err := l.Enqueue(t.Context(), record(1, 1)); err != nil {
				t.Fatal(err)
			}
			d.set(c.write, c.sync, c.truncate)
			for range 3 {
				err := l.Enqueue(t.Context(), record(2, 1))
				if err == nil || c.write >= 0 && c.truncate == nil && !errors.Is(err, syscall.ENOSPC) {
					t.Fatalf("%v", err)
				}
			}
			if n := l.Stats().Depth; n != 1 {
				t.Errorf("%d held", n)
			}
			d.set(-1, nil, nil)
			if err := l.Enqueue(t.Context(), record(3, 1)); err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if got := held(t, dir); fmt.Sprint(got) != "map[1:1 3:1]" {
				t.Errorf("held after a restart: %v", got)
			}
		})
	}
}

// TestGroupCommit: an entry is answered after a sync, and those that come
// meanwhile share the next one.
func TestGroupCommit(t *testing.T) {
	d := &disk{write: -1, slow: 20 * time.Millisecond}
	l := openOn(t, t.TempDir(), d, 0)
	var wg sync.WaitGroup
	for n := range 200 {
		wg.Go(func() {
			before := d.syncs.Load()
			if err := l.Enqueue(t.Context(), record(byte(n), 1)); err != nil {
				t.Error(err)
			}
			if d.syncs.Load() == before {
				t.Error("answered before it was synced")
			}
		})
	}
	wg.Wait()
	if n := d.syncs.Load(); n > 100 {
		t.Errorf("%d syncs for 200 entries", n)
	}
}

// TestSegmentsGo: a segment is deleted when all of it is done, and no earlier.
func TestSegmentsGo(t *testing.T) {
	dir := t.TempDir()
	l := openOn(t, dir, nil, 2000) // three entries each
	for n := range byte(30) {
		if err := l.Enqueue(t.Context(), record(n, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if all, _ := segmentNumbers(dir); len(all) != 10 {
		t.Fatalf("%d segments", len(all))
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- l.Run(ctx, func(_ context.Context, r recovery.Record) error {
			if r.Acct[0] == 4 {
				return errors.New("away")
			}
			return nil
		})
	}()
	for end := time.Now().Add(time.Minute); l.Stats().Depth > 1 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	stop()
	<-ended
	all, err := segmentNumbers(dir)
	if err != nil || fmt.Sprint(all[:min(2, len(all))]) != "[2 10]" { // 10 is the one that is written, marks may have begun another
		t.Errorf("segments %v, %v", all, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// Marks: after a restart what is done is not tried again.
	if got := held(t, dir); fmt.Sprint(got) != "map[4:1]" {
		t.Errorf("held after a restart: %v", got)
	}
	if all, _ := segmentNumbers(dir); len(all) != 1 {
		t.Errorf("segments after a restart: %v", all)
	}
}

// TestRepair: whole frames of a batch that was not acknowledged do not stay behind
// a shorter one that was.
func TestRepair(t *testing.T) {
	dir, d := t.TempDir(), &disk{write: -1}
	tl := &tail{dir: dir, max: segmentSize, open: d.open, next: 1}
	if _, _, err := tl.room(1); err != nil {
		t.Fatal(err)
	}
	defer tl.f.Close()
	frame := func(text string) []byte { return appendFrame(nil, []byte(text)) }
	for _, c := range []struct {
		text           string
		sync, truncate error
		want           string
	}{
		{"good", nil, nil, "good"},
		{"one that is longer", errors.New("sync"), nil, "good"},
		{"next", nil, nil, "goodnext"},
		{"another", errors.New("sync"), errors.New("truncate"), ""}, // it is there, and nothing is written after it
		{"less", nil, errors.New("truncate"), ""},
		{"last", nil, nil, "goodnextlast"},
	} {
		d.set(-1, c.sync, c.truncate)
		if err := tl.write(frame(c.text), true); (err == nil) != (c.sync == nil && c.truncate == nil) {
			t.Errorf("%s: %v", c.text, err)
		}
		data, err := os.ReadFile(tl.seg.path)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for rest := data; len(rest) > 0; {
			var body []byte
			if body, rest, err = nextFrame(rest); err != nil {
				t.Fatalf("%s: %v", c.text, err)
			}
			got += string(body)
		}
		if c.want != "" && got != c.want {
			t.Errorf("after %s: %q, want %q", c.text, got, c.want)
		}
	}
}

// TestSyncedBeforeTheNext: only the last segment may end within a frame, so the
// marks at the end of one are synced before the next begins.
func TestSyncedBeforeTheNext(t *testing.T) {
	d := &disk{write: -1}
	l := openOn(t, t.TempDir(), d, 1400) // two entries and some marks
	for n := range byte(2) {
		if err := l.Enqueue(t.Context(), record(n, 1)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 3*flush/2) // in which marks are written
	defer stop()
	if err := l.Run(ctx, func(context.Context, recovery.Record) error { return nil }); err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	dirty, first := d.last.dirty, d.last
	d.mu.Unlock()
	if !dirty {
		t.Error("the test means nothing: no mark was written")
	}
	if err := l.Enqueue(t.Context(), record(3, 1)); err != nil {
		t.Fatal(err)
	}
	if d.mu.Lock(); d.early || d.last == first {
		t.Errorf("begun before the one before was synced: %v", d.early)
	}
	d.mu.Unlock()
}

func TestLetterDamaged(t *testing.T) {
	dir := t.TempDir()
	d, err := makeLetters(dir)
	if err != nil {
		t.Fatal(err)
	}
	letter := stream.Letter{ID: stream.LetterID(record(1, 1)), Record: record(1, 1), Reason: "a\xffb", At: time.Now()}
	letter.Record.At = time.Now()
	if err := d.put(letter); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "dead", letter.ID)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		bad := append([]byte{}, data...)
		bad[i] ^= 1
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenLetters(dir).List(t.Context()); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}
