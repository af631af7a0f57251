package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/store/sqlite/engine"
	"github.com/staunchid/staunch/transfer"
)

const transferColumns = `id, created_at, offer, version, revision, bytes_expected, bytes_stored, record_acked, confirmed_at, opens, moved, deadline,
	committed_at, acked_at, recall_until, frozen_since, ended_at, state, reason, account, sender_device, sender_key, receiver_key, new_device, class,
	hold_reasons, stamps, mac, place, network, verdict, hold_share, commit_share, sealed, passkey, hello, answer, matched, confirm, "grant", receipt, ack, recall, final`

func readTransfer(s scan) (transfer.Transfer, error) {
	var t transfer.Transfer
	var reasons, stamps []byte
	var created, confirmed, opens, moved, deadline, committed, acked, until, frozen, ended sql.NullInt64
	err := s(&t.ID, &created, &t.Offer, &t.Version, &t.Revision, &t.BytesExpected, &t.BytesStored, &t.RecordAcked, &confirmed, &opens, &moved, &deadline,
		&committed, &acked, &until, &frozen, &ended, &t.State, &t.Reason, &t.Account, &t.SenderDevice, &t.SenderKey, &t.ReceiverKey, &t.NewDevice, &t.Class,
		&reasons, &stamps, &t.MAC, &t.Place, &t.Network, &t.Verdict, &t.HoldShare, &t.CommitShare, &t.SealedKeys, &t.Passkey,
		&t.Hello, &t.Answer, &t.Matched, &t.Confirm, &t.Grant, &t.Receipt, &t.Ack, &t.Recall, &t.Final)
	if err != nil {
		return t, err
	}
	t.CreatedAt, t.ConfirmedAt, t.Opens, t.Moved, t.Deadline = fromMicros(created), fromMicros(confirmed), fromMicros(opens), fromMicros(moved), fromMicros(deadline)
	t.CommittedAt, t.AckedAt, t.RecallUntil, t.FrozenSince, t.EndedAt = fromMicros(committed), fromMicros(acked), fromMicros(until), fromMicros(frozen), fromMicros(ended)
	if err := errors.Join(json.Unmarshal(reasons, &t.HoldReasons), json.Unmarshal(stamps, &t.Stamps)); err != nil {
		return t, err
	}
	if len(t.HoldReasons) == 0 {
		t.HoldReasons = nil
	}
	if len(t.Stamps) == 0 {
		t.Stamps = nil
	}
	return t, nil
}

// mayChange are the columns from version on, all that may change.
func mayChange(t transfer.Transfer) []any {
	stamps, err := json.Marshal(t.Stamps)
	if err != nil {
		panic(err) // names and numbers always encode
	}
	return []any{
		int64(t.Version), int64(t.Revision), int64(t.BytesExpected), int64(t.BytesStored), int64(t.RecordAcked), micros(t.ConfirmedAt), micros(t.Opens),
		micros(t.Moved), micros(t.Deadline), micros(t.CommittedAt), micros(t.AckedAt), micros(t.RecallUntil), micros(t.FrozenSince), micros(t.EndedAt),
		string(t.State), string(t.Reason), string(t.Account), string(t.SenderDevice), t.SenderKey, t.ReceiverKey, string(t.NewDevice), string(t.Class),
		array(t.HoldReasons), string(stamps), blob(t.MAC), t.Place, t.Network, t.Verdict, blob(t.HoldShare), blob(t.CommitShare), blob(t.SealedKeys), blob(t.Passkey),
		blob(t.Hello), blob(t.Answer), blob(t.Matched), blob(t.Confirm), blob(t.Grant), blob(t.Receipt), blob(t.Ack), blob(t.Recall), blob(t.Final),
	}
}

// Transfer gives a transfer by its ID.
func (tx *Tx) Transfer(ctx context.Context, id transfer.ID) (t transfer.Transfer, found bool, err error) {
	return one(ctx, tx, "transfer", readTransfer, `SELECT `+transferColumns+` FROM transfer WHERE id = ?`, string(id))
}

// AddTransfer stores a new one.
func (tx *Tx) AddTransfer(ctx context.Context, t transfer.Transfer) error {
	if err := tx.countable(t); err != nil {
		return err
	}
	args := append([]any{string(t.ID), micros(t.CreatedAt), blob(t.Offer)}, mayChange(t)...)
	_, err := tx.exec(ctx, "transfer", `INSERT INTO transfer (`+transferColumns+`) VALUES (?`+strings.Repeat(`, ?`, len(args)-1)+`)`, args...)
	return tx.other(err)
}

// Transfers gives up to limit of all, after an ID, by ID.
func (tx *Tx) Transfers(ctx context.Context, after transfer.ID, limit int) ([]transfer.Transfer, error) {
	return some(ctx, tx, "transfer", readTransfer, `SELECT `+transferColumns+` FROM transfer WHERE id > ? ORDER BY id LIMIT ?`, string(after), limit)
}

