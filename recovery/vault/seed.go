package vault

import (
	"context"
	"crypto/rand"
	"crypto/subtle"

	"github.com/staunchid/staunch/recovery/wire"
)

// seed is the frame of the seed profile: the same steps with a record of its
// own, in which the number used is as old as storage makes it. The mark has the
// version alone, and the enclave sees the PIN: what an insider gains by that is
// measured by its tests.
func (w *work) seed(ctx context.Context, body []byte) (*wire.Reply, error) {
	in, err := wire.DecodeSeedRequest(body)
	if err != nil || (in.Data != nil) != (w.call.Op == wire.OpSeedBackup) {
		return refuse(wire.CodeUnreadable), nil
	}
	defer in.PIN.Wipe()
	var s *wire.SeedRecord
	if w.call.Record != nil {
		key, err := w.recordKey()
		if err != nil {
			return refuse(wire.CodeBadRecord), nil
		}
		if s, err = key.OpenSeed(w.call.Record); err != nil {
			return refuse(wire.CodeBadRecord), nil
		}
	}
	m, err := w.fresh.Load(ctx, w.call.Acct)
	if err != nil {
		return nil, err
	}
	switch {
	case s == nil && m.Known(), s != nil && s.Version < m.Ver: // R4: given >= own
		return stale(m), nil
	case s != nil && s.Version > m.Ver && w.config.Freshness.Level != LevelMemory:
		return refuse(wire.CodeFuture), nil
	case s == nil && w.call.Op == wire.OpSeedRestore:
		return w.seedReply(&wire.SeedAnswer{Verdict: wire.VerdictNoBackup, Limit: w.config.Limit}, nil)
	case s == nil:
		s = &wire.SeedRecord{Suite: w.config.Suite, Limit: w.config.Limit}
	}
	verdict := wire.VerdictOK
	if w.call.Op == wire.OpSeedBackup {
		seedBackup(s, in)
	} else {
		verdict = seedRestore(s, in)
	}
	s.Version++ // R2; and own = given + 1
	if w.fault("crash/02") {
		return nil, errDied
	}
	if err := ctx.Err(); err != nil { // given up
		return nil, err
	}
	if err := w.fresh.Advance(ctx, w.call.Acct, Mark{Gen: 1, Ver: s.Version}); err != nil {
		return nil, err
	}
	if w.fault("crash/04") {
		return nil, errDied
	}
	a := &wire.SeedAnswer{Verdict: verdict, Version: s.Version, Used: s.Used, Limit: s.Limit, State: s.State}
	if verdict == wire.VerdictOK && w.call.Op == wire.OpSeedRestore {
		a.Data = s.Data
	}
	return w.seedReply(a, s)
}

// seedBackup replaces PIN and data: what they were is gone, and so are the wrong
// tries at it.
func seedBackup(s *wire.SeedRecord, in *wire.SeedRequest) {
	rand.Read(s.Salt[:]) //nolint:errcheck // crypto/rand: never returns an error
	s.PIN = wire.SeedPINHash(s.Salt, in.PIN)
	s.Data, s.Used, s.State = in.Data, 0, wire.StateActive
	s.BackupVersion++
}

// seedRestore compares the PIN; the last wrong one locks for good (R5).
func seedRestore(s *wire.SeedRecord, in *wire.SeedRequest) wire.Verdict {
	if s.State == wire.StateLocked {
		return wire.VerdictLocked
	}
	got := wire.SeedPINHash(s.Salt, in.PIN)
	if subtle.ConstantTimeCompare(got[:], s.PIN[:]) == 1 {
		s.Used = 0
		return wire.VerdictOK
	}
	if s.Used++; s.Used < s.Limit {
		return wire.VerdictWrongPIN
	}
	s.State, s.Salt, s.PIN = wire.StateLocked, wire.ID16{}, wire.Hash{}
	s.Data.Wipe()
	s.Data = wire.Secret{}
	return wire.VerdictLocked
}

// seedReply is reply for the seed profile.
func (w *work) seedReply(a *wire.SeedAnswer, s *wire.SeedRecord) (*wire.Reply, error) {
	sealed, err := w.answer.SealSeedAnswer(a)
	if err != nil || s == nil {
		return &wire.Reply{Result: wire.CodeDone, Answer: sealed}, err
	}
	record, err := w.keyOf(w.ring.newest()).SealSeed(s)
	if err != nil {
		return nil, err
	}
	gen := uint32(1)
	receipt, err := w.receipts.next(w.Vault, &wire.Receipt{
		Acct: w.call.Acct, Op: w.call.Op, Gen: gen, Ver: s.Version, Used: s.Used, State: s.State, Digest: wire.Sum(record),
	})
	if err != nil {
		return nil, err
	}
	return &wire.Reply{Result: wire.CodeDone, Answer: sealed, Record: record, Gen: &gen, Ver: &s.Version, Receipt: receipt}, nil
}
