package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/staunchid/staunch/transfer/sealed"
)

// orphanAge is after how long a blob without a row is nobody's any more: until then
// its row may be on its way.
const orphanAge = time.Hour

// unclaimedAge is for how long an offer that nobody has claimed is kept behind its
// end, for its phone to learn of it: anybody can make one, and it is of no account.
const unclaimedAge = time.Hour

// Sweep stores what time has done, and deletes what is over: old rows, places,
// blobs. It goes on after an error in one of them, and gives all errors at the end. The
// end of a recall window it leaves to SettleTx: C's device goes in that transaction.
func (s *Service) Sweep(ctx context.Context) error {
	due := s.sweepDue(ctx)
	return errors.Join(due, s.sweepOld(ctx, due == nil), s.sweepBlobs(ctx))
}

func (s *Service) sweepDue(ctx context.Context) error {
	var after ID
	var failed error
	for ctx.Err() == nil {
		var due []ID
		err := s.view(ctx, func(tx Tx) (err error) {
			due, err = tx.TransfersDue(ctx, s.now(), after, pageOf)
			return err
		})
		if err != nil {
			return errors.Join(failed, err)
		}
		for _, id := range due {
			after = id
			if err := s.persist(ctx, id); err != nil {
				failed = errors.Join(failed, fmt.Errorf("transfer: sweeping %s: %w", id, err))
			}
		}
		if len(due) < pageOf {
			break
		}
	}
	return failed
}

// persist stores what time has done to a transfer, but for the end of a recall window.
func (s *Service) persist(ctx context.Context, id ID) error {
	changed := false
	err := s.update(ctx, func(tx Tx) error {
		now := s.now()
		r, err := s.load(ctx, tx, id, now)
		if err != nil {
			return err
		}
		if changed = r.State != r.was.State && r.State != Final; !changed {
			return nil
		}
		return s.save(ctx, tx, r, r.actor(""), now)
	})
	if err == nil && changed {
		s.Wake(id)
	}
	return err
}

// sweepOld forgets. settled says that no row is left whose time is over: in one that
// waits to be confirmed, place and network are under the MAC.
func (s *Service) sweepOld(ctx context.Context, settled bool) error {
	now := s.now()
	steps := []func(tx Tx) (int, error){
		func(tx Tx) (int, error) { return tx.DeleteUnclaimed(ctx, now.Add(-unclaimedAge), pageOf) },
		func(tx Tx) (int, error) {
			return tx.DeleteTransfers(ctx, now.Add(-s.terms.KeepEnvelopes), pageOf)
		},
	}
	if settled {
		steps = append(steps, func(tx Tx) (int, error) {
			return tx.ForgetPlaces(ctx, now.Add(-s.terms.KeepPlaces), pageOf)
		})
	}
	var failed error
	for _, step := range steps {
		for n := pageOf; n == pageOf && ctx.Err() == nil; {
			err := s.update(ctx, func(tx Tx) (err error) { n, err = step(tx); return err })
			if err != nil {
				failed = errors.Join(failed, err)
				break
			}
		}
	}
	return failed
}

// sweepBlobs deletes what nobody will fetch: of transfers that are over or committed,
// of old revisions, and what has had no row for an hour.
func (s *Service) sweepBlobs(ctx context.Context) error {
	var failed error
	var of *blobsOf // keys come in order, so that a transfer is looked at once
	for b, err := range s.blobs.Keys(ctx, string(s.app)+"/transfer/") {
		if err != nil {
			failed = errors.Join(failed, err)
			break
		}
		g, ok := s.parse(b.Key)
		if !ok {
			continue
		}
		if of == nil || of.id != g.Transfer {
			if of, err = s.lookAt(ctx, g.Transfer); err != nil {
				failed = errors.Join(failed, err)
			}
		}
		if goes, err := s.goes(ctx, of, g, b.At); err != nil {
			failed = errors.Join(failed, err)
		} else if goes {
			failed = errors.Join(failed, s.blobs.Delete(ctx, b.Key))
		}
	}
	return failed
}

