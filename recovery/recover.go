package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// Recovered is what a right PIN brings back.
type Recovered struct {
	Outcome
	Payload Payload
	// Backup is the journal of the registration that was recovered. A phone that
	// has none keeps it, and Renews with it as soon as it is an active device.
	Backup *Backup
	// PIN is the one that was right, which Renew takes whatever the rules are now.
	PIN PIN
}

// Recover gets the payload back with a PIN, on a phone that has a ticket.
//
//   - *GuessError: the PIN is wrong, and so many attempts remain; none remaining
//     is ErrLocked too.
//   - *UnavailableError: too few vaults answered. Nothing is lost: with the same
//     PIN and the same Attempt it costs no other attempt.
//   - ErrShares: the PIN is right and the data is not.
//
// a is saved before the first request leaves, and ended by a verdict.
func (c *Client) Recover(ctx context.Context, id account.ID, ticket TicketSecret, pin PIN, a *Attempt) (*Recovered, error) {
	if a == nil {
		a = new(Attempt)
	}
	session, err := c.transport.OpenSession(ctx, id, ticket)
	if err != nil {
		return nil, fmt.Errorf("recovery: open a session: %w", err)
	}
	if session.Account != id { // it would be that of the backup
		return nil, fmt.Errorf("recovery: the service has opened a session of account %s, and %s was asked for: nothing was sent; tell the operator", session.Account, id)
	}
	v, err := c.trust(ctx, a.known)
	if err != nil {
		return nil, err
	}
	a.known = v.known
	r := &round{c: c, vaults: v, accts: session.Accts, session: session.Secret}
	if v.set.Profile == ProfileSeed {
		return c.recoverSeed(ctx, r, session, pin, a)
	}
	t, p, err := c.try(ctx, r, session, pin, a)
	if err != nil {
		return nil, err
	}
	err = c.transport.FinishSession(ctx, session.Secret)
	if errors.Is(err, ErrUnfinished) {
		// The records of the releases that prove it were lost with a server: the same
		// attempt, repeated, proves nothing any more. Another one, right as well, does,
		// and leaves all attempts as they are.
		a.end()
		if t, p, err = c.try(ctx, r, session, pin, a); err != nil {
			return nil, err
		}
		err = c.transport.FinishSession(ctx, session.Secret)
	}
	if err != nil {
		return nil, fmt.Errorf("recovery: finish the session: %w", err) // again: free
	}
	out := &Recovered{Outcome: t.outcome(), Payload: opened(p), Backup: t.backup(p), PIN: pin.right()}
	c.remember(out.Backup, t.header.Reg, pin)
	a.end()
	if err := c.saveAttempt(a); err != nil {
		return nil, fmt.Errorf("recovery: save the attempt: %w", err)
	}
	return out, nil
}

// try makes one attempt, or goes on with it. A verdict ends it.
func (c *Client) try(ctx context.Context, r *round, session *SessionView, pin PIN, a *Attempt) (*try, *wire.Payload, error) {
	t, err := c.newTry(session, r.vaults, pin, a)
	if err != nil {
		return nil, nil, err
	}
	if err := c.saveAttempt(a); err != nil { // before the first request leaves
		return nil, nil, fmt.Errorf("recovery: save the attempt: %w", err)
	}
	p, err := t.run(ctx, r)
	if ge := new(GuessError); errors.As(err, &ge) || err != nil && t.spent {
		a.end() // a verdict; or no vault will give one on this attempt
		if err := c.saveAttempt(a); err != nil {
			return nil, nil, fmt.Errorf("recovery: save the attempt: %w", err)
		}
	}
	return t, p, err
}

// try is one attempt, from the header to the payload.
type try struct {
	account account.ID
	attempt *Attempt
	accts   map[string][16]byte
	vaults  *vaults
	header  wire.Header
	blobs   [][]byte // candidates, of this registration
	blinded *toprf.Blinded
	x       wire.Secret

	evaluated map[string]*wire.Answer // verdict ok, and no liar
	released  map[string]*wire.Answer // verdict ok
	refused   map[string]bool         // wrong PIN, or locked
	last      map[string]*wire.Answer // the newest of each, for the number that remains
	errs      map[string]error
	spent     bool // a vault wants a second answer of this attempt, and gets none
	liars     []string
	rwd       wire.Secret
	key       wire.DataKey
	hash      wire.Hash
}

