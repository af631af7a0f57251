package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"connectrpc.com/connect"

	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
	"github.com/staunchid/staunch/transfer/sealed"
)

const (
	durableBytes = 64 << 20        // so many bytes, or
	durableTime  = 2 * time.Second // so long, may pass until what came is made durable
)

// mark is a checkpoint of the new phone: all before it is in staging.
type mark struct {
	Boot     string `json:"boot"`
	Revision uint32 `json:"revision"`
	Stream   []byte `json:"stream"`
	Reader   []byte `json:"reader"`
	Importer []byte `json:"importer"`
}

// taking opens a stream and hands what is in it to the importer.
type taking struct {
	*receiving
	key     sealed.Key
	stream  *sealed.Stream
	reader  *sealed.Reader
	good    uint64    // records that are durable
	goodAt  time.Time // since when
	spooled []uint64  // files to remove when what is in them is durable
}

// take gets the history, until its end has come.
func (r *receiving) take(ctx context.Context) error {
	if _, err := r.half.Value(handover.StepReceipt); err == nil {
		return nil
	}
	if err := r.hold(ctx); err != nil {
		return err
	}
	v, err := r.watch.until(ctx, func(v *transferv1.View) bool {
		return reached(v, transferv1.TransferState_TRANSFER_STATE_STREAMING) && len(v.GetHoldShare()) > 0
	})
	if err != nil {
		return err
	}
	share, err := fixed32(v.GetHoldShare())
	if err != nil {
		return r.cancel(ctx, "integrity", checked(err))
	}
	bulkKey, err := r.half.BulkKey(share)
	if err != nil {
		return r.cancel(ctx, "integrity", checked(err))
	}
	key, err := sealed.NewKey(bulkKey)
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	defer key.Wipe()
	for {
		t := &taking{receiving: r, key: key}
		err := t.run(ctx)
		switch {
		case err == nil:
			r.taken = t
			return nil
		case errors.Is(err, errRevised):
			r.restarted()
		case broken(err): // never quarantined: this is not what the old phone has sealed
			return r.cancel(ctx, "integrity", checked(err))
		case errors.Is(err, ErrNoSpace):
			return r.cancel(ctx, "no_space", err)
		default:
			return r.refused(err)
		}
	}
}

// restarted tells that the current phone has begun anew.
func (r *receiving) restarted() {
	v, _, _ := r.watch.seen()
	r.tell.tell(MoveEvent{Event: EventRestarted, Revision: v.GetRevision(), Reason: "the history has changed on the old phone"})
}

// errRevised: the current phone has begun anew.
var errRevised = errors.New("client: the history is sent anew")

// broken reports whether a stream cannot be what the current phone has sealed.
func broken(err error) bool {
	return errors.Is(err, sealed.ErrRecord) || errors.Is(err, sealed.ErrItem) || errors.Is(err, sealed.ErrOrder) || errors.Is(err, sealed.ErrSegment)
}

// run takes one revision, from where it was.
func (t *taking) run(ctx context.Context) error {
	v, _, _ := t.watch.seen()
	revision := v.GetRevision()
	if err := t.resume(ctx, revision); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		v, err := t.watch.until(ctx, func(v *transferv1.View) bool { return v.GetRevision() != revision })
		if err == nil && v.GetRevision() != revision {
			err = errRevised
		}
		cancel(err)
	}()
	f := newFetcher(t.bulk(), revision, t.p, t.retry)
	f.spool = t.spoolDir(revision)
	queue := make(chan *fetched, streams-1)
	go f.run(ctx, t.stream.Records(), queue)
	defer func() { // buffers are not let go while somebody writes in them
		cancel(nil)
		for s := range queue {
			<-s.ready
		}
	}()
	t.goodAt = t.p.now()
	for t.reader.Close() != nil {
		var s *fetched
		var ok bool
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case s, ok = <-queue:
		}
		if !ok {
			return context.Cause(ctx)
		}
		<-s.ready
		if s.err != nil {
			return t.better(ctx, s.err)
		}
		if err := t.segment(ctx, f, s); err != nil {
			return err
		}
		f.free <- s.data
		if t.stream.Bytes()-min(t.stream.Bytes(), t.good*sealed.RecordSize) >= durableBytes || t.p.now().Sub(t.goodAt) >= durableTime {
			if err := t.durable(ctx); err != nil {
				return err
			}
		}
	}
	return t.durable(ctx)
}

