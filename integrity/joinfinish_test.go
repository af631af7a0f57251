package integrity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// TestFinishJoin: only the phone that has opened a join finishes it, once, in
// time, and while the account takes new devices.
func TestFinishJoin(t *testing.T) {
	type in = integrity.JoinAnswer
	tests := []struct {
		name   string
		change func(r *rig, old *phone, j *joiner, a *in)
		want   error
	}{
		{"good", func(*rig, *phone, *joiner, *in) {}, nil},
		{"by another phone that joins", func(r *rig, _ *phone, _ *joiner, a *in) { a.Message = r.join().message(nil) }, integrity.ErrJoinUnknown},
		{"by the old phone", func(_ *rig, old *phone, _ *joiner, a *in) { a.Message = old.message(nil) }, integrity.ErrJoinUnknown},
		{"by a browser", func(r *rig, _ *phone, _ *joiner, a *in) { a.Message, a.Browser = nil, r.newBrowser().at }, integrity.ErrJoinUnknown},
		{"by nobody", func(_ *rig, _ *phone, _ *joiner, a *in) { a.Message = nil }, integrity.ErrJoinUnknown},
		{"by a phone and a browser", func(r *rig, _ *phone, _ *joiner, a *in) { a.Browser = r.newBrowser().at }, integrity.ErrJoinUnknown},
		{"with another message's signature", func(_ *rig, old *phone, _ *joiner, a *in) {
			m := *a.Message
			m.Signature = old.message(nil).Signature
			a.Message = &m
		}, integrity.ErrProofInvalid},
		{"with a message that was used", func(r *rig, _ *phone, j *joiner, a *in) {
			must[*integrity.JoinStatus](t)(r.JoinStatus(t.Context(), r.anonymous(), &integrity.JoinWait{Join: a.Join, Message: a.Message}))
		}, integrity.ErrProofInvalid},
		{"another join", func(r *rig, _ *phone, _ *joiner, a *in) { a.Join = r.join().open.Join }, integrity.ErrJoinUnknown},
		{"no join", func(_ *rig, _ *phone, _ *joiner, a *in) { a.Join = "j_" }, integrity.ErrJoinUnknown},
		{"another join's ceremony", func(r *rig, old *phone, _ *joiner, a *in) {
			other := r.join()
			old.letIn(other.open)
			a.Ceremony = other.answer().Ceremony
		}, integrity.ErrCeremonyExpired},
		{"a ceremony of another purpose", func(_ *rig, old *phone, _ *joiner, a *in) {
			old.stepUp()
			a.Ceremony = old.adding().Ceremony
		}, integrity.ErrCeremonyExpired},
		{"another passkey's answer", func(_ *rig, old *phone, _ *joiner, a *in) {
			old.stepUp()
			a.Response = old.adding().Response
		}, passkey.ErrRefused},
		{"late", func(r *rig, _ *phone, j *joiner, a *in) {
			r.advance(5 * time.Minute)
			a.Message = j.message(nil)
		}, integrity.ErrJoinExpired},
		{"after a freeze", func(r *rig, old *phone, _ *joiner, _ *in) {
			must[*integrity.Frozen](t)(r.Freeze(t.Context(), old.caller()))
		}, integrity.ErrJoinExpired},
		{"after all others were signed out", func(r *rig, old *phone, _ *joiner, _ *in) {
			old.stepUp()
			must[*integrity.Ended](t)(r.SignOutOthers(t.Context(), old.caller()))
		}, integrity.ErrJoinExpired},
		{"account locked", func(r *rig, old *phone, _ *joiner, _ *in) { r.set(old, "account", account.Locked) }, account.ErrRefused},
		{"account frozen behind its back", func(r *rig, old *phone, _ *joiner, _ *in) { r.set(old, "account", account.Frozen) }, account.ErrRefused},
		{"account held", func(r *rig, old *phone, _ *joiner, _ *in) { r.set(old, "account", account.Held) }, account.ErrRefused},
		{"a risk holds", func(r *rig, old *phone, _ *joiner, _ *in) { r.risk(old, account.LevelHold) }, account.ErrRefused},
		{"synced passkeys are not taken", func(r *rig, _ *phone, _ *joiner, _ *in) {
			r.reopen(func(o *integrity.Options) { o.Policy.SyncedOK = []string{} })
		}, nil}, // this one is not synced
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			old, j := r.enrol(), r.join()
			old.letIn(j.open)
			r.advance(time.Second)
			a := j.answer()
			test.change(r, old, j, a)
			devices := r.count("device")
			out, err := j.finish(a)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if n := r.count("device") - devices; (n == 1) != (err == nil) || (out == nil) != (err != nil) {
				t.Errorf("%d new devices, %+v", n, out)
			}
			if test.name != "account locked" && test.name != "account held" && test.name != "account frozen behind its back" {
				r.checked()
			}
		})
	}
}