// PutTransfer stores all but ID, offer and when it began, if the version still is
// was, and reports whether it was.
func (tx *Tx) PutTransfer(ctx context.Context, t transfer.Transfer, was uint64) (bool, error) {
	if err := tx.countable(t); err != nil {
		return false, err
	}
	_, columns, _ := strings.Cut(transferColumns, "offer, ")
	args := mayChange(t)
	n, err := tx.exec(ctx, "transfer", `UPDATE transfer SET (`+columns+`) = (?`+strings.Repeat(`, ?`, len(args)-1)+`) WHERE id = ? AND version = ?`,
		append(args, string(t.ID), int64(was))...)
	return n == 1, tx.other(err)
}

// countable refuses what SQLite would keep as a negative number.
func (tx *Tx) countable(t transfer.Transfer) error {
	if max(t.Version, t.BytesExpected, t.BytesStored, t.RecordAcked) > math.MaxInt64 {
		return tx.fail("transfer", fmt.Errorf("%w: %s counts beyond 2^63", transfer.ErrMalformed, t.ID))
	}
	return nil
}

// other says which transfer stands in the way of another, if one does.
func (tx *Tx) other(err error) error {
	var e *engine.Error
	if !errors.As(err, &e) || e.Code != sqlite3.SQLITE_CONSTRAINT_UNIQUE && e.Code != sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
		return err
	}
	taken := transfer.ErrConflict
	if strings.Contains(e.Error(), "transfer.account") { // it names the columns of the index
		taken = transfer.ErrLive
	}
	tx.failed = fmt.Errorf("%w: %w", taken, err)
	return tx.failed
}

// TransfersOf gives those of an account that have not ended, by time.
func (tx *Tx) TransfersOf(ctx context.Context, id account.ID) ([]transfer.Transfer, error) {
	return some(ctx, tx, "transfer", readTransfer, `SELECT `+transferColumns+` FROM transfer INDEXED BY transfer_account
		WHERE account = ? AND account <> '' AND ended_at IS NULL ORDER BY created_at, id`, string(id))
}

// TransfersOfDevice gives those that were sent by a device or have brought it, by time.
func (tx *Tx) TransfersOfDevice(ctx context.Context, id account.DeviceID) ([]transfer.Transfer, error) {
	return some(ctx, tx, "transfer", readTransfer, `SELECT `+transferColumns+` FROM transfer WHERE id IN (
			SELECT id FROM transfer INDEXED BY transfer_sender WHERE sender_device = ?1 AND sender_device <> ''
			UNION SELECT id FROM transfer INDEXED BY transfer_brought WHERE new_device = ?1 AND new_device <> '')
		ORDER BY created_at, id`, string(id))
}

// TransfersDue gives up to limit IDs after one, in order: of those that have not
// ended and whose deadline is over at now, or their hold, or their window to recall
// unless its clock stands.
func (tx *Tx) TransfersDue(ctx context.Context, now time.Time, after transfer.ID, limit int) ([]transfer.ID, error) {
	return some(ctx, tx, "transfer", text[transfer.ID], `SELECT id FROM (
			SELECT id FROM transfer INDEXED BY transfer_deadline WHERE ended_at IS NULL AND deadline IS NOT NULL AND deadline <= ?1
			UNION SELECT id FROM transfer INDEXED BY transfer_opens WHERE state = 'held' AND opens <= ?1
			UNION SELECT id FROM transfer INDEXED BY transfer_window WHERE state = 'acked' AND frozen_since IS NULL AND recall_until <= ?1)
		WHERE id > ?2 ORDER BY id LIMIT ?3`, micros(now), string(after), limit)
}

// DeleteTransfers deletes up to limit that ended before t, with their tokens and
// segments.
func (tx *Tx) DeleteTransfers(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.deleteTransfers(ctx, `SELECT id FROM transfer INDEXED BY transfer_ended
		WHERE ended_at IS NOT NULL AND ended_at < ? ORDER BY ended_at LIMIT ?`, t, limit)
}

// DeleteUnclaimed deletes up to limit that ended before t and are of no account.
func (tx *Tx) DeleteUnclaimed(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.deleteTransfers(ctx, `SELECT id FROM transfer INDEXED BY transfer_unclaimed
		WHERE account = '' AND ended_at IS NOT NULL AND ended_at < ? ORDER BY ended_at LIMIT ?`, t, limit)
}

func (tx *Tx) deleteTransfers(ctx context.Context, which string, t time.Time, limit int) (int, error) {
	ids, err := some(ctx, tx, "transfer", text[transfer.ID], which, micros(t), limit)
	for _, id := range ids {
		if err := tx.DropSegments(ctx, id); err != nil {
			return 0, err
		}
		for _, query := range []string{`DELETE FROM transfer_token WHERE transfer = ?`, `DELETE FROM transfer WHERE id = ?`} {
			if _, err := tx.exec(ctx, "transfer", query, string(id)); err != nil {
				return 0, err
			}
		}
	}
	return len(ids), err
}

// ForgetPlaces empties place and network of up to limit that began before t.
func (tx *Tx) ForgetPlaces(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "transfer", `UPDATE transfer SET place = '', network = '' WHERE id IN
		(SELECT id FROM transfer INDEXED BY transfer_placed WHERE (place <> '' OR network <> '') AND created_at < ? ORDER BY created_at LIMIT ?)`, micros(t), limit)
}
