package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// attempts is how often a call begins again because another replica worked on
// the account meanwhile.
const attempts = 3

// Handle executes a call and returns the reply. It is nil only when there is no
// reply: the context ended.
func (v *Vault) Handle(ctx context.Context, c *wire.Call) *wire.Reply {
	if c.Op.Seed() != (v.config.Profile == ProfileSeed) {
		return refuse(wire.CodeUnreadable)
	}
	keys := v.ring.Load()
	epoch := keys.forCall(c.Epoch)
	if epoch == nil {
		return refuse(wire.CodeEpoch)
	}
	envelope := wire.Envelope{Suite: v.config.Suite, Vault: v.config.Vault, Epoch: c.Epoch, Config: v.hash, Op: c.Op, Acct: c.Acct}
	body, answer, err := envelope.OpenRequest(epoch.hpke, c.Request) // step 1
	if err != nil {
		return refuse(wire.CodeUnreadable)
	}
	defer clear(body)
	unlock := v.accounts.lock(c.Acct) // spans steps 2 to 7
	defer unlock()
	w := &work{Vault: v, ring: keys, call: c, answer: answer}
	for range attempts {
		var reply *wire.Reply
		if c.Op.Seed() {
			reply, err = w.seed(ctx, body)
		} else {
			reply, err = w.kr1(ctx, body)
		}
		if !errors.Is(err, ErrStale) {
			return conclude(ctx, reply, err)
		}
	}
	return refuse(wire.CodeBusy)
}

// work is one call on its way through the steps.
type work struct {
	*Vault
	ring   *ring
	call   *wire.Call
	answer *wire.AnswerKey
	key    wire.RecordKey // of sealed, if that is not nil
	sealed *epochKeys
}

// kr1 is the whole of a vault. The error is ErrStale when another replica worked
// on the account between steps 2 and 6: then all of it begins again.
func (w *work) kr1(ctx context.Context, body []byte) (*wire.Reply, error) {
	// 1: what the phone asks, the service's word on it, and the record.
	in := readDemand(&w.config, w.call.Op, w.call.Acct, body)
	defer in.wipe()
	if w.call.Voucher != nil {
		voucher, err := readVoucher(&w.config, w.call.Acct, w.call.Voucher)
		if err != nil {
			return refuse(wire.CodeVoucher), nil
		}
		in.voucher = voucher
	}
	s, err := w.openRecord()
	if err != nil {
		return refuse(wire.CodeBadRecord), nil
	}
	var now *time.Time
	if in.needsClock() || w.ceremony != nil {
		now = w.clock(ctx)
	}
	if in.voucher != nil && now == nil { // nobody can tell whether it has expired
		return refuse(wire.CodeBusy), nil
	}

	// 2: the count, from those whom storage cannot roll back.
	m, err := w.fresh.Load(ctx, w.call.Acct)
	if err != nil {
		return nil, err
	}

	// 3: what the record is worth beside it.
	r, stands := settle(&w.config, s, m, in, w.ring.keys.era(), now)
	if stands == standsStale || stands == standsFuture {
		if based := w.ceremony.rebase(s, m, w.call.Acct, w.ring.keys.era(), now); based != nil {
			r, m, stands = based, markOf(based), standsFresh
		}
	}
	switch stands {
	case standsNone:
		return w.reply(&wire.Answer{Verdict: wire.VerdictNoBackup, Limit: w.config.Limit}, nil, nil)
	case standsStale:
		return stale(m), nil
	case standsFuture:
		return refuse(wire.CodeFuture), nil
	}
	defer wipe(r)

	// 4 and 5: the rule, which changes the record and gives a verdict.
	u := &rules{config: &w.config, redo: stands == standsRedo, now: now, share: w.share}
	verdict, code := u.judge(r, m, in)
	switch {
	case code == wire.CodeStale, stands == standsWithout && verdict != wire.VerdictOK && m.State == StateActive:
		return stale(m), nil
	case code != wire.CodeDone:
		return refuse(code), nil
	case !m.Known() && verdict != wire.VerdictOK: // a first registration that was refused: nothing is written
		return w.reply(&wire.Answer{Verdict: verdict, Limit: w.config.Limit}, nil, nil)
	case uint64(r.Gen) >= beginning(w.ring.keys.era()+1): // it would be above what the next ceremony takes or begins
		return refuse(wire.CodeBusy), nil
	}
	if w.fault("crash/02") {
		return nil, errDied
	}

	// 6: the mark, before anything leaves. A call that was given up, maybe while this
	// process stood still, is not charged for.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.Ver = m.Ver + 1
	if err := w.fresh.Advance(ctx, w.call.Acct, markOf(r)); err != nil {
		return nil, err
	}
	if w.fault("crash/04") {
		return nil, errDied
	}

	// 7: only now what the phone came for.
	a := &wire.Answer{Verdict: verdict, Gen: r.Gen, Ver: r.Ver, Used: shown(r), Limit: r.Limit, State: r.State}
	if err := u.give(a, r, in); err != nil {
		return nil, err
	}
	return w.reply(a, r, named(in, verdict, r))
}

