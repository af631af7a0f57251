package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"connectrpc.com/connect"

	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/sealed"
)

// hold waits for the end of a hold. What comes meanwhile is spooled, as ciphertext:
// nobody can open it before.
func (r *receiving) hold(ctx context.Context) error {
	v, err := r.watch.until(ctx, func(v *transferv1.View) bool { return reached(v, transferv1.TransferState_TRANSFER_STATE_HELD) })
	if err != nil || v.GetState() != transferv1.TransferState_TRANSFER_STATE_HELD {
		return err
	}
	r.tell.tell(MoveEvent{Event: EventHeld, Until: v.GetOpensAt().AsTime(), Reasons: v.GetHoldReasons()})
	r.tell.phase(PhaseHold)
	for {
		err := r.spool(ctx)
		switch {
		case errors.Is(err, errOpens):
			return nil
		case !errors.Is(err, errRevised):
			return r.refused(err)
		}
		r.restarted()
		if err := removeAll(r.dir.dir, spoolName); err != nil {
			return err
		}
	}
}

// errOpens: the hold is over.
var errOpens = errors.New("client: the hold is over")

// spool stores segments until the hold is over.
func (r *receiving) spool(ctx context.Context) error {
	v, _, _ := r.watch.seen()
	revision := v.GetRevision()
	dir := r.spoolDir(revision)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return diskError(err)
	}
	first, err := spooledUpTo(dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		v, err := r.watch.until(ctx, func(v *transferv1.View) bool {
			return v.GetRevision() != revision || v.GetState() != transferv1.TransferState_TRANSFER_STATE_HELD
		})
		switch {
		case err != nil:
			cancel(err)
		case v.GetRevision() != revision:
			cancel(errRevised)
		default:
			cancel(errOpens)
		}
	}()
	f := newFetcher(r.bulk(), revision, r.p, r.retry)
	queue := make(chan *fetched, streams-1)
	go f.run(ctx, first, queue)
	defer func() {
		cancel(nil)
		for s := range queue {
			<-s.ready
		}
	}()
	told, since, unsynced := first, r.p.now(), []uint64(nil)
	timer := time.NewTicker(durableTime)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		case s, ok := <-queue:
			if !ok {
				return context.Cause(ctx)
			}
			if <-s.ready; s.err != nil {
				return r.better(ctx, s.err)
			}
			if err := saveWhole(spooled(dir, s.first), s.data[:s.size], false); err != nil {
				return err
			}
			h, err := sealed.ParseHeader(s.data[:s.size])
			if err != nil {
				return fmt.Errorf("client: spool: %w", err)
			}
			first, unsynced = s.first+uint64(h.Records()), append(unsynced, s.first) //nolint:gosec // at most 64
			f.free <- s.data
		}
		if first == told || (first-told)*sealed.RecordSize < durableBytes && r.p.now().Sub(since) < durableTime {
			continue
		}
		for _, n := range unsynced {
			if err := syncFile(spooled(dir, n)); err != nil {
				return err
			}
		}
		if err := syncFolder(dir); err != nil {
			return err
		}
		res, err := r.p.moves.Received(unsigned(ctx), connect.NewRequest(&transferv1.ReceivedRequest{
			Transfer: string(r.file.Transfer), Token: r.file.Token, Revision: revision, Record: first,
		}))
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
		r.watch.take(res.Msg.GetView())
		told, since, unsynced = first, r.p.now(), nil
	}
}

// spoolDir is where the ciphertext of a revision waits.
func (r *receiving) spoolDir(revision uint32) string {
	return filepath.Join(r.dir.path(spoolName), strconv.FormatUint(uint64(revision), 10))
}

// spooledUpTo is the first record that is not there.
func spooledUpTo(dir string) (first uint64, err error) {
	for {
		f, err := os.Open(spooled(dir, first))
		if errors.Is(err, os.ErrNotExist) {
			return first, nil
		}
		if err != nil {
			return 0, diskError(err)
		}
		b := make([]byte, sealed.HeaderSize)
		_, err = f.ReadAt(b, 0)
		info, bad := f.Stat()
		if err = errors.Join(err, bad, f.Close()); err != nil {
			return first, nil //nolint:nilerr // torn by a power cut: the server has it still
		}
		h, err := sealed.ParseHeader(b)
		if err != nil || info.Size() != h.Size() {
			return first, nil //nolint:nilerr // the same
		}
		first += uint64(h.Records()) //nolint:gosec // at most 64
	}
}
