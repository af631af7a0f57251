package recovery

import (
	"context"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// right reports whether a receipt shows that the right PIN was given: the vault
// had counted attempts at the version just before, and with this release it has
// none. That used is 0 says nothing by itself: it is so too when a release is
// refused, whatever the reason, and nobody has tried a PIN since the last right
// one. If the version just before is not known, it was a release, and of this phone
// if the attempt before it was, and nobody else is at work on the account. An
// enclave of profile seed counts a wrong PIN in the very call that brings it.
func (s *Service) right(ctx context.Context, tx Tx, r Record, receipt *wire.Receipt, session [32]byte) (bool, error) {
	switch {
	case receipt.Used != 0 || receipt.State != wire.StateActive:
		return false, nil
	case receipt.Op == wire.OpSeedRestore:
		return true, nil
	}
	before, found, err := s.before(ctx, tx, r, receipt)
	switch {
	case err != nil || !found || before.Used == 0:
		return false, err
	case before.Gen == receipt.Gen && before.Ver+1 == receipt.Ver:
		return receipt.Op == wire.OpRelease, nil
	}
	return s.alone(ctx, tx, r, before.Session, session)
}

// before gives the newest version before that of a receipt. One that does not
// carry the app's mark, or that there are two of, is as good as none: whoever could
// choose it would prove a PIN that he does not know.
func (s *Service) before(ctx context.Context, tx Tx, r Record, receipt *wire.Receipt) (h HistoryRow, found bool, err error) {
	h, found, err = tx.HistoryBefore(ctx, r.Vault, r.Acct, receipt.Gen, receipt.Ver)
	if err != nil || !found {
		return h, false, err
	}
	if s.judge(h, "recovery_history", r.Account) != nil {
		return h, false, nil //nolint:nilerr // the log has it, and the record is stored all the same
	}
	digests, err := tx.HistoryAt(ctx, r.Vault, r.Acct, h.Gen, h.Ver)
	return h, len(digests) == 1, err
}

// alone reports whether a session's phone is the only one at work on an account:
// the attempt that was counted last was made with its ticket, no session of another
// ticket is open, and no request of a device is on its way to that vault.
func (s *Service) alone(ctx context.Context, tx Tx, r Record, counted, session [32]byte) (bool, error) {
	own, found, err := s.sessionOf(ctx, tx, session)
	if err != nil || !found {
		return false, err
	}
	last, found, err := s.sessionOf(ctx, tx, counted)
	if err != nil || !found || last.Ticket != own.Ticket {
		return false, err
	}
	open, err := tx.OpenRecoverySessions(ctx, r.Account)
	if err != nil {
		return false, err
	}
	for _, v := range open {
		if v.Ticket != own.Ticket {
			return false, nil
		}
	}
	busy, err := tx.IntentsOf(ctx, r.Vault, r.Acct)
	return len(busy) == 0, err
}

// history notes a version of a record, and reports whether it is a new one. Two
// records of one version are a fork: two replicas, or somebody with their keys,
// counted on from the same place.
func (s *Service) history(ctx context.Context, tx Tx, r Record, receipt *wire.Receipt, session [32]byte, now time.Time) (fresh bool, err error) {
	h := HistoryRow{
		Vault: r.Vault, Acct: r.Acct, Gen: receipt.Gen, Ver: receipt.Ver, Digest: receipt.Digest, Used: receipt.Used, Session: session, At: now,
	}
	h.MAC = h.Seal(s.rowKey)
	fresh, err = tx.AddHistory(ctx, h)
	if err != nil || !fresh {
		return false, err
	}
	digests, err := tx.HistoryAt(ctx, r.Vault, r.Acct, receipt.Gen, receipt.Ver)
	if err != nil || len(digests) < 2 {
		return true, err
	}
	s.log.Error("recovery.fork", "app", s.app, "vault", r.Vault, "gen", receipt.Gen, "ver", receipt.Ver)
	return true, tx.AppendEvent(ctx, s.event("recovery.fork", r.Account, map[string]any{"vault": r.Vault, "gen": receipt.Gen, "ver": receipt.Ver}))
}
