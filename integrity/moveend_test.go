package integrity_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
)

// TestRecallTakesAllBack: the new device goes, with its sessions and all that it has
// let in, and the old one is active again.
func TestRecallTakesAllBack(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("ack")
	r.advance(r.opts.Policy.Holds.Add)
	r.tick()
	m.n.signIn()
	guest := r.join() // a phone, and a browser, which the new phone lets in
	m.n.letIn(guest.open)
	if _, err := guest.finish(guest.answer()); err != nil {
		t.Fatal(err)
	}
	b := r.newBrowser()
	open := b.join(integrity.JoinBrowser)
	m.n.letIn(open)
	s := must[*integrity.JoinStatus](t)(b.joinStatus(open.Join))
	signed := must[*integrity.Signed](t)(r.FinishJoin(t.Context(), elsewhere(r.anonymous()), &integrity.JoinAnswer{
		Join: open.Join, Ceremony: s.Ceremony, Response: must[[]byte](t)(b.passkey.Create(s.Options, origin)), Browser: b.at,
	}))
	for range 2 { // once more gets the same answer
		if err := m.recall(); err != nil {
			t.Fatal(err)
		}
	}
	if m.view.State != transfer.Recalled {
		t.Errorf("it is %s", m.view.State)
	}
	if got := p.status(); got.DeviceState != account.Active || got.AccountState != account.Active {
		t.Errorf("the old phone: %+v", got)
	}
	for name, id := range map[string]account.DeviceID{"the new phone": m.n.device, "what it let in": guest.device} {
		if d := r.device(id); d.State != account.Deleted {
			t.Errorf("%s is %s", name, d.State)
		}
	}
	cred := read(r, func(tx integrity.Tx) (account.Credential, error) {
		c, _, err := tx.Credential(t.Context(), signed.Credential)
		return c, err
	})
	if cred.State != account.CredentialRemoved {
		t.Errorf("the browser's passkey is %s", cred.State)
	}
	if n := r.count("session WHERE device = ? AND ended_at IS NULL", string(m.n.device)); n != 0 {
		t.Errorf("the new phone still has %d sessions", n)
	}
	p.signIn()
	if !has(r.kinds(p.account), "transfer.recalled") {
		t.Error("nobody is told")
	}
	r.checked()
}

// TestFinishMove: the owner ends the window early, and the old device goes, with its
// passkey. After it nothing is taken back.
func TestFinishMove(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("ack")
	for range 2 {
		if err := m.finish(); err != nil {
			t.Fatal(err)
		}
	}
	if m.view.State != transfer.Final || r.device(p.device).State != account.Deleted {
		t.Errorf("it is %s, the old device %s", m.view.State, r.device(p.device).State)
	}
	passkeys, _, err := r.Passkeys(t.Context(), m.n.caller())
	if err != nil || len(passkeys) != 1 || passkeys[0].Devices[0] != m.n.device {
		t.Errorf("passkeys %+v, %v", passkeys, err)
	}
	r.checked()
}

// TestNewPhoneIsRemoved: another device of the account vetoes the new phone, or
// removes it, or it leaves: the move is undone, and the old phone stays.
func TestNewPhoneIsRemoved(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(r *rig, m *move, third *phone) error
	}{
		{"veto", func(r *rig, m *move, third *phone) error {
			_, err := r.Veto(r.t.Context(), third.caller(), m.n.device, "")
			return err
		}},
		{"removal", func(_ *rig, m *move, third *phone) error {
			_, err := third.do(account.RemoveDevice, "device", m.n.device)
			return err
		}},
		{"leave", func(r *rig, m *move, _ *phone) error {
			m.n.signIn()
			return r.LeaveDevice(r.t.Context(), m.n.caller())
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := moveRig(t)
			third, p := r.couple()
			m := p.moving()
			m.to("confirm")
			if m.view.State == transfer.Held { // two devices share a passkey: one came by a sign-in
				r.advance(12 * time.Hour)
				third.signIn()
				p.signIn()
			}
			for _, do := range []func() error{m.put, m.seal, m.commit} {
				if err := do(); err != nil {
					t.Fatal(err)
				}
			}
			if err := tt.do(r, m, third); err != nil {
				t.Fatal(err)
			}
			if got := m.standing(); got.State != transfer.Recalled {
				t.Errorf("it is %s", got.State)
			}
			if old := r.device(p.device); old.State != account.Active || r.device(m.n.device).State != account.Deleted {
				t.Errorf("the old phone is %s", old.State)
			}
			if !has(r.kinds(p.account), "transfer.recalled") {
				t.Error("nobody is told that the old phone has the account again")
			}
			r.checked()
		})
	}
}

