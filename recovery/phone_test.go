package recovery_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// phone is a phone with its journals on a "disk": what is not saved is gone when
// the process dies.
type phone struct {
	*testing.T
	client  *recovery.Client
	net     *recoverytest.Network
	service *recoverytest.Service
	vaults  *recoverytest.Vaults
	backup  []byte // the file; nil: none
	attempt []byte
	saves   int
	die     func(saves int) bool // asked at each save; true: it is not on disk, and the phone is dead
	asked   int                  // approvals
}

var errDead = errors.New("the phone has died")

const owner = account.ID("a_owner")

func newVaults(t *testing.T, o recoverytest.Options) *recoverytest.Vaults {
	t.Helper()
	v, err := recoverytest.NewVaults(&o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// newPhone is a phone of the account at new vaults.
func newPhone(t *testing.T, o recoverytest.Options) *phone {
	t.Helper()
	v := newVaults(t, o)
	p := &phone{T: t, vaults: v, service: recoverytest.NewService(v, owner)}
	p.net = &recoverytest.Network{Transport: p.service}
	p.client = p.newClient(nil)
	return p
}

func (p *phone) newClient(change func(*recovery.ClientOptions)) *recovery.Client {
	p.Helper()
	o := &recovery.ClientOptions{
		Transport: p.net, ReleaseKeys: p.vaults.ReleaseKeys, Policy: tee.Policy{AllowProcess: true},
		SaveBackup:  func(b *recovery.Backup) error { return p.save(&p.backup, b) },
		SaveAttempt: func(a *recovery.Attempt) error { return p.save(&p.attempt, a) },
		Approve:     func(context.Context, [16]byte) error { p.asked++; return nil },
	}
	if change != nil {
		change(o)
	}
	c, err := recovery.NewClient(o)
	if err != nil {
		p.Fatal(err)
	}
	recovery.TestingOnlyFastPIN(c)
	return c
}

func (p *phone) save(file *[]byte, v interface{ Encode() ([]byte, error) }) error {
	p.saves++
	if p.die != nil && p.die(p.saves) {
		return errDead
	}
	b, err := v.Encode()
	if err == nil {
		*file = b
	}
	return err
}

// journal is the backup on disk, nil if there is none.
func (p *phone) journal() *recovery.Backup {
	p.Helper()
	if p.backup == nil {
		return nil
	}
	b, err := recovery.ParseBackup(p.backup)
	if err != nil {
		p.Fatal(err)
	}
	return b
}

// tried is the attempt on disk, or a new one.
func (p *phone) tried() *recovery.Attempt {
	p.Helper()
	if p.attempt == nil {
		return new(recovery.Attempt)
	}
	a, err := recovery.ParseAttempt(p.attempt)
	if err != nil {
		p.Fatal(err)
	}
	return a
}

// pinOf is a PIN that may be set.
func pinOf(t testing.TB, s string) recovery.PIN {
	t.Helper()
	return recovery.TestingOnlyJudged(typedOf(t, s))
}

// typedOf is one that nobody has judged.
func typedOf(t testing.TB, s string) recovery.PIN {
	t.Helper()
	p, err := recovery.TypedPIN(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func payloadOf(secret string) recovery.Payload {
	return recovery.Payload{
		Keys: []wire.SealingKey{{KID: []byte("k1"), Secret: wire.Secret(secret), Created: 1}},
		App:  map[string]wire.Secret{"backup": wire.Secret("head of " + secret)},
	}
}

func (p *phone) register(pin, secret string) error {
	p.Helper()
	_, err := p.client.Register(p.Context(), p.journal(), pinOf(p, pin), payloadOf(secret))
	return err
}

func (p *phone) recover(pin string) (*recovery.Recovered, error) {
	p.Helper()
	return p.client.Recover(p.Context(), owner, recovery.TicketSecret("ticket"), pinOf(p, pin), p.tried())
}

func (p *phone) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// recovers wants the secret back, with all attempts left.
func (p *phone) recovers(pin, secret string) *recovery.Recovered {
	p.Helper()
	r, err := p.recover(pin)
	p.must(err)
	if got := string(r.Payload.Keys[0].Secret); got != secret {
		p.Fatalf("recovered %q, want %q", got, secret)
	}
	want := payloadOf(secret)
	if d := cmp.Diff(unprinted(want), unprinted(r.Payload)); d != "" {
		p.Error(d)
	}
	if r.Remaining != r.Limit {
		p.Errorf("%d of %d attempts remaining", r.Remaining, r.Limit)
	}
	return r
}

// unprinted is a payload for cmp, which does not ask its Format.
func unprinted(p recovery.Payload) map[string]string {
	out := map[string]string{}
	for _, k := range p.Keys {
		out["key "+string(k.KID)] = string(k.Secret)
	}
	for name, v := range p.App {
		out["app "+name] = string(v)
	}
	return out
}

// wrong wants a wrong PIN with so many left; none: locked.
func (p *phone) wrong(pin string, remaining int) {
	p.Helper()
	_, err := p.recover(pin)
	var ge *recovery.GuessError
	if !errors.As(err, &ge) {
		p.Fatalf("PIN %s: error %v, want a GuessError", pin, err)
	}
	if ge.Remaining != remaining || errors.Is(err, recovery.ErrLocked) != (remaining == 0) {
		p.Errorf("PIN %s: %d remaining (%v), want %d", pin, ge.Remaining, err, remaining)
	}
}
