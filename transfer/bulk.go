package transfer

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer/handover"
	"github.com/staunchid/staunch/transfer/sealed"
)

// The calls for ciphertext. Each has transactions of its own, and none holds one
// while bytes pass: a segment goes to its blob in small pieces, and its row follows in
// one short transaction. There are no locks, and nothing must be given back: two
// senders of the same records have two blobs, and one of them gets the row.

func (s *Service) key(g Segment) string { return blobKey(s.app, g) }

// blobKey names the ciphertext of a segment. All of a revision are in one folder,
// which a sync has to write once.
func blobKey(app account.AppID, g Segment) string {
	return fmt.Sprintf("%s/transfer/%s/%d/%d-%s", app, g.Transfer, g.Revision, g.First, g.Blob)
}

// Place names a segment by its first record, and who asks for it.
type Place struct {
	ID       ID
	Token    handover.Secret
	Revision uint32
	First    uint64
}

// PutSegment stores a segment of size bytes, which its header names. created is
// false if it was there already. Another one there, or an overlap, is ErrConflict.
// It answers when the segment is received; that it survives a power cut is promised
// by the seal.
func (s *Service) PutSegment(ctx context.Context, at Place, size int64, body io.Reader) (created bool, err error) {
	head := make([]byte, sealed.HeaderSize)
	if _, err := io.ReadFull(body, head); err != nil {
		return false, s.cutShort(at.ID, err)
	}
	h, err := sealed.ParseHeader(head)
	switch {
	case err != nil:
		return false, fmt.Errorf("%w: %w", ErrMalformed, err)
	case h.Revision != at.Revision || h.First != at.First:
		return false, fmt.Errorf("%w: the header says revision %d, record %d, and the path %d, %d", ErrMalformed, h.Revision, h.First, at.Revision, at.First)
	case h.Size() != size:
		return false, fmt.Errorf("%w: a segment of %d bytes has %d by its header", ErrMalformed, size, h.Size())
	}
	g := Segment{Transfer: at.ID, Revision: at.Revision, First: at.First, Records: uint32(h.Records()), Bytes: uint32(size), Blob: strings.ToLower(rand.Text())}
	there, arrived, err := s.mayPut(ctx, at, h)
	if err != nil {
		return false, err
	}
	defer arrived()
	leaf := sealed.NewLeafHasher()
	whole := io.TeeReader(io.MultiReader(bytes.NewReader(head), body), leaf)
	if there { // which one, only its bytes tell
		_, err = io.Copy(io.Discard, whole)
	} else {
		err = s.blobs.Put(ctx, s.key(g), size, whole)
	}
	if err != nil {
		return false, s.cutShort(at.ID, err)
	}
	_, sum, err := leaf.Sum()
	if err == nil {
		g.Leaf = sum
		created, err = s.enter(ctx, at, h, g)
	} else {
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	switch {
	case created:
		s.arrivals.wake(at.ID) // mere progress: Wait sees it when it looks again
	case !there:
		s.drop(ctx, g)
	}
	return created, err
}

// cutShort is for a body that ends early, as the sender's connection broke, or late,
// or for which there is no room: where, the operator is told and no phone.
func (s *Service) cutShort(id ID, err error) error {
	switch {
	case errors.Is(err, ErrQuota):
		s.log.Error("transfer: there is no room for a segment", "app", s.app, "transfer", id, "error", err)
		return &WaitError{Err: ErrQuota}
	case errors.Is(err, sealed.ErrSegment):
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the segment is cut short: %w", ErrMalformed, err)
	}
	return err
}

// mayPut looks before bytes are taken; enter decides. there: one with the same first
// record is there already. Until arrived is called the segment's bytes are counted as
// if they were stored, so that many at once do not fill the disk.
func (s *Service) mayPut(ctx context.Context, at Place, h sealed.Header) (there bool, arrived func(), err error) {
	arrived = func() {}
	err = s.view(ctx, func(tx Tx) error {
		now := s.now()
		r, err := s.sender(ctx, tx, at, now)
		if err != nil {
			return err
		}
		if _, there, err = tx.Segment(ctx, at.ID, at.Revision, at.First); err != nil || there {
			return err
		}
		own, all, err := tx.SegmentBytes(ctx, r.ID)
		if err != nil {
			return err
		}
		return s.coming.add(at.ID, h.Size(), func(ownToo, allToo int64) error {
			return r.room(&s.terms.Policy, h, own+ownToo, all+allToo, now)
		})
	})
	if err == nil && !there {
		arrived = func() { s.coming.remove(at.ID, h.Size()) }
	}
	return there, arrived, err
}

// coming counts the bytes of segments that are on their way, of each transfer and of
// all.
type coming struct {
	mu  sync.Mutex
	of  map[ID]int64
	all int64
}

// add counts a segment, if room lets it in beside those that are counted.
func (c *coming) add(id ID, size int64, room func(own, all int64) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := room(c.of[id], c.all); err != nil {
		return err
	}
	if c.of == nil {
		c.of = map[ID]int64{}
	}
	c.of[id] += size
	c.all += size
	return nil
}

func (c *coming) remove(id ID, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all -= size
	if c.of[id] -= size; c.of[id] == 0 {
		delete(c.of, id)
	}
}

// sender loads the transfer of a segment that C brings.
func (s *Service) sender(ctx context.Context, tx Tx, at Place, now time.Time) (*row, error) {
	r, by, err := s.open(ctx, tx, at.ID, at.Token, now)
	if err != nil {
		return nil, err
	}
	if by != Sender {
		return nil, fmt.Errorf("%w: the new phone sends no segments", ErrNotFound)
	}
	return r, r.sends(at.Revision)
}

func (s *Service) room(ctx context.Context, tx Tx, r *row, h sealed.Header, now time.Time) error {
	own, all, err := tx.SegmentBytes(ctx, r.ID)
	if err != nil {
		return err
	}
	return r.room(&s.terms.Policy, h, own, all, now)
}

// enter gives a received segment its row.
func (s *Service) enter(ctx context.Context, at Place, h sealed.Header, g Segment) (created bool, err error) {
	err = s.update(ctx, func(tx Tx) error {
		created = false
		now := s.now()
		r, err := s.sender(ctx, tx, at, now)
		if err != nil {
			return err
		}
		have, there, err := tx.Segment(ctx, at.ID, at.Revision, at.First)
		if err != nil {
			return err
		}
		if there {
			if have.Leaf != g.Leaf {
				return fmt.Errorf("%w: another segment begins with record %d", ErrConflict, at.First)
			}
			return nil
		}
		if err := s.room(ctx, tx, r, h, now); err != nil {
			return err
		}
		if err := tx.AddSegment(ctx, g); err != nil {
			return fmt.Errorf("%w: records %d to %d", err, g.First, g.First+uint64(g.Records)-1)
		}
		r.stored(&s.terms.Policy, h, now)
		created = true
		return s.save(ctx, tx, r, r.actor(Sender), now)
	})
	return created && err == nil, err
}

// drop deletes a blob that got no row. If that fails, a sweep does it.
func (s *Service) drop(ctx context.Context, g Segment) {
	if err := s.blobs.Delete(context.WithoutCancel(ctx), s.key(g)); err != nil {
		s.log.Warn("transfer: a blob without a row could not be deleted; a sweep will", "app", s.app, "blob", s.key(g), "error", err)
	}
}