// newTry reads the header and blinds the PIN.
func (c *Client) newTry(session *SessionView, v *vaults, pin PIN, a *Attempt) (*try, error) {
	t := &try{
		account: session.Account, attempt: a, accts: session.Accts, vaults: v, evaluated: map[string]*wire.Answer{},
		released: map[string]*wire.Answer{},
		refused:  map[string]bool{}, last: map[string]*wire.Answer{}, errs: map[string]error{},
	}
	for _, b := range session.Blobs {
		blob, err := wire.Decode[wire.Blob](b.Blob)
		if b.Reg != session.Reg || err != nil {
			continue
		}
		h, err := wire.Decode[wire.Header](blob.Header)
		if err != nil || h.Reg != session.Reg || h.Suite != v.set.Suite {
			continue
		}
		// The header is not authentic before the box is open. One that asks for fewer
		// vaults than the set would have the phone make a key of their shares alone,
		// for which a thief of these could try PINs.
		if h.T < v.set.T {
			continue
		}
		if len(t.blobs) == 0 {
			t.header = h
		}
		t.blobs = append(t.blobs, b.Blob)
	}
	if len(t.blobs) == 0 {
		return nil, fmt.Errorf("%w: the service has no blob of the registration it names, for %d vaults at least, that can be read", ErrNotFound, v.set.T)
	}
	a.begin(session.Reg)
	t.x = c.stretch(pin, t.header.Reg, t.header.Argon2)
	var err error
	if t.blinded, err = t.suite().Blind(t.x, a.seed, t.header.Reg); err != nil {
		return nil, fmt.Errorf("recovery: blind the PIN: %w", err)
	}
	a.about(wire.AttemptName(t.header.Reg, t.blinded.Element.Bytes()))
	return t, nil
}

func (t *try) suite() toprf.Suite { return toprf.Suite(t.header.Suite) }

func (t *try) threshold() int { return int(t.header.T) }

// index is the point of a vault's share.
func (t *try) index(id string) int {
	return 1 + slices.IndexFunc(t.header.Vaults, func(s wire.Share) bool { return s.Vault == id })
}

// run takes the three locks one after the other: the OPRF, the releases, the box.
func (t *try) run(ctx context.Context, r *round) (*wire.Payload, error) {
	if err := t.evaluate(ctx, r); err != nil {
		return nil, err
	}
	if err := t.release(ctx, r); err != nil {
		return nil, err
	}
	return t.openBox()
}

// outcome is what is known of the try so far.
func (t *try) outcome() Outcome {
	o := Outcome{
		Account: t.account, Reg: t.header.Reg, Vaults: int(t.header.N), Threshold: t.threshold(),
		Answered: len(t.last), Liars: t.liars, Assurance: t.vaults.assurance(), Operators: t.vaults.operators,
		Limit: int(t.vaults.set.Limit),
	}
	var answers []*wire.Answer
	for _, a := range t.last {
		answers = append(answers, a)
		if a.Limit > 0 {
			o.Limit = int(a.Limit)
		}
	}
	o.Remaining, _ = remaining(answers, t.threshold())
	return o
}

func (t *try) unavailable(answered int) error {
	o := t.outcome()
	o.Answered = answered
	return tooFew(o, t.threshold(), t.errs)
}

// backup is the journal of what was recovered.
func (t *try) backup(p *wire.Payload) *Backup {
	o := t.outcome()
	reg := &registration{
		header: t.header, key: t.key, manage: p.ManageSeed, blobHash: t.hash, seq: p.Seq, recovered: true,
	}
	accts := map[string][16]byte{}
	for id := range t.released { // under this name it had the share
		reg.hold(id)
		accts[id] = t.accts[id]
	}
	return &Backup{
		account: t.account, profile: t.vaults.set.Profile, known: t.vaults.known, accts: accts, current: reg, listed: t.vaults.ids(),
		limit: uint8(o.Limit), remaining: uint8(o.Remaining), assurance: o.Assurance, operators: uint8(min(o.Operators, 255)),
	}
}
