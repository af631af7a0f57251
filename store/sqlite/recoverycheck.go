package sqlite

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/store"
)

// recoveryProblems compares the rows of recovery with each other. What is sealed
// in them no check can read; their vaults say when they are given an older record.
func (tx *Tx) recoveryProblems(ctx context.Context) (out []audit.Problem, err error) {
	add := func(kind string) func(p audit.Problem) error {
		return func(p audit.Problem) error {
			p.Kind = kind
			out = append(out, p)
			return nil
		}
	}
	err = firstError(
		func() error {
			return every(ctx, tx, "recovery pointer", subject, `SELECT account, 'the blob that the pointer names is missing' FROM recovery_pointer p
				WHERE header IS NOT NULL AND NOT EXISTS (SELECT 1 FROM recovery_blob b WHERE b.account = p.account AND b.reg = p.reg AND b.hash = p.blob)
				ORDER BY account`, add(store.RecoveryBlob))
		},
		func() error {
			return every(ctx, tx, "recovery blob", readBlob, `SELECT `+blobColumns+` FROM recovery_blob ORDER BY account, reg, hash`, func(b recovery.BlobRow) error {
				if sha256.Sum256(b.Blob) == b.Hash {
					return nil
				}
				return add(store.RecoveryBlob)(audit.Problem{Account: b.Account, Subject: fmt.Sprintf("blob %x of registration %x", b.Hash, b.Reg)})
			})
		},
		func() error {
			return every(ctx, tx, "recovery record", subject, `SELECT account, 'record of vault ' || vault FROM recovery_record r
				WHERE EXISTS (SELECT 1 FROM recovery_history h WHERE h.vault = r.vault AND h.acct = r.acct AND (h.gen, h.ver) > (r.gen, r.ver))
				ORDER BY account, vault`, add(store.RecoveryRegressed))
		},
		func() error { return tx.otherRecords(ctx, add(store.RecoveryRegressed)) },
		func() error {
			return every(ctx, tx, "recovery history", subject, `SELECT coalesce((SELECT account FROM recovery_record r WHERE r.vault = h.vault AND r.acct = h.acct), ''),
				'vault ' || vault || ', version ' || gen || '.' || ver FROM recovery_history h GROUP BY vault, acct, gen, ver HAVING count(*) > 1`, add(store.RecoveryFork))
		},
	)
	return out, err
}

func subject(s scan) (audit.Problem, error) {
	var p audit.Problem
	err := s(&p.Account, &p.Subject)
	return p, err
}

// otherRecords finds records that are not the ones that were noted under their version.
func (tx *Tx) otherRecords(ctx context.Context, add func(audit.Problem) error) error {
	type noted struct {
		problem        audit.Problem
		record, digest []byte
	}
	return every(ctx, tx, "recovery record", func(s scan) (n noted, err error) {
		err = s(&n.problem.Account, &n.problem.Subject, &n.record, &n.digest)
		return n, err
	}, `SELECT r.account, 'record of vault ' || r.vault, r.record, min(h.digest) FROM recovery_record r
		JOIN recovery_history h ON h.vault = r.vault AND h.acct = r.acct AND h.gen = r.gen AND h.ver = r.ver
		GROUP BY r.vault, r.acct HAVING count(*) = 1`, func(n noted) error {
		if sum := sha256.Sum256(n.record); string(sum[:]) != string(n.digest) {
			return add(n.problem)
		}
		return nil
	})
}

// unrecordedRecovery are the rows of recovery with a MAC.
func (k keyed) unrecordedRecovery(ctx context.Context, judge func(of account.ID, id string, row sound) error) error {
	return firstError(
		func() error {
			return every(ctx, k.Tx, "recovery record", readRecord, `SELECT `+recordColumns+` FROM recovery_record ORDER BY vault, acct`,
				func(r recovery.RecordRow) error { return judge(r.Account, "recovery record of vault "+r.Vault, r) })
		},
		func() error {
			return every(ctx, k.Tx, "recovery history", readHistory, `SELECT `+historyColumns+` FROM recovery_history ORDER BY vault, acct, gen, ver, digest`,
				func(h recovery.HistoryRow) error {
					return judge("", fmt.Sprintf("recovery history of vault %s, account %x, version %d.%d", h.Vault, h.Acct, h.Gen, h.Ver), h)
				})
		},
		func() error {
			return every(ctx, k.Tx, "recovery intent", readIntent, `SELECT `+intentColumns+` FROM recovery_intent ORDER BY vault, acct, op, request_hash`,
				func(i recovery.IntentRow) error { return judge(i.Account, "recovery intent for vault "+i.Vault, i) })
		},
		func() error {
			return every(ctx, k.Tx, "recovery pointer", readPointer, `SELECT `+pointerColumns+` FROM recovery_pointer ORDER BY account`,
				func(p recovery.PointerRow) error { return judge(p.Account, "recovery pointer", p) })
		},
		func() error {
			return every(ctx, k.Tx, "recovery setup", readSetup, `SELECT `+setupColumns+` FROM recovery_setup ORDER BY account`,
				func(v recovery.SetupRow) error { return judge(v.Account, "recovery setup", v) })
		},
		func() error {
			return every(ctx, k.Tx, "recovery session", readRecoverySession, `SELECT `+recoverySessionColumns+` FROM recovery_session ORDER BY hash`,
				func(v recovery.SessionRow) error {
					return judge(v.Account, fmt.Sprintf("recovery session %x", v.Hash[:8]), v)
				})
		},
	)
}
