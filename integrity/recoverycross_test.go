package integrity_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// TestRecoveryCeremonies: a ceremony of another purpose, of another start, or whose
// answer was given, finishes no recovery; and that of a recovery nothing else.
func TestRecoveryCeremonies(t *testing.T) {
	r, vault := pinRig(t)
	old, other := r.enrol(), r.enrol()
	q, theirs := old.recoverer(vault), other.recoverer(vault)
	s := must[*integrity.RecoveryStarted](t)(q.start())
	must[*integrity.RecoveryStarted](t)(theirs.start())
	r.advance(s.OpensAt.Sub(s.At))
	asked := func(q *recoverer) *integrity.RecoveryStarted {
		vault.prove(must[*integrity.RecoveryStarted](t)(q.ask()).Ticket)
		return must[*integrity.RecoveryStarted](t)(q.ask())
	}
	mine, foreign := q.answer(asked(q)), theirs.answer(asked(theirs))
	old.signIn()
	other.signIn()
	third := other.signedIn()
	j := r.join()
	third.letIn(j.open)
	joins := j.answer()
	enrols := r.newPhone(nil).enrolment()
	adds := third.adding()
	for what, c := range map[string]struct {
		id       account.CeremonyID
		response []byte
	}{
		"another start":  {foreign.Ceremony, foreign.Response},
		"a join":         {joins.Ceremony, joins.Response},
		"an enrolment":   {enrols.Ceremony, enrols.Response},
		"a new passkey":  {adds.Ceremony, adds.Response},
		"an old sign-in": {third.assertion().Ceremony, mine.Response},
	} {
		in := *mine
		in.Ceremony, in.Response, in.Message = c.id, c.response, q.message(nil)
		if _, err := q.finish(&in); !errors.Is(err, integrity.ErrCeremonyExpired) {
			t.Errorf("the ceremony of %s: %v", what, err)
		}
	}
	joins.Ceremony, joins.Response = mine.Ceremony, mine.Response
	enrols.Ceremony, enrols.Response = mine.Ceremony, mine.Response
	for what, err := range map[string]error{
		"a join":        second(j.finish(joins)),
		"an enrolment":  second(r.FinishEnrol(t.Context(), r.anonymous(), enrols)),
		"a new passkey": second(r.FinishAdd(t.Context(), third.caller(), &integrity.AddAnswer{Ceremony: mine.Ceremony, Response: mine.Response})),
		"a sign-in":     second(r.FinishSignIn(t.Context(), third.caller(), &integrity.SignInAnswer{Ceremony: mine.Ceremony, Response: mine.Response})),
	} {
		if !errors.Is(err, integrity.ErrCeremonyExpired) {
			t.Errorf("%s with the ceremony of a recovery: %v", what, err)
		}
	}
	answer := mine.Response
	mine.Response, mine.Message = foreign.Response, q.message(nil)
	if _, err := q.finish(mine); err == nil {
		t.Error("the passkey that another made for his own account")
	}
	mine.Response, mine.Message = answer, q.message(nil)
	must[*integrity.Signed](t)(q.finish(mine))
	r.checked()
}

// signedIn has stepped up, so that it may add what it likes.
func (p *phone) signedIn() *phone {
	p.stepUp()
	return p
}

