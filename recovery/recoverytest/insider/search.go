package insider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
)

// ErrVerdict is what a vault says of a PIN, but that it is right.
var ErrVerdict = errors.New("insider: the vault says no")

// Search is an insider who tries PINs of one owner. He makes requests as a phone
// does, and brings them to the vaults himself.
type Search struct {
	kit   *Kit
	owner *Owner

	tested map[string]bool // PINs with a verdict
	found  string
	// Records are all that vaults have ever made of the owner, by vault: the first is
	// that of the registration.
	Records map[string][][]byte
	locked  map[string]bool // by vault: it has said so
	now     map[string][]byte
}

// Search begins one. He has the owner's records from the store.
func (k *Kit) Search(ctx context.Context, o *Owner) (*Search, error) {
	s := &Search{kit: k, owner: o, tested: map[string]bool{}, Records: map[string][][]byte{}, locked: map[string]bool{}, now: map[string][]byte{}}
	for _, m := range k.set.Vaults {
		r, err := k.Row(ctx, o.ID, m.Vault)
		if err != nil {
			return nil, err
		}
		s.keep(m.Vault, r.Sealed)
	}
	return s, nil
}

// Reload takes what the store has for the newest records: after it was put back.
func (s *Search) Reload(ctx context.Context) error {
	for _, m := range s.kit.set.Vaults {
		r, err := s.kit.Row(ctx, s.owner.ID, m.Vault)
		if err != nil {
			return err
		}
		s.now[m.Vault] = r.Sealed
	}
	return nil
}

// Rewind takes the records of the registration for the newest ones.
func (s *Search) Rewind() {
	for vault, all := range s.Records {
		s.now[vault] = all[0]
	}
}

func (s *Search) keep(vault string, record []byte) {
	s.Records[vault] = append(s.Records[vault], record)
	s.now[vault] = record
}

// Tested is how many distinct PINs were tried to a verdict, right or wrong.
func (s *Search) Tested() int { return len(s.tested) }

// Found is the right PIN, if it was among them.
func (s *Search) Found() string { return s.found }

// Move is how one call is made. The zero Move brings the newest record to the
// vault, and stores what comes back.
type Move struct {
	Record  []byte             // to bring instead
	Lose    bool               // what comes back is not stored
	Purpose wire.Purpose       // of a voucher that goes along; 0: none
	Part    string             // of profile seed: the replica that is called
	Within  time.Duration      // how long he waits for an answer; 0: patience
	Also    func(vault string) // done while the call is on its way
}

// patience is how long a call is repeated that too few witnesses have answered.
const patience = 5 * time.Second

// ErrNoVerdict is a call that said nothing of a PIN.
var ErrNoVerdict = errors.New("insider: no verdict")

// call brings a request to a vault. It is nil without an answer.
func (s *Search) call(ctx context.Context, vault string, c *wire.Call, m Move) (*wire.Reply, error) {
	part := vault
	if m.Part != "" {
		part = m.Part
	}
	if m.Within == 0 {
		m.Within = patience
	}
	within, cancel := context.WithTimeout(ctx, m.Within)
	defer cancel()
	if m.Also != nil {
		go m.Also(vault)
	}
	reply, err := s.kit.links[part].Call(within, c)
	for err == nil && reply.Result == wire.CodeBusy && within.Err() == nil { // free, for it is the same element
		time.Sleep(20 * time.Millisecond)
		reply, err = s.kit.links[part].Call(within, c)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoVerdict, err)
	}
	if reply.Result != wire.CodeDone {
		return nil, fmt.Errorf("%w: %s says %d", ErrNoVerdict, part, reply.Result)
	}
	if reply.Record == nil {
		return reply, nil
	}
	s.keep(vault, reply.Record)
	if m.Lose {
		return reply, nil
	}
	return reply, s.store(ctx, vault, reply)
}

// store brings what a vault has made into the store, by the API, which looks for
// forks as it does with its own.
func (s *Search) store(ctx context.Context, vault string, reply *wire.Reply) error {
	receipt, err := wire.Decode[wire.Receipt](reply.Receipt.TBS)
	if err != nil {
		return err
	}
	signed, err := wire.Encode(reply.Receipt)
	if err != nil {
		return err
	}
	r, err := recovery.SealEntry(rootKey(), recovery.Record{
		App: appID, Vault: vault, Acct: receipt.Acct, Account: s.owner.ID, Gen: receipt.Gen, Ver: receipt.Ver, Create: true,
		Used: receipt.Used, State: uint8(receipt.State), Sealed: reply.Record, At: time.Now(),
	}, recovery.Note{Receipt: signed})
	if err != nil {
		return err
	}
	return s.kit.api.do(ctx, "Store", r, &None{})
}

// Replay brings a vault a request that somebody has made before.
func (s *Search) Replay(ctx context.Context, in Sealed, m Move) error {
	_, err := s.call(ctx, in.Vault, s.bring(in, m), m)
	return err
}

