package integrity_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// evidence is everything that a test ever saw of one account and could use again.
type evidence struct {
	phone    *phone
	browsers []*browser
	tokens   []seenToken
	begun    []seenCeremony
	tickets  []seenTicket
}

// seenTicket is a recovery ticket, and the key that it was given to.
type seenTicket struct {
	hash [32]byte
	by   account.Caller
}

type seenToken struct {
	session account.SessionID
	token   integrity.Token
	phone   bool
}

// seenCeremony is a ceremony with its answer, ready to be given.
type seenCeremony struct {
	session account.SessionID // in which it was begun; empty: a sign-in
	what    string
	finish  func() error
}

// TestRevocation: after any random sequence with a revocation in it, every token
// and every ceremony of its scope that the test ever saw is refused, and the
// others are not.
func TestRevocation(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r, vault := pinRig(t, func(o *integrity.Options) {
				o.Policy.Limits.BeginDevice = integrity.Limit{N: 1 << 30, Per: time.Minute}
				o.Policy.ShortWaits, o.Policy.Waits.Recovery = true, time.Second
			})
			rnd := rand.New(rand.NewPCG(uint64(seed), 7))
			mine, theirs := r.owner(), r.owner()
			mine.recover(vault)
			theirs.recover(vault)
			for range 10 {
				r.advance(time.Second)
				mine.act(rnd)
				theirs.act(rnd)
			}
			scope := []string{"own", "one", "others", "freeze"}[seed%4]
			ended := mine.revoke(t, scope, rnd)
			r.advance(time.Second)
			mine.verify(t, scope, ended)
			theirs.verify(t, "nothing", func(account.SessionID) bool { return false })
			for _, e := range vault.ends {
				if scope != "freeze" || e != (ending{mine.phone.account, ""}) {
					t.Errorf("%s: recovery's sessions of %+v have ended", scope, e)
				}
			}
			if scope == "freeze" && len(vault.ends) == 0 {
				t.Error("recovery's sessions go on")
			}
			r.checked()
		})
	}
}

func (r *rig) owner() *evidence {
	r.t.Helper()
	e := &evidence{phone: r.enrol()}
	e.saw(e.phone.token, true)
	e.browse()
	return e
}

// recover gets a ticket for a new phone.
func (e *evidence) recover(v *pinVault) {
	r := e.phone.r
	q := e.phone.recoverer(v)
	s := must[*integrity.RecoveryStarted](r.t)(q.start())
	r.advance(s.OpensAt.Sub(s.At))
	e.ticket(q.phone, sha256.Sum256(must[*integrity.RecoveryStarted](r.t)(q.ask()).Ticket))
}

// ticket keeps one.
func (e *evidence) ticket(p *phone, hash [32]byte) {
	r := e.phone.r
	e.tickets = append(e.tickets, seenTicket{hash, must[account.Caller](r.t)(r.ProveNewcomer(r.t.Context(), p.message(nil)))})
}

// saw keeps a token.
func (e *evidence) saw(token integrity.Token, phone bool) {
	r := e.phone.r
	var c account.Caller
	if phone {
		c = e.phone.caller()
	} else {
		c = must[account.Caller](r.t)(r.BrowserCaller(r.t.Context(), token, network, ""))
	}
	e.tokens = append(e.tokens, seenToken{c.Session, token, phone})
}

// browse signs another browser in.
func (e *evidence) browse() {
	b := e.phone.r.newBrowser()
	b.passkey = e.phone.passkey
	b.signIn()
	e.browsers = append(e.browsers, b)
	e.saw(b.token, false)
}