// TestRecoveryReplayed: a call that was signed is worth something once, and what
// began with one key goes on with no other.
func TestRecoveryReplayed(t *testing.T) {
	r, vault := pinRig(t)
	old := r.enrol()
	q := old.recoverer(vault)
	in := q.starting()
	must[*integrity.RecoveryStarted](t)(r.StartRecovery(t.Context(), r.anonymous(), in))
	if _, err := r.StartRecovery(t.Context(), r.anonymous(), in); err == nil {
		t.Error("the same start a second time")
	}
	ask := &integrity.RecoveryStart{Account: old.account, Message: q.message(nil)}
	must[*integrity.RecoveryStarted](t)(r.StartRecovery(t.Context(), r.anonymous(), ask))
	if _, err := r.StartRecovery(t.Context(), r.anonymous(), ask); !errors.Is(err, integrity.ErrProofInvalid) {
		t.Errorf("the same question a second time: %v", err)
	}
	m := q.message(nil)
	must[account.Caller](t)(r.ProveNewcomer(t.Context(), m))
	if _, err := r.ProveNewcomer(t.Context(), m); !errors.Is(err, integrity.ErrProofInvalid) {
		t.Errorf("the same call with a ticket a second time: %v", err)
	}
	if _, err := r.ProveNewcomer(t.Context(), nil); err == nil {
		t.Error("a call that nobody has signed")
	}
	stranger := r.newPhone(nil)
	stranger.attest(r.challenge())
	if _, err := r.ProveNewcomer(t.Context(), stranger.message(nil)); !errors.Is(err, integrity.ErrProofInvalid) {
		t.Errorf("a key that nobody knows: %v", err)
	}
	for what, c := range map[string]account.Caller{
		"a device":    old.caller(),
		"a backend":   {Kind: account.Backend, App: "demo"},
		"another app": {Kind: account.Anonymous, App: "other", Network: network},
	} {
		if _, err := r.StartRecovery(t.Context(), c, q.starting()); !errors.Is(err, integrity.ErrNotAllowed) {
			t.Errorf("%s starts: %v", what, err)
		}
		if _, err := r.FinishRecovery(t.Context(), c, &integrity.RecoveryAnswer{Pending: account.NewPendingID()}); !errors.Is(err, integrity.ErrNotAllowed) {
			t.Errorf("%s finishes: %v", what, err)
		}
	}
}

// TestRecoveryTellsNobody: who brings no genuine phone, or has no start, cannot tell
// an account that is there from one that is not.
func TestRecoveryTellsNobody(t *testing.T) {
	r, vault := pinRig(t)
	old := r.enrol()
	must[*integrity.RecoveryStarted](t)(old.recoverer(vault).start())
	j := r.join()
	for what, call := range map[string]func(account.ID) error{
		"a phone that is not genuine": func(id account.ID) error {
			q := (&recoverer{r.newPhone(nil), id, vault})
			in := q.starting()
			in.Phone.Evidence.CertificateChain = in.Phone.Evidence.CertificateChain[:1]
			_, err := r.StartRecovery(t.Context(), r.anonymous(), in)
			return err
		},
		"evidence that is old": func(id account.ID) error {
			q := (&recoverer{r.newPhone(nil), id, vault})
			in := q.starting()
			r.advance(time.Hour)
			in.Message = q.message(nil)
			_, err := r.StartRecovery(t.Context(), r.anonymous(), in)
			return err
		},
		"a key that nobody knows": func(id account.ID) error {
			p := r.newPhone(nil)
			p.attest(r.challenge())
			_, err := r.StartRecovery(t.Context(), r.anonymous(), &integrity.RecoveryStart{Account: id, Message: p.message(nil)})
			return err
		},
		"a newcomer who has started nothing": func(id account.ID) error {
			_, err := r.StartRecovery(t.Context(), r.anonymous(), &integrity.RecoveryStart{Account: id, Message: j.message(nil)})
			return err
		},
		"a phone of another account": func(id account.ID) error {
			_, err := r.StartRecovery(t.Context(), r.anonymous(), &integrity.RecoveryStart{Account: id, Message: r.enrol().message(nil)})
			return err
		},
	} {
		there, not := call(old.account), call(account.NewID())
		if there == nil || not == nil || there.Error() != not.Error() {
			t.Errorf("%s: %v for an account that is there, %v for another", what, there, not)
		}
	}
}

