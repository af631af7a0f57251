package recovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
)

// job is one sealed request on its way to a vault.
type job struct {
	pool    *pool
	acct    [16]byte
	account account.ID
	op      wire.Op
	epoch   uint32
	request []byte
	session [32]byte         // hash of the recovery's session; zero: none
	by      account.DeviceID // the cause, who is not told of an attempt
	caller  string           // whose calls are counted together: a device, or the hash of a ticket
	managed bool             // an intent is kept for it
}

// executed is what a vault has done.
type executed struct {
	reply   *wire.Reply
	receipt *wire.Receipt // nil: nothing was written
}

// route brings a job to its vault: reads the record, asks the replicas one after
// the other, and under policy merge applies what the retry stream holds and tries
// once more.
func (s *Service) route(ctx context.Context, j *job) (*executed, error) {
	out, err := s.ask(ctx, j)
	if !errors.Is(err, ErrStale) || s.policy != PolicyMerge {
		return out, s.alarmed(ctx, j, err)
	}
	if err := s.retry.Nudge(ctx, s.app, j.pool.id, j.acct); err != nil {
		s.log.Warn("recovery: what the retry stream holds for a stale record cannot be applied", "app", s.app, "vault", j.pool.id, "error", err)
	}
	out, err = s.ask(ctx, j)
	return out, s.alarmed(ctx, j, err)
}

// ask reads the record and asks the replicas, the sticky one first, until one has
// executed the job: at most s.tries of them. One that finds the record stale, is
// busy or does not answer leaves the job to the next (R10).
func (s *Service) ask(ctx context.Context, j *job) (*executed, error) {
	var row RecordRow
	var found bool
	err := s.view(ctx, func(tx Tx) (err error) { // R3: fetch, then execute; without the record no enclave is asked
		row, found, err = tx.Recovery(ctx, j.pool.id, j.acct)
		return err
	})
	if err != nil {
		return nil, err
	}
	order := j.pool.order(j.acct)
	var last error
	for _, r := range order[:min(len(order), s.tries)] {
		out, err := s.askOne(ctx, j, r, row, found)
		switch {
		case err == nil:
			return out, nil
		case errors.Is(err, ErrStale):
			last = err // said of all that were asked, it is what the client hears
		case errors.Is(err, errNext):
			s.log.Warn("recovery: a vault's replica has not executed a call; the next one is asked if there is one", "app", s.app, "replica", r.Name, "op", j.op.String(), "error", inShort(err))
			if last == nil {
				last = fmt.Errorf("%w: %s", errAway, j.pool.id)
			}
		default:
			return nil, err
		}
	}
	return nil, last
}

// errAway is a vault of which no replica has executed a job.
var errAway = fmt.Errorf("%w", ErrVaultUnavailable)

// errNext is a replica that has not executed a job that another one may.
var errNext = errors.New("recovery: no answer that counts")

// askOne asks one replica, with each voucher that may be wanted.
func (s *Service) askOne(ctx context.Context, j *job, r *replica, row RecordRow, found bool) (*executed, error) {
	for _, p := range purposes(j.op, row, found) {
		reply, err := s.call(ctx, j, r, row.Sealed, p)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNext, err)
		}
		if reply.Result == wire.CodeVoucher {
			continue
		}
		return s.judgeReply(ctx, j, r, reply)
	}
	return nil, fmt.Errorf("%w: vault %s takes no voucher of this service: its configuration names another voucher_key", errRefused, j.pool.id)
}

