package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/staunchid/staunch/transfer/sealed"
)

const (
	streams   = 2 // of PUT, and of GET
	fullBlock = sealed.HeaderSize + sealed.MaxRecords*(sealed.RecordSize+sealed.TagSize)
)

// upload sends one revision.
type upload struct {
	plan    *plan
	src     Source
	key     sealed.Key
	bulk    *bulk
	journal *journal
	patient time.Duration
	now     func() time.Time
	retry   func(error, time.Duration)
	news    func() <-chan struct{} // closed when the server has something new to say
	stored  *spans                 // what the server has had

	limit atomic.Int64 // records a segment: fewer after a failure, more after a success
	since atomic.Int64 // when the server was last heard of, in unix nanoseconds
}

// errElse says that the server has something else at a place than was sent: what it
// has is looked at anew.
var errElse = errors.New("client: another segment is there")

// run sends what the server does not have, until it has all, and gives the stream.
// sealed.ErrChanged: another plan is needed.
func (u *upload) run(ctx context.Context) (*sealed.Stream, error) {
	u.limit.Store(sealed.MaxRecords)
	for {
		u.since.Store(u.now().UnixNano())
		gaps, stream, err := u.missing(ctx)
		if err != nil || len(gaps) == 0 {
			return stream, err
		}
		if err := u.fill(ctx, gaps); err != nil && !errors.Is(err, errElse) {
			return nil, err
		}
	}
}

// gap is a range of records that the server does not have.
type gap struct{ first, end uint64 }

// missing asks what the server has. All of it must be this phone's: a leaf that the
// journal does not know was sealed by nobody who may.
func (u *upload) missing(ctx context.Context) (gaps []gap, stream *sealed.Stream, err error) {
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		gaps, stream, err = u.list(ctx)
		if err == nil || !gone(err) {
			return gaps, stream, err
		}
		if err := u.lost(ctx, err, pause); err != nil {
			return nil, nil, err
		}
	}
}

func (u *upload) list(ctx context.Context) (gaps []gap, stream *sealed.Stream, err error) {
	stream = sealed.NewStream(u.plan.Revision)
	at, end := uint64(0), (u.plan.Bytes+sealed.RecordSize-1)/sealed.RecordSize
	err = u.bulk.list(ctx, u.plan.Revision, func(s storedSegment) error {
		known, err := u.journal.knows(sealing{u.plan.Revision, s.first, s.records, s.leaf})
		next := s.first + uint64(s.records)
		switch {
		case err != nil:
			return err
		case !known:
			return fmt.Errorf("%w: the server has a segment at record %d that this phone has not sealed", sealed.ErrChanged, s.first)
		case s.first < at || next > end:
			return fmt.Errorf("%w: the server's segments overlap at record %d", ErrMoveCheck, s.first)
		case s.first > at:
			gaps = append(gaps, gap{at, s.first})
		}
		u.stored.add(gap{s.first, next})
		at = next
		if len(gaps) > 0 {
			return nil
		}
		h := sealed.Header{Revision: u.plan.Revision, First: s.first, Plain: u.plain(s.first, uint64(s.records))}
		if err := stream.Add(h, s.leaf); err != nil {
			return fmt.Errorf("%w: %w", ErrMoveCheck, err)
		}
		return nil
	})
	if at < end {
		gaps = append(gaps, gap{at, end})
	}
	for _, g := range gaps {
		if err == nil && u.stored.meets(g) {
			// The new phone may have that sealing, and another one has another leaf.
			err = fmt.Errorf("%w: the server has lost records from %d on", sealed.ErrChanged, g.first)
		}
	}
	return gaps, stream, err
}

// spans are ranges of records that the server has had, in any order.
type spans struct {
	mu  sync.Mutex
	all []gap // disjoint, ascending
}

func (s *spans) add(n gap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := 0
	for i < len(s.all) && s.all[i].end < n.first {
		i++
	}
	j := i
	for ; j < len(s.all) && s.all[j].first <= n.end; j++ {
		n.first, n.end = min(n.first, s.all[j].first), max(n.end, s.all[j].end)
	}
	s.all = slices.Replace(s.all, i, j, n)
}

func (s *spans) meets(g gap) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.all, func(h gap) bool { return h.first < g.end && g.first < h.end })
}

// plain is how many bytes a range of records has.
func (u *upload) plain(first, records uint64) uint32 {
	return uint32(min(records*sealed.RecordSize, u.plan.Bytes-first*sealed.RecordSize)) //nolint:gosec // at most 4 MiB
}

// block is a range of records on its way, in the place where it is sealed.
type block struct {
	first uint64
	plain uint32
	data  []byte // a whole segment's room
}

