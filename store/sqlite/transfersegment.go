package sqlite

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/staunchid/staunch/store/sqlite/engine"
	"github.com/staunchid/staunch/transfer"
)

// TransferToken finds the token with a SHA-256.
func (tx *Tx) TransferToken(ctx context.Context, hash [32]byte) (k transfer.Token, found bool, err error) {
	k, found, err = one(ctx, tx, "transfer token", func(s scan) (k transfer.Token, err error) {
		err = s(&k.Transfer, &k.Party)
		return k, err
	}, `SELECT transfer, party FROM transfer_token WHERE hash = ?`, hash[:])
	if found {
		k.Hash = hash
	}
	return k, found, err
}

// PutTransferToken stores one; that it is there already is no failure. A party has
// one token of a transfer, and no token is another's too.
func (tx *Tx) PutTransferToken(ctx context.Context, k transfer.Token) error {
	have, found, err := tx.TransferToken(ctx, k.Hash)
	if err != nil || found && have == k {
		return err
	}
	_, err = tx.exec(ctx, "transfer token", `INSERT INTO transfer_token (hash, transfer, party) VALUES (?, ?, ?)`, k.Hash[:], string(k.Transfer), string(k.Party))
	return tx.other(err)
}

const segmentColumns = `transfer, revision, first, records, bytes, leaf, blob, synced, acked`

func readSegment(s scan) (transfer.Segment, error) {
	var g transfer.Segment
	var leaf []byte
	if err := s(&g.Transfer, &g.Revision, &g.First, &g.Records, &g.Bytes, &leaf, &g.Blob, &g.Synced, &g.Acked); err != nil {
		return g, err
	}
	return g, fixed(g.Leaf[:], leaf, "leaf")
}

// AddSegment stores one. Records that another one has, or another segment in its
// place, are ErrConflict; the same one again is none.
func (tx *Tx) AddSegment(ctx context.Context, g transfer.Segment) error {
	if g.First > math.MaxInt64-uint64(g.Records) || g.Records == 0 {
		return tx.fail("segment", fmt.Errorf("%w: %d records from %d on", transfer.ErrMalformed, g.Records, g.First))
	}
	near, err := some(ctx, tx, "segment", readSegment, `SELECT `+segmentColumns+` FROM (SELECT * FROM transfer_segment
			WHERE transfer = ?1 AND revision = ?2 AND first <= ?3 ORDER BY first DESC LIMIT 1)
		UNION ALL SELECT `+segmentColumns+` FROM (SELECT * FROM transfer_segment
			WHERE transfer = ?1 AND revision = ?2 AND first > ?3 ORDER BY first LIMIT 1)`, string(g.Transfer), int64(g.Revision), int64(g.First))
	if err != nil {
		return err
	}
	for _, n := range near {
		switch {
		case n.First == g.First && n.Records == g.Records && n.Bytes == g.Bytes && n.Leaf == g.Leaf:
			return nil
		case n.First < g.First+uint64(g.Records) && g.First < n.First+uint64(n.Records):
			return tx.fail("segment", fmt.Errorf("%w: records %d to %d of it", transfer.ErrConflict, n.First, n.First+uint64(n.Records)-1))
		}
	}
	if _, err := tx.exec(ctx, "segment", `INSERT INTO transfer_segment (`+segmentColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(g.Transfer), int64(g.Revision), int64(g.First), int64(g.Records), int64(g.Bytes), g.Leaf[:], g.Blob, g.Synced, g.Acked); err != nil {
		return err
	}
	if g.Acked {
		return nil
	}
	return tx.addSpace(ctx, g.Transfer, int64(g.Bytes))
}

// Segment gives the one that begins with a record.
func (tx *Tx) Segment(ctx context.Context, id transfer.ID, revision uint32, first uint64) (g transfer.Segment, found bool, err error) {
	if first > math.MaxInt64 {
		return g, false, nil
	}
	return one(ctx, tx, "segment", readSegment, `SELECT `+segmentColumns+` FROM transfer_segment WHERE transfer = ? AND revision = ? AND first = ?`,
		string(id), int64(revision), int64(first))
}

// Segments gives up to limit from a first record on, in order.
func (tx *Tx) Segments(ctx context.Context, id transfer.ID, revision uint32, from uint64, limit int) ([]transfer.Segment, error) {
	if from > math.MaxInt64 {
		return nil, nil
	}
	return some(ctx, tx, "segment", readSegment, `SELECT `+segmentColumns+` FROM transfer_segment
		WHERE transfer = ? AND revision = ? AND first >= ? ORDER BY first LIMIT ?`, string(id), int64(revision), int64(from), limit)
}