// TestFreezeInEachState: a freeze ends what is not committed, and stops the clock of
// a recall afterwards.
func TestFreezeInEachState(t *testing.T) {
	for _, tt := range []struct {
		after string
		want  transfer.State
	}{
		{"claim", transfer.Aborted}, {"match", transfer.Aborted}, {"confirm", transfer.Aborted}, {"put", transfer.Aborted},
		{"seal", transfer.Aborted}, {"commit", transfer.Committed}, {"ack", transfer.Acked},
	} {
		t.Run(tt.after, func(t *testing.T) {
			r := moveRig(t)
			p := r.mover()
			m := p.moving().to(tt.after)
			by := p
			if m.n.device != "" {
				by = m.n
			}
			must[*integrity.Frozen](t)(r.Freeze(t.Context(), by.caller()))
			got := m.standing()
			if got.State != tt.want || tt.want == transfer.Aborted && got.Reason != transfer.Frozen {
				t.Fatalf("it is %s, %s", got.State, got.Reason)
			}
			r.advance(100 * time.Hour)
			r.tick()
			if got := m.standing().State; got != tt.want {
				t.Errorf("while it is frozen it becomes %s", got)
			}
			r.checked()
		})
	}
}

// TestRecallOfAFrozenAccount: a freeze, which is what every alert advises and what a
// phisher's phone may do too, does not take the recall away. The account stays frozen,
// and the old phone unfreezes it.
func TestRecallOfAFrozenAccount(t *testing.T) {
	for _, after := range []string{"commit", "ack"} {
		for _, who := range []string{"the new phone", "the old phone"} {
			t.Run(who+" freezes after "+after, func(t *testing.T) {
				r := moveRig(t)
				p := r.mover()
				m := p.moving().to(after)
				by := m.n
				if who == "the old phone" {
					by, p.token = p, nil // the commit has ended its session
					p.signIn()
				}
				must[*integrity.Frozen](t)(r.Freeze(t.Context(), by.caller()))
				r.advance(time.Second)
				if err := m.recall(); err != nil {
					t.Fatal(err)
				}
				if a := r.row(p.account); a.State != account.Frozen {
					t.Errorf("the account is %s", a.State)
				}
				if old := r.device(p.device); old.State != account.Active || r.device(m.n.device).State != account.Deleted {
					t.Errorf("the old phone is %s", old.State)
				}
				p.token = nil
				p.signIn()
				if got := thawed(t, must[*integrity.Confirmed](t)(p.do(account.UnfreezeAccount)).Result); got.State != account.Active {
					t.Errorf("unfrozen it is %s", got.State)
				}
				r.checked()
			})
		}
	}
}

// TestFrozenDeviceMoves: the old phone is frozen before the commit, and the transfer
// ends; a third device is, and it does not.
func TestFrozenDeviceMoves(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("seal")
	must[*integrity.Frozen](t)(r.FreezeDevice(t.Context(), p.caller(), p.device))
	if got := m.standing(); got.State != transfer.Aborted || got.Reason != transfer.Frozen {
		t.Errorf("it is %s, %s", got.State, got.Reason)
	}
	if err := m.commit(); !errors.Is(err, transfer.ErrEnded) {
		t.Errorf("committed: %v", err)
	}
	r.checked()
}

