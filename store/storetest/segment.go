package storetest

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/transfer"
)

func segment(id transfer.ID, first uint64, records uint32) transfer.Segment {
	return transfer.Segment{Transfer: id, Revision: 2, First: first, Records: records, Bytes: records * 100, Leaf: [32]byte{byte(first), 1}, Blob: "b"}
}

func addSegments(t *testing.T, s Store, all ...transfer.Segment) {
	t.Helper()
	for _, g := range all {
		update(t, s, func(tx Tx) error { return tx.AddSegment(t.Context(), g) })
	}
}

func space(t *testing.T, s Store, id transfer.ID) (own, all int64) {
	t.Helper()
	view(t, s, func(tx Tx) (err error) {
		own, all, err = tx.SegmentBytes(t.Context(), id)
		return err
	})
	return own, all
}

// testSegments: no two have a record in common.
func testSegments(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	full := segment("t_1", 30, 10)
	full.Synced, full.Acked = true, true
	addSegments(t, s, segment("t_1", 10, 10), full)
	for _, tt := range []struct {
		name    string
		segment transfer.Segment
		want    error
	}{
		{"the same", segment("t_1", 10, 10), nil},
		{"that one of it is acked is no other", segment("t_1", 30, 10), nil},
		{"before", segment("t_1", 9, 1), nil},
		{"between", segment("t_1", 20, 10), nil},
		{"after", segment("t_1", 40, 1), nil},
		{"another transfer", segment("t_2", 15, 10), nil},
		{"the last of before", segment("t_1", 19, 1), transfer.ErrConflict},
		{"the first of after", segment("t_1", 20, 11), transfer.ErrConflict},
		{"within", segment("t_1", 12, 2), transfer.ErrConflict},
		{"around", segment("t_1", 5, 30), transfer.ErrConflict},
		{"shorter", segment("t_1", 10, 9), transfer.ErrConflict},
		{"around from far", segment("t_1", 0, 11), transfer.ErrConflict},
		{"nothing", segment("t_1", 90, 0), transfer.ErrMalformed},
		{"beyond all numbers", segment("t_1", 1<<63-1, 1), transfer.ErrMalformed},
	} {
		err := s.Update(ctx, func(tx Tx) error { return tx.AddSegment(ctx, tt.segment) })
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	for name, change := range map[string]func(*transfer.Segment){
		"leaf": func(g *transfer.Segment) { g.Leaf[31] = 1 }, "bytes": func(g *transfer.Segment) { g.Bytes++ },
	} {
		other := segment("t_1", 10, 10)
		change(&other)
		if err := s.Update(ctx, func(tx Tx) error { return tx.AddSegment(ctx, other) }); !errors.Is(err, transfer.ErrConflict) {
			t.Errorf("another %s in its place: %v", name, err)
		}
	}
	other := segment("t_1", 15, 10)
	other.Revision = 3
	addSegments(t, s, other)

	one := func(revision uint32, first uint64, wanted bool) transfer.Segment {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (transfer.Segment, bool, error) { return tx.Segment(ctx, "t_1", revision, first) })
	}
	same(t, full, one(2, 30, true))
	same(t, other, one(3, 15, true))
	one(2, 11, false)
	one(2, 1<<63, false)
	list := func(from uint64, limit int) []uint64 {
		t.Helper()
		rows := look(t, s, func(tx Tx) ([]transfer.Segment, error) { return tx.Segments(ctx, "t_1", 2, from, limit) })
		return names(rows, func(g transfer.Segment) uint64 { return g.First })
	}
	same(t, []uint64{9, 10, 20, 30, 40}, list(0, 99))
	same(t, []uint64{10, 20}, list(10, 2))
	same(t, []uint64{30, 40}, list(21, 9))
	same(t, []uint64(nil), list(1<<63, 9))
}

