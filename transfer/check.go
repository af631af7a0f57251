package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/staunchid/staunch/account"
)

// Problem is something that must not be. The text says what, and what to do.
type Problem struct {
	ID   ID
	Text string
}

// Check is this pillar's part of staunch check: rows without the app's mark, two
// transfers that are in charge of one account or one device, segments that do not
// add up, and segments without their ciphertext.
func (s *Service) Check(ctx context.Context) (all []Problem, err error) {
	live := map[account.ID]ID{}
	moved := map[account.DeviceID]ID{}
	var after ID
	for {
		var page []Transfer
		err := s.view(ctx, func(tx Tx) (err error) {
			page, err = tx.Transfers(ctx, after, pageOf)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, t := range page {
			after = t.ID
			if !t.Sound(s.rowKey) {
				all = append(all, Problem{t.ID, "its row does not carry the app's mark: it was changed past the program"})
				continue
			}
			if t.live() && t.Account != "" {
				if other, there := live[t.Account]; there {
					all = append(all, Problem{t.ID, fmt.Sprintf("account %s has another live transfer, %s", t.Account, other)})
				}
				live[t.Account] = t.ID
			}
			if t.holder() == Receiver {
				if other, there := moved[t.SenderDevice]; there {
					all = append(all, Problem{t.ID, fmt.Sprintf("device %s has handed its account over in %s as well", t.SenderDevice, other)})
				}
				moved[t.SenderDevice] = t.ID
			}
			some, err := s.checkSegments(ctx, t)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		if len(page) < pageOf {
			return all, nil
		}
	}
}

// checkSegments walks the segments of a transfer's current revision.
func (s *Service) checkSegments(ctx context.Context, t Transfer) (all []Problem, err error) {
	var at, bytes uint64
	for {
		var page []Segment
		err := s.view(ctx, func(tx Tx) (err error) {
			page, err = tx.Segments(ctx, t.ID, t.Revision, at, pageOf)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, g := range page {
			if g.First < at {
				all = append(all, Problem{t.ID, fmt.Sprintf("its segments overlap at record %d", g.First)})
			}
			at, bytes = g.First+uint64(g.Records), bytes+uint64(g.plain())
			if g.Acked {
				continue
			}
			there, err := s.present(ctx, g)
			if err != nil {
				return nil, err
			}
			if !there {
				all = append(all, Problem{t.ID, fmt.Sprintf("the segment at record %d has no ciphertext at %s: the phones will notice and send it again, or begin a new transfer", g.First, s.key(g))})
			}
		}
		if len(page) < pageOf {
			break
		}
	}
	if t.carries() && bytes != t.BytesStored {
		all = append(all, Problem{t.ID, fmt.Sprintf("its segments have %d bytes, its row says %d", bytes, t.BytesStored)})
	}
	return all, nil
}

// present reports whether a segment's blob is there, in its length.
func (s *Service) present(ctx context.Context, g Segment) (bool, error) {
	body, err := s.blobs.Get(ctx, s.key(g), int64(g.Bytes)-1, -1)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer body.Close()
	n, err := io.Copy(io.Discard, body)
	return n == 1, err
}