// segment opens one and takes it apart. What does not open is fetched once more,
// for it may have come in pieces of two sealings.
func (t *taking) segment(ctx context.Context, f *fetcher, s *fetched) error {
	h, leaf, err := sealed.OpenInPlace(s.data[:s.size], t.key)
	if err != nil {
		if err := f.again(ctx, s); err != nil {
			return err
		}
		if h, leaf, err = sealed.OpenInPlace(s.data[:s.size], t.key); err != nil {
			return err //nolint:wrapcheck // by take
		}
	}
	if err := t.stream.Add(h, leaf); err != nil {
		return err //nolint:wrapcheck // by take
	}
	for j := range h.Records() {
		if _, err := t.reader.Write(h.Record(s.data, j)); err != nil {
			return err //nolint:wrapcheck // by take
		}
	}
	if s.spooled {
		t.spooled = append(t.spooled, s.first)
	}
	return t.checkpoint(false)
}

// resume goes on from the last checkpoint that counts: the last of all, if the
// machine has not been off since.
func (t *taking) resume(ctx context.Context, revision uint32) error {
	var m mark
	for i, name := range []string{markName, goodName} {
		data, err := loadWhole(t.dir.path(name))
		if err != nil {
			return err
		}
		var read mark
		if data == nil || json.Unmarshal(data, &read) != nil || read.Revision != revision {
			continue
		}
		if i > 0 || read.Boot != "" && read.Boot == bootID() {
			m = read
			break
		}
	}
	if m.Reader == nil {
		t.stream, t.reader = sealed.NewStream(revision), sealed.NewReader(t.o.Importer)
		if err := t.o.Importer.Resume(ctx, nil); err != nil {
			return err //nolint:wrapcheck // the importer's own
		}
		if err := removeAll(t.dir.dir, markName, goodName); err != nil {
			return err
		}
		t.show()
		return nil
	}
	t.stream = new(sealed.Stream)
	err := t.stream.UnmarshalBinary(m.Stream)
	if err == nil {
		t.reader, err = sealed.ResumeReader(t.o.Importer, m.Reader)
	}
	if err != nil {
		return fmt.Errorf("client: checkpoint: %w", err)
	}
	if err := t.o.Importer.Resume(ctx, m.Importer); err != nil {
		return err //nolint:wrapcheck // the importer's own
	}
	return t.durable(ctx)
}

// checkpoint writes down that all so far is in staging.
func (t *taking) checkpoint(durable bool) (err error) {
	m := mark{Boot: bootID(), Revision: t.stream.Revision()}
	if m.Importer, err = t.o.Importer.Checkpoint(durable); err != nil {
		return err //nolint:wrapcheck // the importer's own
	}
	if m.Stream, err = t.stream.MarshalBinary(); err == nil {
		m.Reader, err = t.reader.MarshalBinary()
	}
	if err != nil {
		return fmt.Errorf("client: checkpoint: %w", err)
	}
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("client: checkpoint: %w", err)
	}
	if durable {
		if err := saveWhole(t.dir.path(goodName), data, true); err != nil {
			return err
		}
	}
	return saveWhole(t.dir.path(markName), data, false)
}

// durable makes all so far survive a power cut, and tells: the server may delete it
// then.
func (t *taking) durable(ctx context.Context) error {
	if err := t.checkpoint(true); err != nil {
		return err
	}
	t.good, t.goodAt = t.stream.Records(), t.p.now()
	for _, first := range t.spooled {
		if err := os.Remove(spooled(t.spoolDir(t.stream.Revision()), first)); err != nil {
			return diskError(err)
		}
	}
	t.spooled = t.spooled[:0]
	t.show()
	res, err := t.p.moves.Received(unsigned(ctx), connect.NewRequest(&transferv1.ReceivedRequest{
		Transfer: string(t.file.Transfer), Token: t.file.Token, Revision: t.stream.Revision(), Record: t.good,
	}))
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return t.refused(err)
	}
	t.watch.take(res.Msg.GetView())
	return nil
}

func (t *taking) show() {
	v, _, _ := t.watch.seen()
	totals := t.reader.Totals()
	t.file.Fraction = [2]uint64{t.stream.Bytes(), max(v.GetBytesExpected(), t.stream.Bytes())}
	t.tell.update(func(p *MoveEvent) {
		p.Phase, p.Revision, p.Done, p.Total = PhaseCopy, t.stream.Revision(), t.stream.Bytes(), t.file.Fraction[1]
		p.Objects, p.ObjectsTotal = t.reader.Objects(), totals.Objects
	})
}