// blobsOf says which blobs of a transfer are kept.
type blobsOf struct {
	id       ID
	there    bool
	carries  bool
	revision uint32
}

func (s *Service) lookAt(ctx context.Context, id ID) (*blobsOf, error) {
	of := &blobsOf{id: id, there: true, carries: true} // all are, if it cannot be read
	err := s.view(ctx, func(tx Tx) error {
		r, err := s.load(ctx, tx, id, s.now())
		if errors.Is(err, ErrNotFound) {
			of.there = false
			return nil
		}
		if err == nil {
			of.carries, of.revision = r.carries(), r.Revision
		}
		return err
	})
	return of, err
}

// goes says whether a blob can go.
func (s *Service) goes(ctx context.Context, of *blobsOf, g Segment, at time.Time) (bool, error) {
	old := s.now().Sub(at) >= orphanAge
	switch {
	case !of.there:
		return old, nil
	case !of.carries || g.Revision < of.revision:
		return true, nil
	case !old:
		return false, nil
	}
	goes := false
	err := s.view(ctx, func(tx Tx) error {
		have, there, err := tx.Segment(ctx, g.Transfer, g.Revision, g.First)
		goes = !there || have.Blob != g.Blob || have.Acked
		return err
	})
	return goes && err == nil, err
}

// parse reads a key that blobKey has made.
func (s *Service) parse(key string) (g Segment, ok bool) {
	rest, ok := strings.CutPrefix(key, string(s.app)+"/transfer/")
	p := strings.Split(rest, "/")
	if !ok || len(p) != 3 {
		return g, false
	}
	from, blob, ok := strings.Cut(p[2], "-")
	revision, err1 := strconv.ParseUint(p[1], 10, 32)
	first, err2 := strconv.ParseUint(from, 10, 64)
	g = Segment{Transfer: ID(p[0]), Revision: uint32(revision), First: first, Blob: blob}
	return g, ok && err1 == nil && err2 == nil && g.Transfer.Validate() == nil
}

// carries reports whether there is ciphertext to keep.
func (t *Transfer) carries() bool {
	return t.State == Held || t.State == Streaming || t.State == Sealed
}

// Recheck is called at the start after an unclean stop. What no sync has covered is
// read again; a segment that is torn or gone loses its row, and C sends it again.
func (s *Service) Recheck(ctx context.Context) error {
	var after Segment
	for {
		var page []Segment
		err := s.view(ctx, func(tx Tx) (err error) {
			page, err = tx.UnsyncedSegments(ctx, after, pageOf)
			return err
		})
		if err != nil {
			return err
		}
		for _, g := range page {
			after = g
			whole, err := s.whole(ctx, g)
			if err == nil && !whole {
				err = s.torn(ctx, g)
			}
			if err != nil {
				return fmt.Errorf("transfer: rechecking %s: %w", s.key(g), err)
			}
		}
		if len(page) < pageOf {
			return nil
		}
	}
}

// whole reads a segment's blob and compares its leaf.
func (s *Service) whole(ctx context.Context, g Segment) (bool, error) {
	body, err := s.blobs.Get(ctx, s.key(g), 0, -1)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer body.Close()
	l := sealed.NewLeafHasher()
	if _, err := io.Copy(l, body); err != nil && !errors.Is(err, sealed.ErrSegment) {
		return false, err
	}
	_, leaf, err := l.Sum()
	return err == nil && leaf == g.Leaf, nil
}

// torn takes the row of a segment away that is not whole, while C can send it again.
func (s *Service) torn(ctx context.Context, g Segment) error {
	return s.update(ctx, func(tx Tx) error {
		now := s.now()
		r, err := s.load(ctx, tx, g.Transfer, now)
		if err != nil {
			return err
		}
		if r.sends(g.Revision) != nil {
			return nil //nolint:nilerr // it matters to nobody
		}
		return s.dropRow(ctx, tx, r, g, now)
	})
}
