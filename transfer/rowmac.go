package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// Rows have a MAC as those of accounts do, see account.SealRow. Everything is in it
// but place and network once the owner has confirmed: until then they are reasons for
// a hold, and later they are forgotten before the row is, and decide nothing. Without it, whoever can write to the store could hand accounts over: by a state, by
// a hold that is over, by a device that nobody has checked.
//
// Tokens and segments have none. A token guards ciphertext and waiting, which who
// can write to the store has anyway: every decision needs a device's proof besides.
// Segments are in the root that both phones sign.

// Seal gives the MAC of the row.
func (t Transfer) Seal(key []byte) []byte {
	lists, err := json.Marshal([]any{t.HoldReasons, t.Stamps})
	if err != nil {
		return nil // texts and numbers always encode
	}
	u := func(n uint64) string { return strconv.FormatUint(n, 10) }
	at := account.MACTime
	place, network := "", ""
	if t.State == Offered || t.State == Claimed {
		place, network = t.Place, t.Network
	}
	return account.SealRow(key, "transfer", string(t.ID), u(t.Version), string(t.State), string(t.Reason),
		string(t.Account), string(t.SenderDevice), t.SenderKey, t.ReceiverKey, string(t.NewDevice), string(t.Class), string(lists),
		at(t.CreatedAt), at(t.ConfirmedAt), at(t.Opens), at(t.Moved), at(t.Deadline), at(t.CommittedAt), at(t.AckedAt), at(t.RecallUntil), at(t.FrozenSince), at(t.EndedAt),
		u(uint64(t.Revision)), u(t.BytesExpected), u(t.BytesStored), u(t.RecordAcked), string(t.HoldShare), string(t.CommitShare), string(t.SealedKeys), string(t.Passkey), t.Verdict, place, network,
		string(t.Offer), string(t.Hello), string(t.Answer), string(t.Matched), string(t.Confirm), string(t.Grant), string(t.Receipt), string(t.Ack), string(t.Recall), string(t.Final))
}

// Sound reports whether the MAC is that of the row, in constant time.
func (t Transfer) Sound(key []byte) bool { return account.SoundRow(key, t.MAC, t.Seal(key)) }

// judge is for a row that was read to act on it.
func (s *Service) judge(t *Transfer) error {
	if t.Sound(s.rowKey) {
		return nil
	}
	s.log.Error("transfer: a row does not carry the app's mark: it was changed past the program; stop the server and run staunch check",
		"app", s.app, "transfer", t.ID, "account", t.Account)
	return &Tampered{ID: t.ID, Account: t.Account}
}

// row is a row in a transaction: as the store has it, and as it is to be.
type row struct {
	Transfer
	was Transfer // as it was read
}

// load reads a row to act on it, and lets its clock run. One that is not there is
// ErrNotFound.
func (s *Service) load(ctx context.Context, tx Tx, id ID, now time.Time) (*row, error) {
	t, found, err := tx.Transfer(ctx, id)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrNotFound
	}
	return s.settled(t, now)
}

// settled is load for a row that was read already.
func (s *Service) settled(t Transfer, now time.Time) (*row, error) {
	if err := s.judge(&t); err != nil {
		return nil, err
	}
	r := &row{Transfer: t, was: t}
	r.settle(&s.terms.Policy, now)
	return r, nil
}

// save stores a row, with an entry and an event for each thing that it has become.
// by is who did it; what time did is the system's.
func (s *Service) save(ctx context.Context, tx Tx, r *row, by audit.Actor, now time.Time) error {
	r.MAC = r.Seal(s.rowKey)
	done, err := tx.PutTransfer(ctx, r.Transfer, r.was.Version)
	if err != nil {
		return err
	}
	if !done {
		return fmt.Errorf("%w: transfer %s changed meanwhile", ErrConflict, r.ID)
	}
	if r.was.carries() && !r.carries() { // N has it all, or will never want it; a sweep deletes the blobs
		if err := tx.DropSegments(ctx, r.ID); err != nil {
			return err
		}
	}
	return s.tell(ctx, tx, r, by, now)
}
