package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Flush comes before SealTx, outside of its transaction: what is stored, from record 0
// to the first gap, survives a power cut when it returns. A segment that the disk has
// lost makes a gap; what N has acknowledged meanwhile need not be there.
func (s *Service) Flush(ctx context.Context, id ID, token [32]byte) error {
	var at uint64
	for {
		page, err := s.unsynced(ctx, id, token, at)
		if err != nil || page.end == at {
			return err
		}
		if err := s.syncPage(ctx, page); err != nil {
			lost, failed := s.lost(ctx, page, err)
			if failed != nil {
				return failed
			}
			if lost > 0 {
				continue // look again: there are fewer now
			}
			return err
		}
		at = page.end
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

// syncPage makes a part durable, and notes it. Nothing can come between its segments
// meanwhile, since it has no gap.
func (s *Service) syncPage(ctx context.Context, page flushed) error {
	if len(page.rows) == 0 {
		return nil
	}
	var keys []string
	for _, g := range page.rows {
		keys = append(keys, s.key(g))
	}
	if err := s.blobs.Sync(ctx, slices.Values(keys)); err != nil {
		return err
	}
	return s.update(ctx, func(tx Tx) error { return tx.SyncSegments(ctx, page.id, page.revision, page.end) })
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