// act does one thing, and keeps what could be used again.
func (e *evidence) act(rnd *rand.Rand) {
	p := e.phone
	r := p.r
	ctx := r.t.Context()
	b := e.browsers[rnd.IntN(len(e.browsers))]
	switch rnd.IntN(8) {
	case 0:
		e.browse()
	case 1:
		p.signIn()
		e.saw(p.token, true)
	case 2: // the old token is worth nothing from here on
		old := b.token
		b.stepUp()
		for i := range e.tokens {
			if same(e.tokens[i].token, old) {
				e.tokens[i].token = b.token
			}
		}
	case 3:
		answer := b.assertion()
		e.begun = append(e.begun, seenCeremony{"", "sign-in of a browser", func() error {
			_, err := r.FinishSignIn(ctx, r.anonymous(), answer)
			return err
		}})
	case 4:
		c, answer := p.caller(), p.assertion()
		e.begun = append(e.begun, seenCeremony{"", "sign-in of the phone", func() error {
			_, err := r.FinishSignIn(ctx, c, answer)
			return err
		}})
	case 5:
		c := b.caller()
		begun := must[*integrity.Begun](r.t)(r.BeginStepUp(ctx, c, b.at))
		response := must[[]byte](r.t)(b.passkey.Get(begun.Options, origin))
		e.begun = append(e.begun, seenCeremony{c.Session, "step-up of a browser", func() error {
			_, err := r.FinishStepUp(ctx, c, &integrity.StepUpAnswer{Ceremony: begun.Ceremony, Response: response, Browser: b.at})
			return err
		}})
	case 7:
		p.stepUp()
		e.ticket(p, p.openRecovery())
	case 6:
		p.stepUp()
		c, answer := p.caller(), p.adding()
		e.begun = append(e.begun, seenCeremony{c.Session, "new passkey", func() error {
			_, err := r.FinishAdd(ctx, c, answer)
			return err
		}})
	}
}

// revoke ends something, and gives which sessions must have ended by it.
func (e *evidence) revoke(t *testing.T, scope string, rnd *rand.Rand) func(account.SessionID) bool {
	t.Helper()
	p := e.phone
	r := p.r
	p.stepUp()
	c := p.caller()
	switch scope {
	case "own":
		b := e.browsers[rnd.IntN(len(e.browsers))]
		own := b.caller()
		must[*integrity.Ended](t)(r.SignOut(t.Context(), own))
		return func(id account.SessionID) bool { return id == own.Session }
	case "one":
		other := e.browsers[rnd.IntN(len(e.browsers))].caller().Session
		must[*integrity.Ended](t)(r.EndSession(t.Context(), c, other))
		return func(id account.SessionID) bool { return id == other }
	case "others":
		must[*integrity.Ended](t)(r.SignOutOthers(t.Context(), c))
		return func(id account.SessionID) bool { return id != c.Session }
	}
	must[*integrity.Frozen](t)(r.Freeze(t.Context(), c))
	phones := map[account.SessionID]bool{}
	for _, s := range e.tokens {
		phones[s.session] = s.phone
	}
	return func(id account.SessionID) bool { return !phones[id] }
}

// verify tries everything again.
func (e *evidence) verify(t *testing.T, scope string, ended func(account.SessionID) bool) {
	t.Helper()
	p := e.phone
	r := p.r
	for i, s := range e.tokens {
		var err error
		if s.phone {
			_, err = r.Prove(t.Context(), p.message(s.token), s.token, false)
		} else {
			_, err = r.BrowserCaller(t.Context(), s.token, network, "")
		}
		want := ended(s.session)
		if got := errors.Is(err, integrity.ErrSessionEnded); got != want {
			t.Errorf("%s: token %d of %s: %v; ended: %v", scope, i, s.session, err, want)
		}
	}
	for i, k := range e.tickets {
		if found, err := r.ticketed(k.by, p.account, k.hash); err != nil || found == (scope == "freeze") {
			t.Errorf("%s: ticket %d: %v, %v", scope, i, found, err)
		}
	}
	all := scope == "others" || scope == "freeze" // which end what is half done, too
	for i, y := range e.begun {
		err := y.finish()
		dead := all || y.session != "" && ended(y.session)
		if dead && err == nil {
			t.Errorf("%s: ceremony %d, %s, is finished", scope, i, y.what)
		}
		if !dead && (errors.Is(err, integrity.ErrCeremonyExpired) || errors.Is(err, integrity.ErrCeremonyUsed) || errors.Is(err, integrity.ErrSessionEnded)) {
			t.Errorf("%s: ceremony %d, %s, was none of its scope: %v", scope, i, y.what, err)
		}
	}
}