// fill reads the gaps in order and sends them over some streams at once.
func (u *upload) fill(ctx context.Context, gaps []gap) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	free, full := make(chan []byte, streams), make(chan block)
	for range streams { // a phone has little memory: what is read is sent before more is
		free <- make([]byte, fullBlock)
	}
	var all sync.WaitGroup
	all.Go(func() {
		defer close(full)
		if err := u.read(ctx, gaps, free, full); err != nil {
			cancel(err)
		}
	})
	for range streams {
		all.Go(func() {
			for b := range full {
				if err := u.send(ctx, b); err != nil {
					cancel(err)
					return
				}
				free <- b.data
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// read fills blocks with what is in the gaps.
func (u *upload) read(ctx context.Context, gaps []gap, free <-chan []byte, full chan<- block) (err error) {
	entries, err := u.plan.open(u.src)
	if err != nil {
		return err
	}
	defer entries.close()
	w := sealed.NewWriter(u.plan.Totals, entries)
	defer func() {
		// Closing looks at the last file once more.
		if e := w.Close(); errors.Is(e, sealed.ErrChanged) {
			err = errors.Join(err, e)
		}
	}()
	for _, g := range gaps {
		if err := w.SkipTo(g.first * sealed.RecordSize); err != nil {
			return fmt.Errorf("client: history: %w", err)
		}
		for first := g.first; first < g.end; first += sealed.MaxRecords {
			var b block
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case b.data = <-free:
			}
			b.first, b.plain = first, u.plain(first, min(sealed.MaxRecords, g.end-first))
			h := sealed.Header{Revision: u.plan.Revision, First: b.first, Plain: b.plain}
			for j := range h.Records() {
				if _, err := io.ReadFull(w, h.Record(b.data, j)); err != nil {
					return fmt.Errorf("client: history: %w", err)
				}
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case full <- b:
			}
		}
	}
	if n, err := w.Read(make([]byte, 1)); gaps[len(gaps)-1].end*sealed.RecordSize >= u.plan.Bytes && (n != 0 || !errors.Is(err, io.EOF)) {
		return fmt.Errorf("client: history: %w", errors.Join(sealed.ErrChanged, err))
	}
	return nil
}

// send seals a block, as one segment or as several, and sends it.
func (u *upload) send(ctx context.Context, b block) error {
	const room = sealed.RecordSize + sealed.TagSize
	for pause := firstPause; b.plain > 0; {
		n := min(u.limit.Load(), int64(sealed.MaxRecords))
		h := sealed.Header{Revision: u.plan.Revision, First: b.first, Plain: uint32(min(n*sealed.RecordSize, int64(b.plain)))} //nolint:gosec // at most 4 MiB
		segment := b.data[:h.Size()]
		leaf, err := sealed.SealInPlace(segment, u.key, h)
		if err != nil {
			return fmt.Errorf("client: seal: %w", err)
		}
		// First the journal: a segment at the server that is not in it is a stranger's.
		if err := u.journal.note(sealing{h.Revision, h.First, uint16(h.Records()), leaf}); err != nil { //nolint:gosec // at most 64
			return err
		}
		again, err := u.put(ctx, h.First, segment, pause)
		switch {
		case err != nil:
			return err
		case again && h.Records() > 1: // smaller ones get through where a link breaks every few seconds
			if _, _, err := sealed.OpenInPlace(segment, u.key); err != nil {
				return fmt.Errorf("client: seal: %w", err)
			}
			u.limit.Store(int64(h.Records() / 2))
		case again:
			if _, _, err := sealed.OpenInPlace(segment, u.key); err != nil {
				return fmt.Errorf("client: seal: %w", err)
			}
		default:
			u.stored.add(gap{h.First, h.First + uint64(h.Records())}) //nolint:gosec // at most 64
			u.limit.Store(min(2*u.limit.Load(), sealed.MaxRecords))
			pause = firstPause
			b.first, b.plain = b.first+uint64(h.Records()), b.plain-h.Plain //nolint:gosec // at most 64
			b.data = b.data[h.Records()*room:]
			continue
		}
		pause = min(2*pause, mostPause)
	}
	return nil
}

// put sends a segment until there is an answer that counts. again: the connection
// broke.
func (u *upload) put(ctx context.Context, first uint64, segment []byte, pause time.Duration) (again bool, err error) {
	for {
		news := u.news()
		err := u.bulk.put(ctx, u.plan.Revision, first, segment)
		refused := (*refusedSegment)(nil)
		switch {
		case err == nil:
			u.since.Store(u.now().UnixNano())
			return false, nil
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case errors.As(err, &refused) && refused.status == 409:
			return false, errElse
		case errors.As(err, &refused) && refused.status == 429 && !waitless(refused): // the new phone has to fetch some first
			u.since.Store(u.now().UnixNano())
			u.retry(err, max(refused.after, mostPause))
			select {
			case <-ctx.Done():
				return false, context.Cause(ctx)
			case <-news:
			case <-time.After(max(refused.after, mostPause)):
			}
		case gone(err):
			return true, u.lost(ctx, err, pause)
		default:
			return false, err
		}
	}
}

// waitless reports whether waiting makes no room.
func waitless(e *refusedSegment) bool {
	var se *Error
	return errors.As(e, &se) && se.Reason == "TRANSFER_QUOTA" && se.RetryAt.IsZero()
}

// lost waits after a call without an answer, as long as the phone is patient.
func (u *upload) lost(ctx context.Context, err error, pause time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if u.now().Sub(time.Unix(0, u.since.Load())) > u.patient {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	u.retry(err, pause)
	return wait(ctx, pause)
}
