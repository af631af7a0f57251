package sqlite

import (
	"context"
	"crypto/sha256"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/transfer"
)

// AuditObjects calls yield for everything whose changes are recorded,
// tombstones too. It knows no key, and judges no MAC: Keyed does.
func (tx *Tx) AuditObjects(ctx context.Context, yield func(audit.Object) error) error {
	return tx.recorded(ctx, func(sound) bool { return true }, yield)
}

// Keyed is tx for a check that has the key of the rows' MACs:
//
//	report, err := s.CheckBy(ctx, func(tx *sqlite.Tx) (audit.Report, error) {
//		return audit.Check(ctx, tx.Keyed(rowKey), opts)
//	})
func (tx *Tx) Keyed(rowKey []byte) audit.Reader { return keyed{tx, rowKey} }

type keyed struct {
	*Tx
	key []byte
}

// AuditObjects is that of the Tx, and says whether a MAC is wrong.
func (k keyed) AuditObjects(ctx context.Context, yield func(audit.Object) error) error {
	if err := k.recorded(ctx, func(row sound) bool { return row.Sound(k.key) }, yield); err != nil {
		return err
	}
	return k.unrecorded(ctx, yield)
}

// unrecorded are the rows with a MAC of which no entry has a digest.
func (k keyed) unrecorded(ctx context.Context, yield func(audit.Object) error) error {
	judge := func(of account.ID, id string, row sound) error {
		return yield(audit.Object{Account: of, Subject: id, BadMAC: !row.Sound(k.key), Unrecorded: true})
	}
	return firstError(
		func() error {
			return every(ctx, k.Tx, "session", readSession, `SELECT `+sessionColumns+` FROM session ORDER BY id`,
				func(s account.Session) error { return judge(s.Account, string(s.ID), s) })
		},
		func() error {
			return every(ctx, k.Tx, "approval", readApproval, `SELECT `+approvalColumns+` FROM approval ORDER BY id`,
				func(a integrity.ApprovalRow) error { return judge(a.Account, string(a.ID), a) })
		},
		func() error {
			return every(ctx, k.Tx, "join", readJoin, `SELECT `+joinColumns+` FROM joining ORDER BY id`,
				func(j integrity.JoinRow) error { return judge(j.Account, string(j.ID), j) })
		},
		func() error {
			return every(ctx, k.Tx, "pending action", readPending, `SELECT `+pendingColumns+` FROM pending ORDER BY id`,
				func(p integrity.PendingRow) error { return judge(p.Account, string(p.ID), p) })
		},
		func() error { return k.unrecordedRecovery(ctx, judge) },
		func() error {
			return every(ctx, k.Tx, "transfer", readTransfer, `SELECT `+transferColumns+` FROM transfer ORDER BY id`,
				func(t transfer.Transfer) error { return judge(t.Account, string(t.ID), t) })
		},
		func() error {
			return every(ctx, k.Tx, "operator's ceremony", readOperatorCeremony, `SELECT `+operatorCeremonyColumns+` FROM operator_ceremony ORDER BY id`,
				func(c operator.Ceremony) error { return judge("", string(c.ID), c) })
		},
		func() error {
			return k.AllOperatorSessions(ctx, func(s operator.Session) error { return judge("", string(s.ID), s) })
		},
	)
}

// firstError does one step after the other, until one fails.
func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// sound is a row with a MAC.
type sound interface{ Sound(key []byte) bool }

func (tx *Tx) recorded(ctx context.Context, good func(sound) bool, yield func(audit.Object) error) error {
	return firstError(
		func() error {
			return tx.scanKeys(ctx, func(k registry.Key) error {
				return yield(audit.Object{Account: k.Account, Subject: k.ID, Digest: k.Digest()})
			})
		},
		func() error {
			return tx.scanEvidence(ctx, func(e registry.Evidence) error {
				return yield(audit.Object{Account: e.Account, Subject: e.ID, Digest: e.Digest()})
			})
		},
		func() error {
			return tx.scanDocuments(ctx, func(d registry.Document) error {
				return yield(audit.Object{Subject: d.Digest, Digest: sha256.Sum256(d.Body)})
			})
		},
		func() error {
			return every(ctx, tx, "account", readAccount, `SELECT `+accountColumns+` FROM account ORDER BY id`, func(a account.Account) error {
				return yield(audit.Object{Account: a.ID, Subject: string(a.ID), Digest: a.Digest(), BadMAC: !good(a)})
			})
		},
		func() error {
			return every(ctx, tx, "device", readDevice, `SELECT `+deviceColumns+` FROM device ORDER BY id`, func(d account.Device) error {
				return yield(audit.Object{Account: d.Account, Subject: string(d.ID), Digest: d.Digest(), BadMAC: !good(d)})
			})
		},
		func() error {
			return every(ctx, tx, "passkey", tx.readCredential, selectCredentials+` ORDER BY ref`, func(c account.Credential) error {
				clear(tx.devices) // of all passkeys they would be many
				return yield(audit.Object{Account: c.Account, Subject: string(c.Ref), Digest: c.Digest(), BadMAC: !good(c)})
			})
		},
		func() error {
			return every(ctx, tx, "operator", readOperator, `SELECT `+operatorColumns+` FROM operator ORDER BY id`, func(o operator.Operator) error {
				return yield(audit.Object{Subject: string(o.ID), Digest: o.Digest(), BadMAC: !good(o)})
			})
		},
	)
}
