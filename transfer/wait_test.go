package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/sealed"
)

// streaming is a rig whose transfer has been confirmed.
func streaming(t *testing.T, change ...func(*transfer.Options)) *rig {
	r := newRig(t, change...)
	for _, command := range []string{"offer", "claim", "hello", "answer", "matched", "confirm"} {
		if _, err := r.do(command, nil); err != nil {
			t.Fatal(command, err)
		}
	}
	return r
}

// TestWait: a change answers at once, and nothing when the time is over. Progress, and
// another process's changes, which nobody calls out, are seen within half a second.
func TestWait(t *testing.T) {
	for _, tt := range []struct {
		name    string
		after   uint64
		wait    time.Duration
		happens func(r *rig) // 3 seconds after the wait has begun
		took    time.Duration
	}{
		{"what is newer is there", 5, 25 * time.Second, func(*rig) {}, 0},
		{"nothing, and no wait", 6, 0, func(*rig) {}, 0},
		{"nothing", 6, 25 * time.Second, func(*rig) {}, 25 * time.Second},
		{"a change that is called out", 6, 25 * time.Second, func(r *rig) { r.cancel(); r.Wake(idOf("t")) }, 3 * time.Second},
		{"a change that is not", 6, 25 * time.Second, func(r *rig) { time.Sleep(100 * time.Millisecond); r.cancel() }, 3500 * time.Millisecond},
		{"progress", 6, 25 * time.Second, func(r *rig) { time.Sleep(100 * time.Millisecond); r.fill(0) }, 3500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := streaming(t)
				r.at = r.at.Add(time.Minute)
				var done sync.WaitGroup
				done.Go(func() { time.Sleep(3 * time.Second); tt.happens(r) })
				begun := time.Now()
				v, err := r.Wait(t.Context(), &transfer.Waiting{ID: idOf("t"), Token: r.c, After: tt.after, For: tt.wait})
				if took := time.Since(begun); err != nil || took != tt.took {
					t.Errorf("answered %v after %s, want %s: %v", v, took, tt.took, err)
				}
				done.Wait()
			})
		})
	}
}

// TestWaitSparesProgress: while bytes move, Wait answers once a second and no more.
func TestWaitSparesProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := streaming(t)
		var done sync.WaitGroup
		done.Go(func() {
			for i := range 15 {
				time.Sleep(200 * time.Millisecond)
				r.fill(uint64(i))
			}
		})
		begun, answers := time.Now(), 0
		var last uint64
		for time.Since(begun) < 3*time.Second {
			v, err := r.Wait(t.Context(), &transfer.Waiting{ID: idOf("t"), Token: r.c, After: 6, For: 25 * time.Second})
			if err != nil || v.BytesStored <= last {
				t.Fatalf("%+v, %v", v, err)
			}
			answers, last = answers+1, v.BytesStored
		}
		if answers != 3 {
			t.Errorf("%d answers in 3 seconds", answers)
		}
		done.Wait()
	})
}

// TestWaitBetween: what moved between two waits is told by the second.
func TestWaitBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := streaming(t)
		r.at = r.at.Add(time.Minute)
		r.fill(0)
		begun := time.Now()
		v, err := r.Wait(t.Context(), &transfer.Waiting{ID: idOf("t"), Token: r.c, After: 6, For: 25 * time.Second})
		if err != nil || v.BytesStored == 0 || time.Since(begun) != time.Second {
			t.Errorf("%v after %s, %v", v, time.Since(begun), err)
		}
	})
}

// TestWaitEnds with its caller, and within 25 seconds.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := streaming(t)
		r.at = r.at.Add(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err := r.Wait(ctx, &transfer.Waiting{ID: idOf("t"), Token: r.c, After: 6, For: 25 * time.Second}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the caller has gone: %v", err)
		}
		for _, d := range []time.Duration{-1, 25*time.Second + 1} {
			if _, err := r.Wait(t.Context(), &transfer.Waiting{ID: idOf("t"), Token: r.c, For: d}); !errors.Is(err, transfer.ErrMalformed) {
				t.Errorf("a wait of %s: %v", d, err)
			}
			if _, err := r.GetSegment(t.Context(), transfer.Place{ID: idOf("t"), Token: r.n, Revision: 1}, d, 0, -1); !errors.Is(err, transfer.ErrMalformed) {
				t.Errorf("a fetch with a wait of %s: %v", d, err)
			}
		}
	})
}

// TestFetchWaits for the segment that is asked for, and for no other.
func TestFetchWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := streaming(t)
		var done sync.WaitGroup
		done.Go(func() { time.Sleep(time.Second); r.fill(1); time.Sleep(time.Second); r.fill(0) })
		begun := time.Now()
		p, err := r.GetSegment(t.Context(), transfer.Place{ID: idOf("t"), Token: r.n, Revision: 1}, 25*time.Second, 0, -1)
		if err != nil || p == nil || time.Since(begun) != 2*time.Second {
			t.Fatalf("%v after %s, %v", p, time.Since(begun), err)
		}
		p.Close()
		begun = time.Now()
		if p, err := r.GetSegment(t.Context(), transfer.Place{ID: idOf("t"), Token: r.n, Revision: 1, First: 7}, 5*time.Second, 0, -1); p != nil || err != nil || time.Since(begun) != 5*time.Second {
			t.Errorf("what does not come: %v after %s, %v", p, time.Since(begun), err)
		}
		done.Wait()
	})
}

func (r *rig) cancel() {
	if _, err := r.do("cancel", args{"reason": "user_cancelled"}); err != nil {
		r.Error(err)
	}
}