// TestCancelRacesCommit: of a cancel and a receipt at once one wins, and both phones
// learn the same.
func TestCancelRacesCommit(t *testing.T) {
	for i := range 5 {
		r := moveRig(t)
		p := r.mover()
		m := p.moving().to("seal")
		c := p.caller()
		var wg sync.WaitGroup
		var cancelled, committed error
		wg.Go(func() {
			time.Sleep(time.Duration(i) * 2 * time.Millisecond)
			_, cancelled = r.CancelMove(t.Context(), c, m.id, m.sendTok, transfer.UserCancelled)
		})
		wg.Go(func() { committed = m.commit() })
		wg.Wait()
		if (cancelled == nil) == (committed == nil) {
			t.Fatalf("cancel: %v; commit: %v", cancelled, committed)
		}
		got, old := m.standing().State, r.device(p.device).State
		if committed == nil && (got != transfer.Committed || old != account.Held) || cancelled == nil && (got != transfer.Aborted || old != account.Active) {
			t.Errorf("it is %s, the old phone %s", got, old)
		}
		r.checked()
	}
}

// TestRecoveryDuringTransfer: a recovery on another phone ends a move that is not
// committed, and undoes one whose new phone still cools off: there is one winner.
func TestRecoveryDuringTransfer(t *testing.T) {
	for _, tt := range []struct {
		after string
		want  transfer.State
	}{{"seal", transfer.Aborted}, {"commit", transfer.Recalled}, {"ack", transfer.Recalled}} {
		t.Run(tt.after, func(t *testing.T) {
			r := moveRig(t)
			v := newPINVault()
			r.reopen(func(o *integrity.Options) { o.Recovery, o.Policy.Waits.Recovery = v, time.Hour })
			p := r.mover()
			m := p.moving().to("confirm")
			q := p.recoverer(v)
			s := q.ready()
			for _, step := range m.steps()[6:] {
				if err := step.do(); err != nil {
					t.Fatalf("%s: %v", step.name, err)
				}
				if step.name == tt.after {
					break
				}
			}
			if _, err := q.finish(q.answer(s)); err != nil {
				t.Fatal(err)
			}
			if got := m.standing().State; got != tt.want {
				t.Errorf("it is %s", got)
			}
			old := r.device(p.device)
			if old.Hold.Reason != account.HoldLeaving || old.Hold.By != q.device || old.Hold.Until.IsZero() {
				t.Errorf("the old phone leaves for %s until %s", old.Hold.By, old.Hold.Until)
			}
			if err := m.commit(); err == nil && tt.want == transfer.Aborted {
				t.Error("and then it was committed")
			}
			r.advance(r.opts.Policy.Holds.Recovery)
			r.tick()
			if got := r.device(q.device).State; got != account.Active || r.device(p.device).State != account.Deleted {
				t.Errorf("after the hold: %s and %s", got, r.device(p.device).State)
			}
			r.checked()
		})
	}
}

// TestMoveOfChangedAccount: what can never succeed any more ends, in the transaction
// that finds it.
func TestMoveOfChangedAccount(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("seal")
	err := r.opts.Update(t.Context(), func(tx integrity.Tx) error { // attested anew, which ends nothing
		d, _, err := tx.Device(t.Context(), p.device)
		if err != nil {
			return err
		}
		d.KeyID = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		d.MAC = d.Seal(r.opts.RowKey)
		return tx.PutDevice(t.Context(), d)
	})
	if err != nil {
		t.Fatal(err)
	}
	var ended *transfer.EndedError
	if err := m.commit(); !errors.As(err, &ended) || ended.Reason != transfer.AccountChanged {
		t.Errorf("committed: %v", err)
	}
	if got := m.standing(); got.State != transfer.Aborted || got.Reason != transfer.AccountChanged {
		t.Errorf("it is %s, %s", got.State, got.Reason)
	}
}