// TestRecoveryOften: a network asks so often, whatever it asks for, and before
// anything is verified; failures count as they do everywhere.
func TestRecoveryOften(t *testing.T) {
	limit := integrity.Limit{N: 3, Per: time.Minute}
	r, _ := pinRig(t, func(o *integrity.Options) { o.Policy.Limits.BeginNetwork = limit })
	var got []error
	for range 4 {
		_, err := r.StartRecovery(t.Context(), r.anonymous(), &integrity.RecoveryStart{Account: account.NewID()})
		got = append(got, err)
	}
	if slices.ContainsFunc(got[:3], func(err error) bool { return errors.Is(err, integrity.ErrRateLimited) }) || !errors.Is(got[3], integrity.ErrRateLimited) {
		t.Errorf("asked: %v", got)
	}
	r, vault := pinRig(t, func(o *integrity.Options) { o.Policy.Limits.FailedNetwork = limit })
	good := r.enrol().recoverer(vault)
	got = nil
	for range 4 {
		q := (&recoverer{r.newPhone(nil), account.NewID(), vault})
		in := q.starting()
		in.Message = r.newPhone(nil).attest(r.challenge()).Message
		_, err := r.StartRecovery(t.Context(), r.anonymous(), in)
		got = append(got, err)
	}
	if !errors.Is(got[3], integrity.ErrRateLimited) || errors.Is(got[0], integrity.ErrRateLimited) {
		t.Errorf("signed by another key: %v", got)
	}
	if _, err := good.start(); !errors.Is(err, integrity.ErrRateLimited) {
		t.Errorf("after that, what is good: %v", err)
	}
}