// fill stores a segment of one record.
func (r *rig) fill(first uint64) {
	g := r.seal(sealed.Header{Revision: 1, First: first, Plain: sealed.RecordSize})
	if _, err := r.PutSegment(r.Context(), transfer.Place{ID: idOf("t"), Token: r.c, Revision: 1, First: first}, int64(len(g.bytes)), bytes.NewReader(g.bytes)); err != nil {
		r.Error(err)
	}
}

// TestTwoSendersAtOnce: of two sealings of the same records, one is stored, whole and
// with its own leaf; TestNoLocks: a connection that hangs keeps nobody waiting.
func TestTwoSendersAtOnce(t *testing.T) {
	r := streaming(t)
	at := transfer.Place{ID: idOf("t"), Token: r.c, Revision: 1}
	h := sealed.Header{Revision: 1, Plain: 2 * sealed.RecordSize}
	slow, quick := r.seal(h), r.seal(h)
	body, pipe := io.Pipe()
	answer := make(chan error)
	go func() {
		_, err := r.PutSegment(t.Context(), at, int64(len(slow.bytes)), body)
		answer <- err
	}()
	pipe.Write(slow.bytes[:70000]) //nolint:errcheck
	if created, err := r.PutSegment(t.Context(), at, int64(len(quick.bytes)), bytes.NewReader(quick.bytes)); !created || err != nil {
		t.Fatalf("the second sender: %t, %v", created, err)
	}
	pipe.Write(slow.bytes[70000:]) //nolint:errcheck
	pipe.Close()
	if err := <-answer; !errors.Is(err, transfer.ErrConflict) {
		t.Errorf("the first sender: %v", err)
	}
	p, err := r.GetSegment(t.Context(), transfer.Place{ID: idOf("t"), Token: r.n, Revision: 1}, 0, 0, -1)
	r.must(err)
	got, err := io.ReadAll(p)
	if err != nil || !bytes.Equal(got, quick.bytes) || len(r.shelf.blobs) != 1 {
		t.Errorf("%d bytes are not those whose row it is; %d blobs; %v", len(got), len(r.shelf.blobs), err)
	}
}

func TestNoLocks(t *testing.T) {
	r := streaming(t)
	at := transfer.Place{ID: idOf("t"), Token: r.c, Revision: 1}
	g := r.seal(sealed.Header{Revision: 1, Plain: sealed.RecordSize})
	body, pipe := io.Pipe()
	gone := make(chan error)
	go func() {
		_, err := r.PutSegment(t.Context(), at, int64(len(g.bytes)), body)
		gone <- err
	}()
	pipe.Write(g.bytes[:100]) //nolint:errcheck
	// The phone's connection broke, and nobody has told the server.
	if created, err := r.PutSegment(t.Context(), at, int64(len(g.bytes)), bytes.NewReader(g.bytes)); !created || err != nil {
		t.Errorf("the same segment again: %t, %v", created, err)
	}
	pipe.CloseWithError(io.ErrUnexpectedEOF)
	if err := <-gone; !errors.Is(err, transfer.ErrMalformed) || len(r.shelf.blobs) != 1 {
		t.Errorf("the broken one: %v, %d blobs", err, len(r.shelf.blobs))
	}
}

// TestFlushRacesReceived: what N acknowledges while it is flushed is deleted, and that
// is no loss.
func TestFlushRacesReceived(t *testing.T) {
	r := streaming(t)
	r.fill(0)
	r.fill(1)
	blobs := &racing{shelf: r.shelf}
	r.opts.Blobs = blobs
	r.open()
	blobs.first = func() { r.walk(want{"received 1", nil}) }
	if err := r.Flush(t.Context(), idOf("t"), r.c); err != nil {
		t.Fatal(err)
	}
	blobs.first = func() { r.walk(want{"received 2", nil}) }
	r.walk(want{"put first=2", nil}, want{"put first=3", nil})
	if err := r.Flush(t.Context(), idOf("t"), r.c); err != nil {
		t.Fatal(err)
	}
	if row := r.row("t"); row.BytesStored != 4*sealed.RecordSize {
		t.Errorf("%d bytes are stored: a segment was taken for lost", row.BytesStored)
	}
}

// racing does something just before the next sync.
type racing struct {
	*shelf
	first func()
}

func (s *racing) Sync(ctx context.Context, keys iter.Seq[string]) error {
	if first := s.first; first != nil {
		s.first = nil
		first()
	}
	return s.shelf.Sync(ctx, keys)
}

// TestManyWaitForSegments: of those who wait for the segments of one transfer so many do,
// and the others are told at once that there is nothing yet.
func TestManyWaitForSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := streaming(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		get := func() (*transfer.Piece, error) {
			return r.GetSegment(ctx, transfer.Place{ID: idOf("t"), Token: r.n, Revision: 1}, 20*time.Second, 0, -1)
		}
		for range 32 {
			go get() //nolint:errcheck // it is cancelled
		}
		synctest.Wait()
		begun := time.Now()
		if p, err := get(); p != nil || err != nil || time.Since(begun) > 0 {
			t.Errorf("one too many: %v, %v after %s", p, err, time.Since(begun))
		}
		cancel()
		synctest.Wait()
		ctx, cancel = context.WithCancel(t.Context())
		defer cancel()
		begun = time.Now()
		if p, err := get(); p != nil || err != nil || time.Since(begun) < 20*time.Second {
			t.Errorf("when they are gone: %v, %v after %s", p, err, time.Since(begun))
		}
	})
}
