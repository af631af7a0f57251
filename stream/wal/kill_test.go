//go:build unix

package wal_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/streamtest"
	"github.com/staunchid/staunch/stream/wal"
)

const killDir = "STAUNCH_TEST_WAL_KILL"

// TestKilled kills a process that enqueues and applies, again and again. Each
// entry that it has acknowledged is there afterwards, unless it was applied.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(killDir); dir != "" {
		enqueueForever(t, dir)
		return
	}
	dir := t.TempDir()
	acked, applied := map[int]uint64{}, map[int]uint64{}
	base := uint64(0)
	for round := range 5 {
		readUntilKilled(t, dir, base, 300*(round+1), acked, applied)
		base += 1 << 32
	}
	if len(acked) < 8 {
		t.Fatalf("%d keys: too few to mean anything", len(acked))
	}
	store := streamtest.NewStore(nil)
	l := open(t, dir, stream.Options{Rate: -1})
	streamtest.Run(t, l, store.Apply)
	for n, ver := range acked {
		store.Wait(t, fmt.Sprintf("%d of key %d is there; %d was applied", ver, n, applied[n]), func() bool {
			return max(store.Ver(byte(n)), applied[n]) >= ver
		})
	}
}

// readUntilKilled runs a child, notes what it says, and kills it after so many lines.
func readUntilKilled(t *testing.T, dir string, base uint64, lines int, acked, applied map[int]uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), killDir+"="+dir, fmt.Sprintf("STAUNCH_TEST_WAL_BASE=%d", base))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	for i := 0; in.Scan(); i++ {
		var what string
		var n int
		var ver uint64
		if _, err := fmt.Sscan(in.Text(), &what, &n, &ver); err != nil {
			t.Errorf("%q: %v", in.Text(), err)
			continue
		}
		if what == "acked" {
			acked[n] = max(acked[n], ver)
		} else {
			applied[n] = max(applied[n], ver)
		}
		if i == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
}

// enqueueForever is the child: 16 keys, half of which are never applied.
func enqueueForever(t *testing.T, dir string) {
	var base uint64
	fmt.Sscan(os.Getenv("STAUNCH_TEST_WAL_BASE"), &base)
	l, err := wal.Open(&wal.Options{Dir: dir, Stream: stream.Options{Rate: -1}})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	say := func(what string, r recovery.Record) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(what, r.Acct[0], r.Ver)
	}
	go l.Run(t.Context(), func(_ context.Context, r recovery.Record) error {
		if r.Acct[0]%2 == 0 {
			return fmt.Errorf("away")
		}
		say("applied", r)
		return nil
	})
	var wg sync.WaitGroup
	for n := range byte(16) {
		wg.Go(func() {
			for v := base + 1; ; v++ {
				r := streamtest.Record(n, 1, v)
				if err := l.Enqueue(t.Context(), r); err != nil {
					t.Error(err)
					return
				}
				say("acked", r)
				time.Sleep(time.Millisecond)
			}
		})
	}
	wg.Wait()
}