// TestRecoveryFinishFails: wrong answers count, and who has given too many of them
// waits, also with the right one.
func TestRecoveryFinishFails(t *testing.T) {
	r, vault := pinRig(t, func(o *integrity.Options) { o.Policy.Limits.FailedNetwork = integrity.Limit{N: 3, Per: time.Hour} })
	q := r.enrol().recoverer(vault)
	ready := q.ready()
	in, right := q.answer(ready), must[*passkeytest.Authenticator](t)(passkeytest.New(&passkeytest.Options{}))
	for range 3 {
		in.Response, in.Message = must[[]byte](t)(right.Create(ready.Options, "https://elsewhere.example")), q.message(nil)
		if _, err := q.finish(in); err == nil || errors.Is(err, integrity.ErrRateLimited) {
			t.Errorf("an answer for another page: %v", err)
		}
	}
	in.Response, in.Message = must[[]byte](t)(right.Create(ready.Options, origin)), q.message(nil)
	if _, err := q.finish(in); !errors.Is(err, integrity.ErrRateLimited) {
		t.Errorf("after three wrong answers: %v", err)
	}
	r.advance(time.Hour)
	if _, err := q.finish(q.answer(must[*integrity.RecoveryStarted](t)(q.ask()))); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// TestRecoveryTicketSecret: a ticket is a hash under the app's key of what it is
// for: who reads the store cannot compute it.
func TestRecoveryTicketSecret(t *testing.T) {
	r, vault := pinRig(t)
	q := r.enrol().recoverer(vault)
	s := q.ready()
	ticket := func(key []byte) []byte {
		m := hmac.New(sha256.New, key)
		m.Write([]byte("staunch/recovery/ticket/v1\x00demo\x00" + string(s.Pending) + "\x00" + q.key.ID()))
		return m.Sum(nil)
	}
	if !hmac.Equal(s.Ticket, ticket(r.opts.RowKey)) || hmac.Equal(s.Ticket, ticket(nil)) {
		t.Errorf("ticket %x", []byte(s.Ticket))
	}
}

// TestRecoveryTicketElsewhere: a ticket is worth nothing in another app, whose keys
// are others, not even for the same key of the phone; and the tickets of two starts
// and two keys are not equal.
func TestRecoveryTicketElsewhere(t *testing.T) {
	r, vault := pinRig(t)
	foreign, _ := pinRig(t)
	old := r.enrol()
	q := old.recoverer(vault)
	hash := sha256.Sum256(q.ready().Ticket)
	mine := must[account.Caller](t)(r.ProveNewcomer(t.Context(), q.message(nil)))
	err := foreign.opts.View(t.Context(), func(tx integrity.Tx) error {
		_, found, err := foreign.Ticket(t.Context(), tx, mine, old.account, hash)
		if found {
			t.Error("found in another app")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := foreign.ProveNewcomer(t.Context(), q.message(nil)); !errors.Is(err, integrity.ErrProofInvalid) {
		t.Errorf("the key in another app: %v", err)
	}
}

// TestRecoveryDeviceGone: with a device goes the ticket that it got for itself, and
// what was opened with it; those of others stay.
func TestRecoveryDeviceGone(t *testing.T) {
	r, vault := pinRig(t)
	first, second := r.couple()
	hashes := map[*phone][32]byte{}
	callers := map[*phone]account.Caller{}
	for _, p := range []*phone{first, second} {
		hashes[p] = p.openRecovery()
		callers[p] = must[account.Caller](t)(r.ProveNewcomer(t.Context(), p.message(nil)))
	}
	must[*integrity.Confirmed](t)(first.do(account.RemoveDevice, "device", second.device))
	for p, want := range map[*phone]bool{first: true, second: false} {
		if found, err := r.ticketed(callers[p], first.account, hashes[p]); found != want || err != nil {
			t.Errorf("ticket of %s: %v, %v; want %v", p.device, found, err, want)
		}
	}
	if want := (ending{first.account, callers[second].Key}); !slices.Equal(vault.ends, []ending{want}) {
		t.Errorf("sessions of %v ended, want of %v", vault.ends, want)
	}
	r.set(first, "device", account.Frozen)
	if _, err := r.ticketed(callers[first], first.account, hashes[first]); !errors.Is(err, account.ErrRefused) {
		t.Errorf("while the device is frozen: %v", err)
	}
}

// openRecovery gets a ticket for the device itself, and gives its SHA-256.
func (p *phone) openRecovery() [32]byte {
	p.r.t.Helper()
	done := must[*integrity.Confirmed](p.r.t)(p.do(account.OpenRecovery))
	return sha256.Sum256(ticketOf(p.r.t, done.Result))
}

// ticketed looks a ticket up as pillar recovery does.
func (r *rig) ticketed(c account.Caller, id account.ID, hash [32]byte) (found bool, err error) {
	err = r.opts.View(r.t.Context(), func(tx integrity.Tx) (err error) {
		_, found, err = r.Ticket(r.t.Context(), tx, c, id, hash)
		return err
	})
	return found, err
}

// TestRecoveryTamperedRow: a start of one account that was changed locks that
// account, and keeps nobody else from finishing.
func TestRecoveryTamperedRow(t *testing.T) {
	r, vault := pinRig(t)
	old, other := r.enrol(), r.enrol()
	q := old.recoverer(vault)
	must[*integrity.RecoveryStarted](t)(other.recoverer(vault).start())
	in := q.answer(q.ready())
	r.exec("UPDATE pending SET params = CAST(replace(CAST(params AS TEXT), 'Pixel', 'Pixie') AS BLOB) WHERE account = ?", string(other.account))
	if n := r.count("pending WHERE instr(params, 'Pixie') > 0"); n != 1 {
		t.Fatalf("%d rows were changed", n)
	}
	must[*integrity.Signed](t)(q.finish(in))
	if _, err := (&recoverer{q.phone, other.account, vault}).ask(); !errors.Is(err, integrity.ErrIntegrity) {
		t.Errorf("the account of the row: %v", err)
	}
	if s := r.row(other.account).State; s != account.Locked {
		t.Errorf("that account is %s", s)
	}
}

// TestRecoverySessionsEnd: whatever ends an account's sessions for good ends those
// in which PINs are tried.
func TestRecoverySessionsEnd(t *testing.T) {
	for what, end := range map[string]func(*phone){
		"freeze": func(p *phone) { must[*integrity.Frozen](p.r.t)(p.r.Freeze(p.r.t.Context(), p.caller())) },
		"lock": func(p *phone) {
			answer := p.assertion()
			p.r.exec("UPDATE credential SET flags = 0x1d WHERE account = ?", string(p.account))
			if _, err := p.r.FinishSignIn(p.r.t.Context(), p.caller(), answer); !errors.Is(err, integrity.ErrIntegrity) {
				p.r.t.Error(err)
			}
		},
		"delete": func(p *phone) {
			must[*integrity.Confirmed](p.r.t)(p.do(account.DeleteAccount))
			p.r.advance(p.r.opts.Policy.Waits.Delete)
			p.r.tick()
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r, vault := pinRig(t)
			p := r.enrol()
			end(p)
			if want := (ending{p.account, ""}); !slices.Contains(vault.ends, want) {
				t.Errorf("sessions of %v ended, want of %v", vault.ends, want)
			}
		})
	}
}
