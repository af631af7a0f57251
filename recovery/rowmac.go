package recovery

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/staunchid/staunch/account"
)

// Rows have a MAC as those of accounts do, see account.SealRow: sessions, setups,
// pointers, records and versions over everything in them, intents over what does
// not change with each try. Their kinds are the names of their tables. Without it,
// whoever can write to the store could try PINs without a ticket or prove one that
// he does not know, let a device of his register, have registrations deleted, or
// keep attempts from their owner.
//
// Blobs are sealed by their phone and found by their hash, and receipts are signed.
// Token buckets have none: who can write to the store can empty their table too,
// and what bounds guesses is the vaults' count.

// Seal gives the MAC of the row.
func (v SessionRow) Seal(key []byte) []byte {
	releases, err := json.Marshal(v.Releases)
	if err != nil {
		return nil // strings always encode
	}
	return account.SealRow(key, "recovery_session", string(v.Hash[:]), string(v.Account), v.Key, string(v.Device), string(v.Ticket[:]),
		account.MACTime(v.CreatedAt), account.MACTime(v.Until), string(releases), account.MACTime(v.Finished), account.MACTime(v.EndedAt))
}

// Sound reports whether the MAC is that of the row, in constant time.
func (v SessionRow) Sound(key []byte) bool { return account.SoundRow(key, v.MAC, v.Seal(key)) }

// Seal gives the MAC of the row.
func (v SetupRow) Seal(key []byte) []byte {
	return account.SealRow(key, "recovery_setup", string(v.Account), string(v.Reg[:]), string(v.Device), string(v.Approval), account.MACTime(v.At))
}

// Sound reports whether the MAC is that of the row, in constant time.
func (v SetupRow) Sound(key []byte) bool { return account.SoundRow(key, v.MAC, v.Seal(key)) }

// Seal gives the MAC of the row.
func (p PointerRow) Seal(key []byte) []byte {
	return account.SealRow(key, "recovery_pointer", string(p.Account), string(p.Reg[:]), string(p.Blob[:]), string(p.Header), string(p.Stage),
		strconv.FormatUint(p.SetVersion, 10), p.Profile, account.MACTime(p.At))
}

// Sound reports whether the MAC is that of the row, in constant time.
func (p PointerRow) Sound(key []byte) bool { return account.SoundRow(key, p.MAC, p.Seal(key)) }

// Seal gives the MAC of the row.
func (r RecordRow) Seal(key []byte) []byte {
	return account.SealRow(key, "recovery_record", r.Vault, string(r.Acct[:]), string(r.Account), r.Profile, strconv.FormatUint(uint64(r.Gen), 10),
		strconv.FormatUint(r.Ver, 10), strconv.Itoa(int(r.Used)), strconv.Itoa(int(r.State)), string(r.Sealed), account.MACTime(r.UpdatedAt))
}

// Sound reports whether the MAC is that of the row, in constant time.
func (r RecordRow) Sound(key []byte) bool { return account.SoundRow(key, r.MAC, r.Seal(key)) }

// Seal gives the MAC of the row.
func (h HistoryRow) Seal(key []byte) []byte {
	return account.SealRow(key, "recovery_history", h.Vault, string(h.Acct[:]), strconv.FormatUint(uint64(h.Gen), 10), strconv.FormatUint(h.Ver, 10),
		string(h.Digest[:]), strconv.Itoa(int(h.Used)), string(h.Session[:]), account.MACTime(h.At))
}

// Sound reports whether the MAC is that of the row, in constant time.
func (h HistoryRow) Sound(key []byte) bool { return account.SoundRow(key, h.MAC, h.Seal(key)) }

// Seal gives the MAC of the row, but for NextAt and Tries.
func (i IntentRow) Seal(key []byte) []byte {
	return account.SealRow(key, "recovery_intent", i.Vault, string(i.Acct[:]), string(i.Account), strconv.Itoa(int(i.Op)),
		strconv.FormatUint(uint64(i.Epoch), 10), string(i.Request), account.MACTime(i.At))
}

// Sound reports whether the MAC is that of the row, in constant time.
func (i IntentRow) Sound(key []byte) bool { return account.SoundRow(key, i.MAC, i.Seal(key)) }

// judge is for a row that was read to act on it.
func (s *Service) judge(row interface{ Sound(key []byte) bool }, what string, id account.ID) error {
	if row.Sound(s.rowKey) {
		return nil
	}
	s.log.Error("recovery: a row does not carry the app's mark: it was changed past the program; stop the server and run staunch check",
		"app", s.app, "row", what, "account", id)
	return fmt.Errorf("recovery: the %s of %s does not carry the app's mark", what, id)
}

func (s *Service) sessionOf(ctx context.Context, tx Tx, hash [32]byte) (v SessionRow, found bool, err error) {
	v, found, err = tx.RecoverySession(ctx, hash)
	if err == nil && found {
		err = s.judge(v, "recovery_session", v.Account)
	}
	return v, found, err
}

func (s *Service) putSession(ctx context.Context, tx Tx, v SessionRow) error {
	v.MAC = v.Seal(s.rowKey)
	return tx.PutRecoverySession(ctx, v)
}

func (s *Service) setupOf(ctx context.Context, tx Tx, id account.ID) (v SetupRow, found bool, err error) {
	v, found, err = tx.Setup(ctx, id)
	if err == nil && found {
		err = s.judge(v, "recovery_setup", id)
	}
	return v, found, err
}

func (s *Service) pointerOf(ctx context.Context, tx Tx, id account.ID) (p PointerRow, found bool, err error) {
	p, found, err = tx.Pointer(ctx, id)
	if err == nil && found {
		err = s.judge(p, "recovery_pointer", id)
	}
	return p, found, err
}

func (s *Service) putPointer(ctx context.Context, tx Tx, p PointerRow) error {
	p.MAC = p.Seal(s.rowKey)
	return tx.PutPointer(ctx, p)
}
