package operator

import (
	"context"
)

// Follow reads what is new in the app's audit record, from its beginning the first
// time, so that what is taken out of it afterwards is missed. A server calls it every
// second: what an operator could do with a row that he puts back before that, the
// record tells. The error is ErrTampered once something is missing.
func (s *Service) Follow(ctx context.Context) error {
	return s.view(ctx, func(Tx) error { return nil })
}

// Removed reports whether an operator was removed, by his row and the record.
func (s *Service) Removed(ctx context.Context, id ID) (gone bool, err error) {
	err = s.view(ctx, func(tx Tx) error {
		o, found, err := s.sound(tx.Operator(ctx, id))
		gone = found && !o.RemovedAt.IsZero()
		return err
	})
	return gone, err
}

// view runs fn in a transaction that reads, with the rows of operators and sessions
// held against the record.
//
// What is known was read before the transaction begins, so that it is committed and
// in the transaction's sight.
func (s *Service) view(ctx context.Context, fn func(Tx) error) error {
	known, err := s.known(ctx)
	if err != nil {
		return err
	}
	now := s.clock()
	var next *record
	err = s.look(ctx, func(tx Tx) (err error) {
		if next, err = known.on(ctx, tx, s.app, now); err != nil {
			return err
		}
		return fn(judging{tx, next, now})
	})
	if next != nil {
		s.learn(next)
	}
	return err
}

// update runs fn in a transaction that writes, as view does. What it reads of the
// record may never be committed, so it is not remembered.
func (s *Service) update(ctx context.Context, fn func(Tx) error) error {
	known, err := s.known(ctx)
	if err != nil {
		return err
	}
	now := s.clock()
	return s.store(ctx, func(tx Tx) error {
		next, err := known.on(ctx, tx, s.app, now)
		if err != nil {
			return err
		}
		return fn(judging{tx, next, now})
	})
}

// known is the record as far as it was read. The first who asks reads it from its
// beginning, and the others wait.
func (s *Service) known(ctx context.Context) (*record, error) {
	if r := s.record.Load(); r != nil {
		return r, nil
	}
	s.first.Lock()
	defer s.first.Unlock()
	if r := s.record.Load(); r != nil {
		return r, nil
	}
	var r *record
	err := s.look(ctx, func(tx Tx) (err error) {
		r, err = newRecord().on(ctx, tx, s.app, s.clock())
		return err
	})
	if err != nil {
		return nil, err
	}
	s.record.Store(r)
	return r, nil
}

// learn remembers next, unless another has read further meanwhile.
func (s *Service) learn(next *record) {
	for {
		r := s.record.Load()
		if r.head.N >= next.head.N || s.record.CompareAndSwap(r, next) {
			return
		}
	}
}
