package transfer_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/transfer"
)

// memory is a store: one transaction at a time, and an error undoes it.
type memory struct {
	mu   sync.Mutex
	data data
}

type data struct {
	transfers map[transfer.ID]transfer.Transfer
	tokens    map[[32]byte]transfer.Token
	segments  map[place]transfer.Segment
	audit     []audit.Entry
	events    []event.Event
}

type place struct {
	id       transfer.ID
	revision uint32
	first    uint64
}

func newMemory() *memory {
	return &memory{data: data{map[transfer.ID]transfer.Transfer{}, map[[32]byte]transfer.Token{}, map[place]transfer.Segment{}, nil, nil}}
}

func (d data) clone() data {
	return data{maps.Clone(d.transfers), maps.Clone(d.tokens), maps.Clone(d.segments), slices.Clone(d.audit), slices.Clone(d.events)}
}

func (m *memory) update(_ context.Context, fn func(transfer.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := fn(&memoryTx{m.data.clone()}); err != nil {
		return err
	}
	tx := &memoryTx{m.data.clone()} // once more: a store may do so when transactions meet
	if err := fn(tx); err != nil {
		return err
	}
	m.data = tx.data
	return nil
}

var errWrote = errors.New("a view wrote")

func (m *memory) view(_ context.Context, fn func(transfer.Tx) error) error {
	m.mu.Lock()
	tx := &memoryTx{m.data.clone()}
	before := len(tx.events) + len(tx.audit)
	m.mu.Unlock()
	if err := fn(tx); err != nil {
		return err
	}
	if len(tx.events)+len(tx.audit) != before {
		return errWrote
	}
	return nil
}

type memoryTx struct{ data }

func (tx *memoryTx) AppendAudit(_ context.Context, e audit.Entry) error {
	tx.audit = append(tx.audit, e)
	return e.Validate()
}

func (tx *memoryTx) AppendEvent(_ context.Context, e event.Event) error {
	tx.events = append(tx.events, e)
	return e.Validate()
}

func (tx *memoryTx) Transfer(_ context.Context, id transfer.ID) (transfer.Transfer, bool, error) {
	t, there := tx.transfers[id]
	return t, there, nil
}

func (tx *memoryTx) AddTransfer(_ context.Context, t transfer.Transfer) error {
	if _, there := tx.transfers[t.ID]; there {
		return transfer.ErrConflict
	}
	tx.transfers[t.ID] = t
	return nil
}

func (tx *memoryTx) PutTransfer(_ context.Context, t transfer.Transfer, was uint64) (bool, error) {
	if have, there := tx.transfers[t.ID]; !there || have.Version != was {
		return false, nil
	}
	tx.transfers[t.ID] = t
	return true, nil
}

// pick gives the transfers that fn wants, by time.
func (tx *memoryTx) pick(fn func(t transfer.Transfer) bool) (all []transfer.Transfer) {
	for _, t := range tx.transfers {
		if fn(t) {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b transfer.Transfer) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func (tx *memoryTx) TransfersOf(_ context.Context, id account.ID) ([]transfer.Transfer, error) {
	return tx.pick(func(t transfer.Transfer) bool { return t.Account == id && t.EndedAt.IsZero() }), nil
}

func (tx *memoryTx) TransfersOfDevice(_ context.Context, id account.DeviceID) ([]transfer.Transfer, error) {
	return tx.pick(func(t transfer.Transfer) bool { return t.SenderDevice == id || t.NewDevice == id }), nil
}

func (tx *memoryTx) Transfers(_ context.Context, after transfer.ID, limit int) ([]transfer.Transfer, error) {
	all := tx.pick(func(t transfer.Transfer) bool { return t.ID > after })
	slices.SortFunc(all, func(a, b transfer.Transfer) int { return cmp.Compare(a.ID, b.ID) })
	return all[:min(limit, len(all))], nil
}

func (tx *memoryTx) TransfersDue(_ context.Context, now time.Time, after transfer.ID, limit int) (ids []transfer.ID, err error) {
	past := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	for _, t := range tx.pick(func(t transfer.Transfer) bool { return t.ID > after && t.EndedAt.IsZero() }) {
		if past(t.Deadline) || t.State == transfer.Held && past(t.Opens) || t.State == transfer.Acked && past(t.RecallUntil) && t.FrozenSince.IsZero() {
			ids = append(ids, t.ID)
		}
	}
	slices.Sort(ids)
	return ids[:min(limit, len(ids))], nil
}

func (tx *memoryTx) DeleteTransfers(_ context.Context, before time.Time, limit int) (n int, err error) {
	for id, t := range tx.transfers {
		if n < limit && !t.EndedAt.IsZero() && t.EndedAt.Before(before) {
			delete(tx.transfers, id)
			n++
		}
	}
	return n, nil
}

func (tx *memoryTx) DeleteUnclaimed(_ context.Context, before time.Time, limit int) (n int, err error) {
	for id, t := range tx.transfers {
		if n < limit && t.Account == "" && !t.EndedAt.IsZero() && t.EndedAt.Before(before) {
			delete(tx.transfers, id)
			n++
		}
	}
	return n, nil
}

func (tx *memoryTx) ForgetPlaces(_ context.Context, before time.Time, limit int) (n int, err error) {
	for id, t := range tx.transfers {
		if n < limit && t.CreatedAt.Before(before) && t.Place+t.Network != "" {
			t.Place, t.Network = "", ""
			tx.transfers[id] = t
			n++
		}
	}
	return n, nil
}

func (tx *memoryTx) TransferToken(_ context.Context, hash [32]byte) (transfer.Token, bool, error) {
	k, there := tx.tokens[hash]
	return k, there, nil
}

func (tx *memoryTx) PutTransferToken(_ context.Context, k transfer.Token) error {
	tx.tokens[k.Hash] = k
	return nil
}

func (tx *memoryTx) AddSegment(_ context.Context, s transfer.Segment) error {
	for _, g := range tx.segments {
		if g.Transfer == s.Transfer && g.Revision == s.Revision && g.First < s.First+uint64(s.Records) && s.First < g.First+uint64(g.Records) {
			return transfer.ErrConflict
		}
	}
	tx.segments[place{s.Transfer, s.Revision, s.First}] = s
	return nil
}

func (tx *memoryTx) Segment(_ context.Context, id transfer.ID, revision uint32, first uint64) (transfer.Segment, bool, error) {
	g, there := tx.segments[place{id, revision, first}]
	return g, there, nil
}

func (tx *memoryTx) some(fn func(g transfer.Segment) bool) (all []transfer.Segment) {
	for _, g := range tx.segments {
		if fn(g) {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, after)
	return all
}

func after(a, b transfer.Segment) int {
	return cmp.Or(cmp.Compare(a.Transfer, b.Transfer), cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.First, b.First))
}

func (tx *memoryTx) Segments(_ context.Context, id transfer.ID, revision uint32, from uint64, limit int) ([]transfer.Segment, error) {
	all := tx.some(func(g transfer.Segment) bool { return g.Transfer == id && g.Revision == revision && g.First >= from })
	return all[:min(limit, len(all))], nil
}

func (tx *memoryTx) SyncSegments(_ context.Context, id transfer.ID, revision uint32, below uint64) error {
	for k, g := range tx.segments {
		if g.Transfer == id && g.Revision == revision && g.First < below {
			g.Synced = true
			tx.segments[k] = g
		}
	}
	return nil
}

func (tx *memoryTx) AckSegments(_ context.Context, id transfer.ID, revision uint32, below uint64) (firsts []uint64, err error) {
	for k, g := range tx.segments {
		if g.Transfer == id && g.Revision == revision && !g.Acked && g.First+uint64(g.Records) <= below {
			g.Acked = true
			tx.segments[k] = g
			firsts = append(firsts, g.First)
		}
	}
	return firsts, nil
}

func (tx *memoryTx) DropSegment(_ context.Context, id transfer.ID, revision uint32, first uint64) error {
	delete(tx.segments, place{id, revision, first})
	return nil
}

func (tx *memoryTx) DropSegments(_ context.Context, id transfer.ID) error {
	maps.DeleteFunc(tx.segments, func(k place, _ transfer.Segment) bool { return k.id == id })
	return nil
}

func (tx *memoryTx) SegmentBytes(_ context.Context, id transfer.ID) (own, all int64, err error) {
	for _, g := range tx.segments {
		if !g.Acked {
			all += int64(g.Bytes)
			if g.Transfer == id {
				own += int64(g.Bytes)
			}
		}
	}
	return own, all, nil
}

func (tx *memoryTx) UnsyncedSegments(_ context.Context, from transfer.Segment, limit int) ([]transfer.Segment, error) {
	all := tx.some(func(g transfer.Segment) bool { return !g.Synced && !g.Acked && after(g, from) > 0 })
	return all[:min(limit, len(all))], nil
}

// shelf is Blobs in memory.
type shelf struct {
	mu     sync.Mutex
	now    func() time.Time
	blobs  map[string]blob
	synced []string
}

type blob struct {
	b  []byte
	at time.Time
}

func (s *shelf) Put(_ context.Context, key string, size int64, r io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(r, size))
	if err != nil {
		return err
	}
	if int64(len(b)) != size {
		return io.ErrUnexpectedEOF
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs[key] = blob{b, s.now()}
	return nil
}

func (s *shelf) Get(_ context.Context, key string, off, n int64) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, there := s.blobs[key]
	if !there {
		return nil, fs.ErrNotExist
	}
	part := b.b[min(off, int64(len(b.b))):]
	if n >= 0 && n < int64(len(part)) {
		part = part[:n]
	}
	return io.NopCloser(bytes.NewReader(part)), nil
}

func (s *shelf) Sync(_ context.Context, keys iter.Seq[string]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range keys {
		if _, there := s.blobs[key]; !there {
			return fs.ErrNotExist
		}
		s.synced = append(s.synced, key)
	}
	return nil
}

func (s *shelf) Delete(_ context.Context, prefix string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.blobs, func(key string, _ blob) bool {
		return key == prefix || strings.HasSuffix(prefix, "/") && strings.HasPrefix(key, prefix)
	})
	return nil
}

func (s *shelf) Keys(_ context.Context, prefix string) iter.Seq2[transfer.Blob, error] {
	return func(yield func(transfer.Blob, error) bool) {
		s.mu.Lock()
		all := maps.Clone(s.blobs)
		s.mu.Unlock()
		for _, key := range slices.Sorted(maps.Keys(all)) {
			if strings.HasPrefix(key, prefix) && !yield(transfer.Blob{Key: key, Size: int64(len(all[key].b)), At: all[key].at}, nil) {
				return
			}
		}
	}
}
