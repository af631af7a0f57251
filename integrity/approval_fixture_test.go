package integrity_test

import (
	"encoding/json"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
	"github.com/staunchid/staunch/store/sqlite"
)

// params is a JSON object of parameters.
func params(t testing.TB, kv ...any) json.RawMessage {
	t.Helper()
	m := map[string]any{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1]
	}
	return must[[]byte](t)(json.Marshal(m))
}

// propose opens an approval on the phone.
func (p *phone) propose(action account.Action, kv ...any) (*integrity.Proposed, error) {
	p.r.t.Helper()
	return p.r.Propose(p.r.t.Context(), p.caller(), &integrity.Proposal{Action: action, Params: params(p.r.t, kv...)}, nil)
}

// answer signs an approval's ceremony with the phone's passkey.
func (p *phone) answer(in *integrity.Proposed, changes ...passkeytest.Change) *integrity.Confirmation {
	p.r.t.Helper()
	return &integrity.Confirmation{Approval: in.Approval.ID, Response: must[[]byte](p.r.t)(p.passkey.Get(in.Options, origin, changes...))}
}

// confirm answers what the phone has proposed.
func (p *phone) confirm(in *integrity.Proposed) (*integrity.Confirmed, error) {
	p.r.t.Helper()
	return p.r.Confirm(p.r.t.Context(), p.caller(), p.answer(in))
}

// do proposes and confirms.
func (p *phone) do(action account.Action, kv ...any) (*integrity.Confirmed, error) {
	p.r.t.Helper()
	in, err := p.propose(action, kv...)
	if err != nil {
		return nil, err
	}
	return p.confirm(in)
}

// do proposes and confirms in a browser.
func (b *browser) do(action account.Action, kv ...any) (*integrity.Confirmed, error) {
	b.r.t.Helper()
	in, err := b.r.Propose(b.r.t.Context(), b.caller(), &integrity.Proposal{Action: action, Params: params(b.r.t, kv...)}, b.at)
	if err != nil {
		return nil, err
	}
	return b.r.Confirm(b.r.t.Context(), b.caller(), &integrity.Confirmation{
		Approval: in.Approval.ID, Response: must[[]byte](b.r.t)(b.passkey.Get(in.Options, origin)), Cookie: b.at.Cookie,
	})
}

// family is an account with two phones that share a synced passkey; the second
// came later, and is held.
func (r *rig) family() (first, second *phone) {
	r.t.Helper()
	first = r.newPhone(&passkeytest.Options{Synced: true})
	first.enrolled(must[*integrity.Enrolled](r.t)(r.FinishEnrol(r.t.Context(), r.anonymous(), first.enrolment())))
	return first, r.another(first)
}

// another signs a new phone in with the synced passkey of the first.
func (r *rig) another(first *phone) *phone {
	r.t.Helper()
	r.advance(1e9) // what was there before is older
	p, in := r.newcomer(first.passkey)
	out := must[*integrity.SignInResult](r.t)(r.FinishSignIn(r.t.Context(), r.anonymous(), in))
	p.account, p.device, p.token = out.Signed.Account, out.Signed.Device, out.Signed.Token
	return p
}

// couple is a family whose second phone is active, and both have signed in.
func (r *rig) couple() (first, second *phone) {
	r.t.Helper()
	first, second = r.family()
	r.advance(r.opts.Policy.Holds.Add)
	r.tick()
	first.signIn()
	second.signIn()
	return first, second
}

// tick lets the clock do all that is due.
func (r *rig) tick() {
	r.t.Helper()
	for more := true; more; {
		more = must[bool](r.t)(r.Tick(r.t.Context()))
	}
}

// report is the check of the store, by its keys and the tables of states.
func (r *rig) report() audit.Report {
	r.t.Helper()
	return must[audit.Report](r.t)(r.store.CheckBy(r.t.Context(), func(tx *sqlite.Tx) (audit.Report, error) {
		return audit.Check(r.t.Context(), tx.Keyed(r.opts.RowKey), &audit.CheckOptions{Legal: account.Legal, Now: r.clock()})
	}))
}

// status is what the phone may know.
func (p *phone) status() *integrity.Status {
	p.r.t.Helper()
	return must[*integrity.Status](p.r.t)(p.r.Status(p.r.t.Context(), p.caller()))
}