// testSegmentMarks: what is synced, acked and gone, and how much is there.
func testSegmentMarks(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	spaces := func(own1, own2, all int64) {
		t.Helper()
		one, sum := space(t, s, "t_1")
		if two, _ := space(t, s, "t_2"); one != own1 || two != own2 || sum != all {
			t.Errorf("%d and %d of %d bytes, want %d and %d of %d", one, two, sum, own1, own2, all)
		}
	}
	spaces(0, 0, 0)
	addSegments(t, s, segment("t_1", 0, 4), segment("t_1", 4, 2), segment("t_1", 6, 2), segment("t_2", 0, 8))
	addSegments(t, s, segment("t_1", 4, 2)) // counts once
	old := segment("t_1", 0, 1)
	old.Revision = 1
	addSegments(t, s, old)
	spaces(900, 800, 1700)
	if own, _ := space(t, s, ""); own != 0 {
		t.Errorf("the transfer without an ID has %d bytes", own)
	}

	unsynced := func(after transfer.Segment, limit int) []transfer.Segment {
		t.Helper()
		return look(t, s, func(tx Tx) ([]transfer.Segment, error) { return tx.UnsyncedSegments(ctx, after, limit) })
	}
	same(t, []transfer.Segment{old, segment("t_1", 0, 4), segment("t_1", 4, 2)}, unsynced(transfer.Segment{}, 3))
	same(t, []transfer.Segment{segment("t_1", 6, 2), segment("t_2", 0, 8)}, unsynced(segment("t_1", 4, 2), 9))
	ack := func(below uint64, want ...uint64) {
		t.Helper()
		same(t, want, act(t, s, func(tx Tx) ([]uint64, error) { return tx.AckSegments(ctx, "t_1", 2, below) }))
	}
	ack(3)
	ack(5, 0)
	spaces(500, 800, 1300)
	same(t, []transfer.Segment{segment("t_1", 4, 2), segment("t_1", 6, 2), segment("t_2", 0, 8)}, unsynced(old, 9))
	update(t, s, func(tx Tx) error { return tx.SyncSegments(ctx, "t_1", 2, 6) })
	same(t, []transfer.Segment{segment("t_1", 6, 2), segment("t_2", 0, 8)}, unsynced(old, 9))
	synced, acked := segment("t_1", 4, 2), segment("t_1", 0, 4)
	synced.Synced, acked.Acked = true, true
	same(t, []transfer.Segment{acked, synced, segment("t_1", 6, 2)}, look(t, s, func(tx Tx) ([]transfer.Segment, error) { return tx.Segments(ctx, "t_1", 2, 0, 9) }))
	ack(5)
	ack(1<<63, 4, 6)
	spaces(100, 800, 900)
	update(t, s, func(tx Tx) error { return tx.SyncSegments(ctx, "t_1", 2, 1<<63) })
	same(t, []transfer.Segment{old, segment("t_2", 0, 8)}, unsynced(transfer.Segment{}, 9))

	drop := func(id transfer.ID, revision uint32, first uint64) {
		t.Helper()
		update(t, s, func(tx Tx) error { return tx.DropSegment(ctx, id, revision, first) })
	}
	drop("t_1", 2, 0) // acked: it counted no more
	drop("t_1", 2, 99)
	spaces(100, 800, 900)
	drop("t_1", 1, 0)
	spaces(0, 800, 800)
	addSegments(t, s, segment("t_1", 8, 1))
	spaces(100, 800, 900)
	for range 2 {
		update(t, s, func(tx Tx) error { return tx.DropSegments(ctx, "t_1") })
		spaces(0, 800, 800)
	}
	same(t, []transfer.Segment(nil), look(t, s, func(tx Tx) ([]transfer.Segment, error) { return tx.Segments(ctx, "t_1", 2, 0, 9) }))
	get(t, s, true, func(tx Tx) (transfer.Segment, bool, error) { return tx.Segment(ctx, "t_2", 2, 0) })
}