// bring is the call of a request, with a record of his choice and, where one is
// due, a voucher of his making.
func (s *Search) bring(in Sealed, m Move) *wire.Call {
	c := &wire.Call{Op: in.Op, Acct: acctOf(in.Account, in.Vault), Epoch: in.Epoch, Request: in.Request, Record: s.now[in.Vault]}
	if m.Record != nil {
		c.Record = m.Record
	}
	if m.Purpose != 0 {
		v := &wire.Voucher{Vault: in.Vault, Acct: c.Acct, Purpose: m.Purpose, Expires: uint64(time.Now().Add(time.Minute).Unix())} //nolint:gosec // after 1970
		k := wire.NewKey()
		copy(v.ID[:], k[:])
		var err error
		if c.Voucher, err = wire.Sign(s.kit.vouch.Vouchers(), v); err != nil {
			panic("insider: " + err.Error()) // numbers and names always encode
		}
	}
	return c
}

// ask makes a request of his own.
func (s *Search) ask(ctx context.Context, vault string, op wire.Op, body wire.Coded, m Move) (*wire.Answer, error) {
	plain, err := wire.Encode(body)
	if err != nil {
		return nil, err
	}
	in, key, err := s.kit.seal(s.owner.ID, vault, op, plain)
	if err != nil {
		return nil, err
	}
	reply, err := s.call(ctx, vault, s.bring(in, m), m)
	if err != nil {
		return nil, err
	}
	return key.OpenAnswer(reply.Answer)
}

// Try tries one PIN: he has it evaluated by t of the vaults, in the order he
// names, and shows one of them that it is right. It is no error when no vault
// gives a verdict.
func (s *Search) Try(ctx context.Context, pin string, vaults []string, move func(vault string) Move) error {
	if move == nil {
		move = func(string) Move { return Move{} }
	}
	g, err := recoverytest.NewGuess(&s.owner.deal.Header, pin, wire.NewKey())
	if err != nil {
		return err
	}
	var ready []string
	used := map[string]uint8{}
	for _, vault := range vaults {
		if g.Ready() {
			break
		}
		a, err := s.ask(ctx, vault, wire.OpEvaluate, g.Evaluate(false), move(vault))
		if err != nil {
			if errors.Is(err, ErrNoVerdict) {
				continue
			}
			return err
		}
		s.locked[vault] = a.Verdict == wire.VerdictLocked
		if a.Verdict != wire.VerdictOK {
			continue
		}
		if err := g.Evaluated(vault, a); err != nil {
			return err
		}
		ready = append(ready, vault)
		used[vault] = a.Used
	}
	if !g.Ready() {
		return nil
	}
	// The last wrong release locks: he keeps it for the end.
	slices.SortStableFunc(ready, func(a, b string) int { return cmp.Compare(used[a], used[b]) })
	for _, vault := range ready {
		q, err := g.Release(vault, acctOf(s.owner.ID, vault))
		if err != nil {
			return err
		}
		a, err := s.ask(ctx, vault, wire.OpRelease, q, move(vault))
		if err != nil {
			if errors.Is(err, ErrNoVerdict) {
				continue
			}
			return err
		}
		if s.judge(pin, vault, a) {
			return nil
		}
	}
	return nil
}

// judge reports whether an answer to a release tells if the PIN is right. That a
// vault is locked does so once: when this very release has locked it.
func (s *Search) judge(pin, vault string, a *wire.Answer) bool {
	was := s.locked[vault]
	s.locked[vault] = a.Verdict == wire.VerdictLocked
	switch {
	case a.Verdict == wire.VerdictOK:
		s.found = pin
	case a.Verdict == wire.VerdictWrongPIN:
	case a.Verdict == wire.VerdictLocked && !was:
	default:
		return false
	}
	s.tested[pin] = true
	return true
}

// TrySeed tries one PIN at a replica of profile seed.
func (s *Search) TrySeed(ctx context.Context, pin string, m Move) error {
	body, err := wire.EncodeSeedRequest(&wire.SeedRequest{PIN: wire.Secret(pin)})
	if err != nil {
		return err
	}
	in, key, err := s.kit.seal(s.owner.ID, "v1", wire.OpSeedRestore, body)
	if err != nil {
		return err
	}
	was := s.locked[string(s.bring(in, m).Record)]
	reply, err := s.call(ctx, "v1", s.bring(in, m), m)
	if errors.Is(err, ErrNoVerdict) {
		return nil
	}
	if err != nil {
		return err
	}
	a, err := key.OpenSeedAnswer(reply.Answer)
	if err != nil {
		return err
	}
	s.locked[string(reply.Record)] = a.Verdict == wire.VerdictLocked
	switch {
	case a.Verdict == wire.VerdictOK:
		s.found, s.tested[pin] = pin, true
	case a.Verdict == wire.VerdictWrongPIN, a.Verdict == wire.VerdictLocked && !was:
		s.tested[pin] = true
	}
	return nil
}