// judge is steps 4 and 5, and what a redo must come to.
func (u *rules) judge(r *wire.Record, m Mark, in *demand) (wire.Verdict, refusal) {
	ended := map[wire.State]wire.Verdict{wire.StateLocked: wire.VerdictLocked, wire.StateDeleted: wire.VerdictDeleted}
	verdict, over := ended[wire.State(m.State)]
	switch {
	case over && u.redo:
		wipe(r)
		setMark(r, m)
		return verdict, wire.CodeDone
	case over && in.op != wire.OpCreate && in.op != wire.OpStatus:
		wipe(r)
		return verdict, wire.CodeDone
	case over:
		wipe(r) // the mark's state covers what the record still had
	}
	if u.redo && in.needsClock() && in.voucher == nil && u.now == nil { // whether a reset counts must be noted
		return 0, wire.CodeBusy
	}
	verdict, code := u.run(r, in)
	if !u.redo || code != wire.CodeDone {
		return verdict, code
	}
	if verdict != wire.VerdictOK || r.Gen != m.Gen {
		return 0, wire.CodeStale
	}
	setMark(r, m) // the count stands as it was: all of it has happened already
	return verdict, wire.CodeDone
}

// openRecord opens what storage brought; nil: it brought nothing.
func (w *work) openRecord() (*wire.Record, error) {
	if w.call.Record == nil {
		return nil, nil
	}
	key, err := w.recordKey()
	if err != nil {
		return nil, err
	}
	return key.Open(w.call.Record)
}

// recordKey is the key under which storage's record says it was sealed.
func (w *work) recordKey() (wire.RecordKey, error) {
	number, err := wire.RecordEpoch(w.call.Record)
	if err != nil {
		return wire.RecordKey{}, err
	}
	epoch := w.ring.of(number)
	if epoch == nil {
		return wire.RecordKey{}, fmt.Errorf("%w: the keys of epoch %d are destroyed, or not made yet", wire.ErrUnreadable, number)
	}
	return w.keyOf(epoch), nil
}

// keyOf derives the account's record key, once for opening and sealing.
func (w *work) keyOf(epoch *epochKeys) wire.RecordKey {
	if w.sealed != epoch {
		w.key, w.sealed = wire.DeriveRecordKey(epoch.master, w.config.Vault, epoch.number, w.call.Acct), epoch
	}
	return w.key
}

// share is the same in all epochs, whatever the request was sealed to.
func (w *work) share(reg wire.RegID, charges uint32, b, e wire.Element) wire.Key {
	return w.ring.shares.Seed(w.call.Acct, reg, charges, b, e)
}

// reply seals answer and record. Without a record nothing was written.
func (w *work) reply(a *wire.Answer, r *wire.Record, names *wire.SlotView) (*wire.Reply, error) {
	sealed, err := w.answer.SealAnswer(a)
	if err != nil || r == nil {
		return &wire.Reply{Result: wire.CodeDone, Answer: sealed}, err
	}
	record, err := w.keyOf(w.ring.newest()).Seal(r)
	if err != nil {
		return nil, err
	}
	receipt, err := w.receipts.next(w.Vault, &wire.Receipt{
		Acct: w.call.Acct, Op: w.call.Op, Gen: r.Gen, Ver: r.Ver, Used: shown(r), State: r.State, Digest: wire.Sum(record), Named: names,
	})
	if err != nil {
		return nil, err
	}
	return &wire.Reply{Result: wire.CodeDone, Answer: sealed, Record: record, Gen: &r.Gen, Ver: &r.Ver, Receipt: receipt}, nil
}

// errDied is a fault point of the tests.
var errDied = errors.New("vault: died")

// conclude is the reply to what no verdict tells.
func conclude(ctx context.Context, reply *wire.Reply, err error) *wire.Reply {
	switch {
	case err == nil:
		return reply
	case errors.Is(err, errDied), ctx.Err() != nil:
		return nil
	case errors.Is(err, ErrAmnesia):
		return refuse(wire.CodeAmnesia)
	case errors.Is(err, ErrFuture):
		return refuse(wire.CodeFuture)
	}
	return refuse(wire.CodeBusy) // too few witnesses answered: the same call is free
}

func refuse(code wire.Code) *wire.Reply { return &wire.Reply{Result: code} }

// stale tells the service what the mark knows, so that it can look for the record.
func stale(m Mark) *wire.Reply {
	return &wire.Reply{Result: wire.CodeStale, Gen: &m.Gen, Ver: &m.Ver}
}
