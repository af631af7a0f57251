package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// Piece is a segment, or a part of it, that N fetches. Who gets it closes it.
type Piece struct {
	Size int64 // of the whole segment
	io.ReadCloser
}

// GetSegment gives N n bytes of a segment from off on, all if n is negative. If it is
// not there yet it waits, and gives nil when the time is over, or at once where many
// wait for this transfer already.
func (s *Service) GetSegment(ctx context.Context, at Place, wait time.Duration, off, n int64) (*Piece, error) {
	if wait < 0 || wait > waitMost {
		return nil, fmt.Errorf("%w: a wait of %s, not within 0 and %s", ErrMalformed, wait, waitMost)
	}
	begun := time.Now()
	for {
		changed, release := s.arrivals.on(at.ID)
		g, there, err := s.find(ctx, at)
		if err != nil {
			release()
			return nil, err
		}
		if there {
			release()
			return s.piece(ctx, at, g, off, n)
		}
		left := wait - time.Since(begun)
		if left <= 0 || ctx.Err() != nil || s.arrivals.crowded(at.ID) {
			release()
			return nil, ctx.Err()
		}
		s.sleep(ctx, changed, left)
		release()
	}
}

// find looks for a segment as N.
func (s *Service) find(ctx context.Context, at Place) (g Segment, there bool, err error) {
	err = s.view(ctx, func(tx Tx) error {
		if _, err := s.receiver(ctx, tx, at, s.now()); err != nil {
			return err
		}
		if g, there, err = tx.Segment(ctx, at.ID, at.Revision, at.First); err != nil || !there {
			return err
		}
		if g.Acked {
			return fmt.Errorf("%w: record %d was acknowledged, and is no longer here", ErrNotFound, at.First)
		}
		return nil
	})
	return g, there, err
}

func (s *Service) receiver(ctx context.Context, tx Tx, at Place, now time.Time) (*row, error) {
	r, by, err := s.open(ctx, tx, at.ID, at.Token, now)
	if err != nil {
		return nil, err
	}
	if by != Receiver {
		return nil, fmt.Errorf("%w: the old phone fetches nothing", ErrNotFound)
	}
	return r, r.fetches(at.Revision)
}

func (s *Service) piece(ctx context.Context, at Place, g Segment, off, n int64) (*Piece, error) {
	if off < 0 || off > int64(g.Bytes) {
		return nil, fmt.Errorf("%w: byte %d of a segment of %d", ErrMalformed, off, g.Bytes)
	}
	if rest := int64(g.Bytes) - off; n < 0 || n > rest {
		n = rest
	}
	body, err := s.blobs.Get(ctx, s.key(g), off, n)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.missed(ctx, at, g)
	}
	if err != nil {
		return nil, err
	}
	return &Piece{int64(g.Bytes), body}, nil
}

// missed is for a segment whose blob the disk has lost. C can send it again, as long
// as it has not sealed; then only a new transfer helps.
func (s *Service) missed(ctx context.Context, at Place, g Segment) error {
	err := s.update(ctx, func(tx Tx) error {
		now := s.now()
		r, err := s.receiver(ctx, tx, at, now)
		if err != nil {
			return err
		}
		if r.State == Sealed {
			s.log.Error("transfer: a sealed transfer has lost a segment; the phones have to begin anew", "app", s.app, "blob", s.key(g))
			return &IncompleteError{g.First}
		}
		return s.dropRow(ctx, tx, r, g, now)
	})
	if err == nil {
		s.Wake(at.ID)
	}
	return err
}

// dropRow takes the row of a segment away, unless another has come in its place: C
// sends it again.
func (s *Service) dropRow(ctx context.Context, tx Tx, r *row, g Segment, now time.Time) error {
	have, there, err := tx.Segment(ctx, g.Transfer, g.Revision, g.First)
	if err != nil || !there || have.Blob != g.Blob || have.Acked {
		return err
	}
	s.log.Warn("transfer: a segment is gone or torn; the phone sends it again", "app", s.app, "blob", s.key(g))
	if err := tx.DropSegment(ctx, g.Transfer, g.Revision, g.First); err != nil {
		return err
	}
	r.BytesStored -= uint64(g.plain())
	r.Version++ // C lists again
	return s.save(ctx, tx, r, r.actor(""), now)
}

// ListSegments gives either phone what is stored of a revision, from a record on. next
// is where to go on; 0: there is no more.
func (s *Service) ListSegments(ctx context.Context, at Place, limit int) (all []Segment, next uint64, err error) {
	if limit < 1 || limit > pageOf {
		return nil, 0, fmt.Errorf("%w: a limit of %d, not within 1 and %d", ErrMalformed, limit, pageOf)
	}
	err = s.view(ctx, func(tx Tx) error {
		r, _, err := s.open(ctx, tx, at.ID, at.Token, s.now())
		if err != nil {
			return err
		}
		if err := r.fetches(at.Revision); err != nil {
			return err
		}
		all, err = tx.Segments(ctx, at.ID, at.Revision, at.First, limit)
		return err
	})
	if err == nil && len(all) == limit {
		last := all[limit-1]
		next = last.First + uint64(last.Records)
	}
	return all, next, err
}

// Received notes that all below a record is durable at N. It never goes back. What
// was acknowledged is deleted at once.
func (s *Service) Received(ctx context.Context, at Place) (v *View, err error) {
	var gone []Segment
	err = s.update(ctx, func(tx Tx) error {
		gone = nil
		now := s.now()
		r, err := s.receiver(ctx, tx, at, now)
		if err != nil {
			return err
		}
		if at.First > r.RecordAcked {
			if gone, err = s.acknowledge(ctx, tx, r, at.First, now); err != nil {
				return err
			}
		}
		v = r.view(Receiver, 0, now)
		v.Envelopes = nil // Wait brings them
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, g := range gone {
		s.drop(ctx, g)
	}
	if len(gone) > 0 {
		s.Wake(at.ID)
	}
	return v, nil
}

// acknowledge marks the segments between the mark and a record.
func (s *Service) acknowledge(ctx context.Context, tx Tx, r *row, record uint64, now time.Time) (gone []Segment, err error) {
	mark := r.RecordAcked
	for mark < record {
		page, err := tx.Segments(ctx, r.ID, r.Revision, mark, pageOf)
		if err != nil {
			return nil, err
		}
		for _, g := range page {
			if g.First != mark || g.First+uint64(g.Records) > record {
				break
			}
			gone, mark = append(gone, g), g.First+uint64(g.Records)
		}
		if len(page) < pageOf {
			break
		}
	}
	if mark < record {
		return nil, fmt.Errorf("%w: no segment ends at record %d: acknowledge where one ends", &IncompleteError{mark}, record)
	}
	if _, err := tx.AckSegments(ctx, r.ID, r.Revision, record); err != nil {
		return nil, err
	}
	r.acked(&s.terms.Policy, record, now)
	return gone, s.save(ctx, tx, r, r.actor(Receiver), now)
}
