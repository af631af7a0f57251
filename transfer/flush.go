package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
)

// Flush comes before SealTx, outside of its transaction: what is stored, from record 0
// to the first gap, survives a power cut when it returns. A segment that the disk has
// lost makes a gap; what N has acknowledged meanwhile need not be there.
func (s *Service) Flush(ctx context.Context, id ID, token [32]byte) error {
	var at uint64
	for {
		from := at
		page, err := s.unsynced(ctx, id, token, from)
		if err != nil || page.end == from {
			return err
		}
		at, err = s.syncPage(ctx, page)
		if err != nil {
			at = from
			lost, failed := s.lost(ctx, page, err)
			if failed != nil {
				return failed
			}
			if lost > 0 {
				continue // look again: there are fewer now
			}
			return err
		}
	}
}

// flushed is a part of a stream without a gap.
type flushed struct {
	id       ID
	revision uint32
	end      uint64    // the record after it
	rows     []Segment // of it, that no sync has covered and N has not acknowledged
}

// unsynced reads the part that begins with a record.
func (s *Service) unsynced(ctx context.Context, id ID, token [32]byte, from uint64) (page flushed, err error) {
	err = s.view(ctx, func(tx Tx) error {
		r, by, err := s.open(ctx, tx, id, token, s.now())
		if err != nil {
			return err
		}
		if by != Sender {
			return fmt.Errorf("%w: the new phone seals nothing", ErrNotFound)
		}
		page = flushed{id: id, revision: r.Revision, end: from}
		rows, err := tx.Segments(ctx, id, r.Revision, from, pageOf)
		for _, g := range rows {
			if g.First != page.end {
				break // a gap: the seal will say so
			}
			page.end += uint64(g.Records)
			if !g.Synced && !g.Acked {
				page.rows = append(page.rows, g)
			}
		}
		return err
	})
	return page, err
}

// syncPage makes a part durable, notes it, and says from where to go on.
func (s *Service) syncPage(ctx context.Context, page flushed) (next uint64, err error) {
	if len(page.rows) == 0 {
		return page.end, nil
	}
	var keys []string
	for _, g := range page.rows {
		keys = append(keys, s.key(g))
	}
	if err := s.blobs.Sync(ctx, slices.Values(keys)); err != nil {
		return 0, err
	}
	err = s.update(ctx, func(tx Tx) (err error) {
		if next, err = page.covered(ctx, tx); err != nil {
			return err
		}
		return tx.SyncSegments(ctx, page.id, page.revision, next)
	})
	return next, err
}

// covered is the record up to which all that is stored now is what was synced. The disk
// may have lost a segment meanwhile, N has noticed, and C has sent it again: that one
// has another blob, which no sync has covered, at this place or at an earlier one.
func (page *flushed) covered(ctx context.Context, tx Tx) (uint64, error) {
	synced := map[string]bool{}
	for _, g := range page.rows {
		synced[g.Blob] = true
	}
	before := Segment{Transfer: page.id, Revision: page.revision - 1, First: math.MaxInt64}
	rows, err := tx.UnsyncedSegments(ctx, before, len(page.rows)+1)
	for _, g := range rows {
		if g.Transfer != page.id || g.Revision != page.revision || g.First >= page.end {
			break
		}
		if !synced[g.Blob] {
			return g.First, nil
		}
	}
	return page.end, err
}

// lost counts the segments whose blobs are not there, if that is why a sync failed.
// Their rows go, but for those that N has acknowledged since they were read.
func (s *Service) lost(ctx context.Context, page flushed, why error) (n int, err error) {
	if !errors.Is(why, fs.ErrNotExist) {
		return 0, nil
	}
	for _, g := range page.rows {
		body, err := s.blobs.Get(ctx, s.key(g), 0, 1)
		if err == nil {
			body.Close()
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return n, err
		}
		if err := s.torn(ctx, g); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
