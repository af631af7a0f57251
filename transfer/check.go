package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// The kinds of problems that Check finds.
const (
	TwoInCharge  = "transfer_in_charge" // two transfers move one account, or hand over one phone's
	BadSegments  = "transfer_segments"  // the segments of a transfer overlap, or are not what its row counts
	LostSegments = "transfer_blob"      // a segment without its ciphertext
)

// CheckOptions are Check's.
type CheckOptions struct {
	App account.AppID
	// View runs a function in a transaction that reads.
	View func(context.Context, func(Tx) error) error
	// Blobs has the ciphertext. nil: there is none at all.
	Blobs Blobs
}

// Check is this pillar's part of `staunch check`. A server may run meanwhile. The
// MACs of rows are not judged, for which a key is needed: see Transfer.Sound.
func Check(ctx context.Context, o *CheckOptions) ([]audit.Problem, error) {
	c := checker{CheckOptions: o}
	err := o.View(ctx, func(tx Tx) error { // one state of all of them
		c.all, c.lost, c.live, c.moved = nil, nil, map[account.ID]ID{}, map[account.DeviceID]ID{}
		var after ID
		for {
			page, err := tx.Transfers(ctx, after, pageOf)
			if err != nil {
				return err
			}
			for _, t := range page {
				after = t.ID
				c.inCharge(&t)
				if err := c.segments(ctx, tx, &t); err != nil {
					return err
				}
			}
			if len(page) < pageOf {
				return nil
			}
		}
	})
	if err == nil {
		err = c.stillLost(ctx)
	}
	return c.all, err
}

type checker struct {
	*CheckOptions
	all   []audit.Problem
	live  map[account.ID]ID
	moved map[account.DeviceID]ID
	lost  []Segment // of these there was no ciphertext
}

func (c *checker) add(kind string, t *Transfer, format string, args ...any) {
	c.all = append(c.all, audit.Problem{Kind: kind, Account: t.Account, Subject: string(t.ID) + ": " + fmt.Sprintf(format, args...)})
}

// inCharge: an account is in one transfer at a time, and a phone hands it over once.
func (c *checker) inCharge(t *Transfer) {
	if t.live() && t.Account != "" {
		if other, there := c.live[t.Account]; there {
			c.add(TwoInCharge, t, "%s is live as well", other)
		}
		c.live[t.Account] = t.ID
	}
	if t.holder() == Receiver {
		if other, there := c.moved[t.SenderDevice]; there {
			c.add(TwoInCharge, t, "device %s has handed its account over in %s as well", t.SenderDevice, other)
		}
		c.moved[t.SenderDevice] = t.ID
	}
}

// segments walks those of a transfer's revision.
func (c *checker) segments(ctx context.Context, tx Tx, t *Transfer) error {
	if !t.carries() {
		return nil
	}
	var end, from, bytes uint64
	for {
		page, err := tx.Segments(ctx, t.ID, t.Revision, from, pageOf)
		if err != nil {
			return err
		}
		for _, g := range page {
			if g.First < end {
				c.add(BadSegments, t, "two segments have record %d", g.First)
			}
			end, from, bytes = g.First+uint64(g.Records), g.First+1, bytes+uint64(g.plain())
			if g.Acked {
				continue
			}
			there, err := c.present(ctx, g)
			if err != nil {
				return err
			}
			if !there {
				c.lost = append(c.lost, g)
			}
		}
		if len(page) < pageOf {
			break
		}
	}
	if bytes != t.BytesStored {
		c.add(BadSegments, t, "the segments have %d bytes, and the row counts %d", bytes, t.BytesStored)
	}
	return nil
}

// stillLost looks a second time for what was not there: a phone may have fetched it
// meanwhile, or the transfer ended.
func (c *checker) stillLost(ctx context.Context) error {
	for _, g := range c.lost {
		there, err := c.present(ctx, g)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		err = c.View(ctx, func(tx Tx) error {
			t, found, err := tx.Transfer(ctx, g.Transfer)
			if err != nil || !found || !t.carries() || t.Revision != g.Revision {
				return err
			}
			have, found, err := tx.Segment(ctx, g.Transfer, g.Revision, g.First)
			if err == nil && found && !have.Acked && have.Blob == g.Blob {
				c.add(LostSegments, &t, "the segment at record %d has no ciphertext at %s; the phones notice, and send it again or begin anew", g.First, blobKey(c.App, g))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// present reports whether a segment's blob is there, in its length.
func (c *checker) present(ctx context.Context, g Segment) (bool, error) {
	if c.Blobs == nil {
		return false, nil
	}
	body, err := c.Blobs.Get(ctx, blobKey(c.App, g), 0, -1)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer body.Close()
	if f, ok := body.(fs.File); ok {
		info, err := f.Stat()
		return err == nil && info.Size() == int64(g.Bytes), err
	}
	n, err := io.Copy(io.Discard, body)
	return n == int64(g.Bytes), err
}