// call hands a job to one replica, which has s.timeout to answer.
func (s *Service) call(ctx context.Context, j *job, r *replica, record []byte, p wire.Purpose) (*wire.Reply, error) {
	c := &wire.Call{Op: j.op, Acct: j.acct, Epoch: j.epoch, Request: j.request, Record: record}
	if p != 0 {
		voucher, err := s.voucher(j, p)
		if err != nil {
			return nil, err
		}
		c.Voucher = voucher
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return r.Link.Call(ctx, c)
}

// voucherLife is how long a voucher is good: it goes along with the call at once.
const voucherLife = 5 * time.Minute

// voucher is the service's word that a registration may be made without a
// signature, or deleted. A device has asked for it that may.
func (s *Service) voucher(j *job, p wire.Purpose) (*wire.Signed, error) {
	v := &wire.Voucher{Vault: j.pool.id, Acct: j.acct, Purpose: p, Expires: uint64(s.now().Add(voucherLife).Unix())} //nolint:gosec // after 1970
	k := wire.NewKey()
	copy(v.ID[:], k[:])
	return wire.Sign(s.vouchers, v)
}

// purposes gives the vouchers for an op, the likeliest first; 0 is none. The row
// may be older than what the vault knows, so that a vault that refuses one is
// shown the other.
func purposes(op wire.Op, row RecordRow, found bool) []wire.Purpose {
	switch {
	case op == wire.OpDelete:
		return []wire.Purpose{wire.PurposeDelete}
	case op != wire.OpCreate:
		return []wire.Purpose{0}
	case !found:
		return []wire.Purpose{wire.PurposeFirst, wire.PurposeAgain} // of a tombstone only the mark may be left
	case wire.State(row.State) != wire.StateActive:
		return []wire.Purpose{wire.PurposeAgain}
	}
	return []wire.Purpose{0, wire.PurposeAgain}
}

// errRefused is a job that the vault refused for good: no repetition helps, and
// no intent is kept for it.
var errRefused = fmt.Errorf("%w for good", ErrVaultUnavailable)

// judgeReply says what a reply code means, and of an executed call whether the
// receipt is what it must be.
func (s *Service) judgeReply(ctx context.Context, j *job, r *replica, reply *wire.Reply) (*executed, error) {
	switch reply.Result {
	case wire.CodeDone:
		return s.witnessed(ctx, j, r, reply)
	case wire.CodeStale:
		return nil, ErrStale
	case wire.CodeBusy:
		return nil, fmt.Errorf("%w: it is busy", errNext)
	case wire.CodeEpoch:
		return nil, ErrEpoch
	case wire.CodeAmnesia:
		return nil, ErrAmnesia
	case wire.CodeFuture:
		return nil, ErrFuture
	case wire.CodeUnreadable:
		return nil, fmt.Errorf("%w: vault %s cannot open the request: it is sealed to another key, or of another account", ErrMalformed, j.pool.id)
	case wire.CodeBadRecord:
		return nil, errBadRecord
	}
	return nil, fmt.Errorf("%w: reply code %d", errNext, reply.Result)
}

// errBadRecord is a record that its vault cannot open.
var errBadRecord = fmt.Errorf("%w: it cannot open the record of this account: an operator must act", ErrVaultUnavailable)

// witnessed checks the receipt of an executed call: this vault, this account, this
// op, this record, and signed by the replica's boot key. A reply that has neither
// record nor receipt has written nothing.
func (s *Service) witnessed(ctx context.Context, j *job, r *replica, reply *wire.Reply) (*executed, error) {
	if reply.Record == nil && reply.Receipt == nil {
		return &executed{reply: reply}, nil
	}
	if reply.Record == nil || reply.Receipt == nil || reply.Gen == nil || reply.Ver == nil {
		return nil, fmt.Errorf("%w: a record without its receipt", errNext)
	}
	receipt, err := wire.Decode[wire.Receipt](reply.Receipt.TBS)
	if err != nil {
		return nil, fmt.Errorf("%w: the receipt: %w", errNext, err)
	}
	size := wire.RecordSize
	if s.seed() {
		size = wire.SeedRecordSize
	}
	switch {
	case receipt.Vault != j.pool.id, receipt.Acct != j.acct, receipt.Op != j.op, receipt.Gen != *reply.Gen, receipt.Ver != *reply.Ver:
		return nil, fmt.Errorf("%w: the receipt is of another call", errNext)
	case len(reply.Record) != size, receipt.Digest != wire.Sum(reply.Record):
		return nil, fmt.Errorf("%w: the receipt is of another record", errNext)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	key, err := r.bootKey(ctx, j.pool.id, receipt.Boot, s.now())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNext, err)
	}
	if err := reply.Receipt.Verify(key); err != nil {
		return nil, fmt.Errorf("%w: the receipt: %w", errNext, err)
	}
	return &executed{reply: reply, receipt: &receipt}, nil
}