// SyncSegments marks those synced that begin below a record and are neither synced
// nor acked.
func (tx *Tx) SyncSegments(ctx context.Context, id transfer.ID, revision uint32, below uint64) error {
	_, err := tx.exec(ctx, "segment", `UPDATE transfer_segment INDEXED BY transfer_segment_unsynced SET synced = 1
		WHERE transfer = ? AND revision = ? AND first < ? AND synced = 0 AND acked = 0`, string(id), int64(revision), int64(min(below, math.MaxInt64)))
	return err
}

// AckSegments marks those acked that end at or below a record, and gives their first
// records.
func (tx *Tx) AckSegments(ctx context.Context, id transfer.ID, revision uint32, below uint64) ([]uint64, error) {
	marked, err := some(ctx, tx, "segment", readSegment, `UPDATE transfer_segment INDEXED BY transfer_segment_waiting SET acked = 1
		WHERE transfer = ?1 AND revision = ?2 AND first < ?3 AND first + records <= ?3 AND acked = 0 RETURNING `+segmentColumns,
		string(id), int64(revision), int64(min(below, math.MaxInt64)))
	if err != nil {
		return nil, err
	}
	var firsts []uint64
	var bytes int64
	for _, g := range marked {
		firsts = append(firsts, g.First)
		bytes += int64(g.Bytes)
	}
	slices.Sort(firsts) // RETURNING gives no order
	return firsts, tx.addSpace(ctx, id, -bytes)
}

// DropSegment deletes one.
func (tx *Tx) DropSegment(ctx context.Context, id transfer.ID, revision uint32, first uint64) error {
	g, found, err := tx.Segment(ctx, id, revision, first)
	if err != nil || !found {
		return err
	}
	if _, err := tx.exec(ctx, "segment", `DELETE FROM transfer_segment WHERE transfer = ? AND revision = ? AND first = ?`,
		string(id), int64(revision), int64(first)); err != nil || g.Acked {
		return err
	}
	return tx.addSpace(ctx, id, -int64(g.Bytes))
}

// DropSegments deletes all of a transfer.
func (tx *Tx) DropSegments(ctx context.Context, id transfer.ID) error {
	if _, err := tx.exec(ctx, "segment", `DELETE FROM transfer_segment WHERE transfer = ?`, string(id)); err != nil {
		return err
	}
	own, _, err := tx.SegmentBytes(ctx, id)
	if err != nil {
		return err
	}
	return tx.addSpace(ctx, id, -own)
}

// addSpace counts bytes that are there, or no longer are.
func (tx *Tx) addSpace(ctx context.Context, id transfer.ID, bytes int64) error {
	if bytes == 0 {
		return nil
	}
	if _, err := tx.exec(ctx, "transfer space", `INSERT INTO transfer_space (transfer, bytes) VALUES (?1, ?2), ('', ?2)
		ON CONFLICT (transfer) DO UPDATE SET bytes = bytes + excluded.bytes`, string(id), bytes); err != nil {
		return err
	}
	_, err := tx.exec(ctx, "transfer space", `DELETE FROM transfer_space WHERE transfer = ? AND bytes = 0`, string(id))
	return err
}

// SegmentBytes gives the bytes of a transfer's segments that are not acked, and of
// all transfers'.
func (tx *Tx) SegmentBytes(ctx context.Context, id transfer.ID) (own, all int64, err error) {
	err = tx.few(ctx, "transfer space", `SELECT coalesce((SELECT bytes FROM transfer_space WHERE transfer = ? AND transfer <> ''), 0),
		coalesce((SELECT bytes FROM transfer_space WHERE transfer = ''), 0)`, []any{string(id)}, func(row *engine.Stmt) error { return row.Scan(&own, &all) })
	return own, all, err
}

// UnsyncedSegments gives up to limit that are neither synced nor acked, of any
// transfer, after one, by transfer, revision and first record.
func (tx *Tx) UnsyncedSegments(ctx context.Context, after transfer.Segment, limit int) ([]transfer.Segment, error) {
	return some(ctx, tx, "segment", readSegment, `SELECT `+segmentColumns+` FROM transfer_segment INDEXED BY transfer_segment_unsynced
		WHERE (transfer, revision, first) > (?, ?, ?) AND synced = 0 AND acked = 0 ORDER BY transfer, revision, first LIMIT ?`,
		string(after.Transfer), int64(after.Revision), int64(after.First), limit)
}