// TestFinishJoinOnce: a join is finished once, whoever asks again.
func TestFinishJoinOnce(t *testing.T) {
	r := newRig(t)
	old, j := r.enrol(), r.join()
	if _, err := j.finish(&integrity.JoinAnswer{Join: j.open.Join, Message: j.message(nil)}); !errors.Is(err, integrity.ErrTooEarly) {
		t.Errorf("before it is approved: %v", err)
	}
	old.letIn(j.open)
	first, second := j.answer(), j.answer()
	must[*integrity.Signed](t)(j.finish(first))
	first.Message = j.message(nil)
	for name, a := range map[string]*integrity.JoinAnswer{"the same answer": first, "another one": second} {
		if _, err := j.finish(a); !errors.Is(err, integrity.ErrTooLate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := r.count("device") + r.count("credential"); n != 4 {
		t.Errorf("%d devices and passkeys", n)
	}
	r.checked()
}

// TestJoinStatusHolder: how a join stands is nobody's business but its holder's.
// Code and number alone give nothing.
func TestJoinStatusHolder(t *testing.T) {
	r := newRig(t)
	old, j, b, other := r.enrol(), r.join(), r.newBrowser(), r.newBrowser()
	page := b.join(integrity.JoinBrowser)
	old.letIn(page)
	old.letIn(j.open)
	for name, in := range map[string]*integrity.JoinWait{
		"another phone":               {Join: j.open.Join, Message: r.join().message(nil)},
		"the old phone":               {Join: j.open.Join, Message: old.message(nil)},
		"a browser for a phone":       {Join: j.open.Join, Browser: b.at},
		"another browser":             {Join: page.Join, Browser: other.at},
		"a browser without a cookie":  {Join: page.Join, Browser: &integrity.Browser{Origin: origin}},
		"a phone for a browser":       {Join: page.Join, Message: j.message(nil)},
		"nobody":                      {Join: j.open.Join},
		"again, without a first time": {Join: j.open.Join, Message: j.message(nil), Again: true},
	} {
		if s, err := r.JoinStatus(t.Context(), r.anonymous(), in); !errors.Is(err, integrity.ErrJoinUnknown) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	m := j.message(nil)
	in := &integrity.JoinWait{Join: j.open.Join, Message: m}
	for again := range 2 {
		in.Again = again > 0
		if s, err := r.JoinStatus(t.Context(), r.anonymous(), in); err != nil || s.State != integrity.StateConfirmed || len(s.Options) == 0 {
			t.Errorf("%+v, %v", s, err)
		}
	}
	if _, err := r.JoinStatus(t.Context(), r.anonymous(), &integrity.JoinWait{Join: j.open.Join, Message: m}); !errors.Is(err, integrity.ErrProofInvalid) {
		t.Errorf("a message that was used: %v", err)
	}
	r.checked()
}

// TestJoinApproverGone: what a device has let in does not come in when that
// device is frozen or removed meanwhile.
func TestJoinApproverGone(t *testing.T) {
	r := newRig(t)
	first, second := r.couple()
	j := r.join()
	second.letIn(j.open)
	a := j.answer()
	first.stepUp()
	must[*integrity.Frozen](t)(r.FreezeDevice(t.Context(), first.caller(), second.device))
	if _, err := j.finish(a); !errors.Is(err, integrity.ErrJoinExpired) {
		t.Errorf("%v", err)
	}
	r.checked()
}
