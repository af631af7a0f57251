package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/sealed"
)

// afterSync does something when a sync has ended, before anybody notes it.
type afterSync struct {
	*shelf
	then func()
}

func (s *afterSync) Sync(ctx context.Context, keys iter.Seq[string]) error {
	err := s.shelf.Sync(ctx, keys)
	if then := s.then; then != nil {
		s.then = nil
		then()
	}
	return err
}

// TestFlushRacesReplaced: a segment that was lost, and sent again, while the others were
// flushed is no more durable than any other that has just come.
func TestFlushRacesReplaced(t *testing.T) {
	for name, then := range map[string]int{"in the middle": 1, "the first": 0, "the last": 2} {
		t.Run(name, func(t *testing.T) {
			r := streaming(t)
			r.sent(3)
			blobs := &afterSync{shelf: r.shelf}
			r.opts.Blobs = blobs
			r.open()
			blobs.then = func() { r.replace(uint64(then)) }
			if err := r.Flush(t.Context(), idOf("t"), r.c); err != nil {
				t.Fatal(err)
			}
			r.durable(3)
		})
	}
}

// TestFlushRacesAll: whatever is lost and sent again meanwhile, in many hands, what is
// noted as durable is.
func TestFlushRacesAll(t *testing.T) {
	const segments, hands, times = 40, 6, 60
	r := streaming(t, func(o *transfer.Options) {
		o.Policy.Window, o.Policy.MaxBytes, o.Policy.RelaySpace = 1<<30, 1<<30, 1<<30
	})
	r.opts.Blobs = &slowSync{r.shelf}
	r.open()
	r.sent(segments)
	var all sync.WaitGroup
	for range hands {
		all.Go(func() {
			for range times {
				r.replace(rand.Uint64N(segments))
			}
		})
	}
	all.Go(func() {
		for range times {
			if err := r.Flush(t.Context(), idOf("t"), r.c); err != nil {
				t.Error(err)
			}
			r.noted()
		}
	})
	all.Wait()
	for first := range uint64(segments) { // one that was lost before it had its row
		r.replace(first)
	}
	if err := r.Flush(t.Context(), idOf("t"), r.c); err != nil {
		t.Fatal(err)
	}
	r.durable(segments)
}

// sent has C send so many segments of one record.
func (r *rig) sent(n int) {
	r.Helper()
	for first := range uint64(n) {
		r.segments = append(r.segments, r.seal(sealed.Header{Revision: 1, First: first, Plain: sealed.RecordSize}))
		r.again(first)
	}
}

// again has C send one of them once more.
func (r *rig) again(first uint64) {
	at := transfer.Place{ID: idOf("t"), Revision: 1, First: first, Token: r.c}
	g := r.segments[first]
	if _, err := r.PutSegment(r.Context(), at, int64(len(g.bytes)), bytes.NewReader(g.bytes)); err != nil {
		r.Errorf("sending %d: %v", first, err)
	}
}

// replace has the disk lose a segment, N notice, and C send it again.
func (r *rig) replace(first uint64) {
	r.shelf.lose(first)
	at := transfer.Place{ID: idOf("t"), Revision: 1, First: first, Token: r.n}
	p, err := r.GetSegment(r.Context(), at, 0, 0, -1)
	if err == nil && p != nil { // another hand was quicker
		_, err = io.Copy(io.Discard, p)
		err = errors.Join(err, p.Close())
	}
	if err != nil {
		r.Errorf("fetching %d: %v", first, err)
	}
	r.again(first)
}

// lose deletes the blobs of the segment that begins with a record.
func (s *shelf) lose(first uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.blobs {
		if strings.Contains(key, fmt.Sprintf("/%d-", first)) {
			delete(s.blobs, key)
		}
	}
}

// slowSync leaves time between a sync and what is noted of it.
type slowSync struct{ *shelf }

func (s *slowSync) Sync(ctx context.Context, keys iter.Seq[string]) error {
	defer time.Sleep(time.Millisecond)
	return s.shelf.Sync(ctx, keys)
}

// durable checks that so many segments are noted as durable, each by its own blob.
func (r *rig) durable(n int) {
	r.Helper()
	if got := r.noted(); got != n || len(r.store.data.segments) != n {
		r.Errorf("%d of %d segments are noted as durable, not %d", got, len(r.store.data.segments), n)
	}
}

// noted counts what is noted as durable, and checks that it is: each by its own blob.
func (r *rig) noted() (n int) {
	r.Helper()
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.shelf.mu.Lock()
	defer r.shelf.mu.Unlock()
	synced := map[string]bool{}
	for _, key := range r.shelf.synced {
		synced[key[strings.LastIndex(key, "-")+1:]] = true
	}
	for at, g := range r.store.data.segments {
		if g.Synced && !synced[g.Blob] {
			r.Errorf("record %d is noted as durable, and its blob is not", at.first)
		}
		if g.Synced {
			n++
		}
	}
	return n
}
