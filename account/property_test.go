package account_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
)

// TestProofsOnlyAdd: a proof more never takes a permission away.
func TestProofsOnlyAdd(t *testing.T) {
	for _, l := range lines() {
		all := allProofs(l.action)
		sets := subsets(all)
		eachWorld(func(w world) {
			if w.account == account.Unset || w.account == account.Deleted {
				return
			}
			for _, set := range sets {
				if len(set) == 2 {
					continue
				}
				w.proofs = set
				if w.check(l.action) != nil {
					continue
				}
				for _, p := range all {
					w.proofs = append(slices.Clone(set), p)
					if err := w.check(l.action); err != nil {
						t.Fatalf("%s: %v, and allowed without %s: %s", l.action, err, p.Method, w)
					}
				}
			}
		})
	}
}

// allSignals has every signal, about the account, the caller's device and another.
func allSignals() (all []account.Signal) {
	for _, name := range []account.SignalName{
		account.SignalNewDevice, account.SignalBackupState, account.SignalRecentRecovery, account.SignalRecentVeto,
		account.SignalSharedCredential, account.SignalManyFailures, account.SignalNewNetwork, account.SignalCounterRegress,
		account.SignalAttestWarning, account.SignalAttestStale, account.SignalMDSStatus, "attest:apple.risk_metric", "external:sim_swap", "unheard_of",
	} {
		levels := []account.Level{""}
		if strings.HasPrefix(string(name), account.SignalExternalPrefix) {
			levels = []account.Level{account.LevelNote, account.LevelRaise, account.LevelHold, ""}
		}
		for _, level := range levels {
			for _, about := range []account.DeviceID{"", d1, d2} {
				for _, value := range []string{"", "c_aaaaaaaaaaaaaaaaaaaaaaaaa2"} {
					all = append(all, account.Signal{Name: name, Level: level, Device: about, Value: value, Until: noon.Add(day)})
				}
			}
		}
	}
	return all
}

// TestSignalsOnlyTake: a signal more never gives a permission.
func TestSignalsOnlyTake(t *testing.T) {
	took := map[account.SignalName]bool{}
	for _, l := range lines() {
		p := allProofs(l.action)
		sets := [][]account.Proof{nil, {p[0]}, {p[0], p[3]}, {p[0], p[5]}, {p[0], p[8]}, {p[5]}, {p[6]}, {p[8], p[11]}, {p[0], p[11]}, {p[8], p[12]}, {p[1], p[12]}, {p[2], p[12]}}
		for _, w := range []world{
			{who: "active", account: account.Active}, {who: "active", account: account.Frozen}, {who: "leaving", account: account.Held},
			{who: "new", account: account.Active}, {who: "browser", account: account.Active}, {who: "new phone", account: account.Active},
			{who: "locked", account: account.Active}, {who: "browser", account: account.Frozen, deviceless: true},
		} {
			w.session, w.synced, w.now = true, true, noon
			for _, w.proofs = range sets {
				w.signals = nil
				allowed := w.check(l.action) == nil
				for _, s := range allSignals() {
					w.signals = []account.Signal{s}
					after := w.check(l.action) == nil
					if after && !allowed {
						t.Fatalf("%s: refused, and allowed once %s stands: %s", l.action, s.Name, w)
					}
					took[s.Name] = took[s.Name] || allowed && !after
				}
			}
		}
	}
	for name, took := range took {
		if !took {
			t.Errorf("%s never refuses anything", name)
		}
	}
}

// TestNoPersonWithoutPasskey: no set of proofs in which no passkey was used
// reaches Person.
func TestNoPersonWithoutPasskey(t *testing.T) {
	var weak []account.Proof
	for _, p := range allProofs(account.RemoveDevice) {
		if p.Credential == "" {
			p.Action, p.Digest = account.RemoveDevice, make([]byte, 32) // as if it were over the action
			weak = append(weak, p)
		}
	}
	if len(weak) != 8 {
		t.Fatalf("%d methods use no passkey", len(weak))
	}
	r := account.Required(account.RemoveDevice).Within(windows())
	r.SyncedOK = true
	for i := range 1 << len(weak) {
		var proofs []account.Proof
		for j, p := range weak {
			if i>>j&1 != 0 {
				proofs = append(proofs, p)
			}
		}
		for _, who := range append(devices(), others()...) {
			c, a, d := world{who: who, account: account.Active, session: true, proofs: proofs}.parts()
			if class := r.Seen(c, a, d, noon); class >= account.Person {
				t.Fatalf("%s with %d proofs is %s", who, len(proofs), class)
			}
			if class := account.ClassOf(c, a, d, windows(), noon); class >= account.Person {
				t.Fatalf("%s with %d proofs is said to be %s", who, len(proofs), class)
			}
		}
	}
}

// TestUnfreezeImpliesFreeze: whoever may unfreeze the account, at once or after
// a wait, may freeze it; and not the other way round.
func TestUnfreezeImpliesFreeze(t *testing.T) {
	more := 0
	sets := subsets(allProofs(account.UnfreezeAccount))
	eachWorld(func(w world) {
		for _, w.proofs = range sets {
			if !w.synced && slices.ContainsFunc(w.proofs, func(p account.Proof) bool { return p.Synced && p.Method == account.ByAssertion }) {
				continue // where synced passkeys may not sign in there is no such session
			}
			c, a, d := w.parts()
			unfreeze := w.require(account.UnfreezeAccount)
			thaws := unfreeze.Check(c, a, d, noon) == nil || unfreeze.Slow().Check(c, a, d, noon) == nil
			freezes := w.check(account.FreezeAccount) == nil
			if thaws && !freezes {
				t.Fatalf("may unfreeze, and not freeze: %s", w)
			}
			if freezes && !thaws {
				more++
			}
		}
	})
	if more == 0 {
		t.Error("whoever may freeze may unfreeze")
	}
}

// stepUps are the actions that need a step-up or more.
func stepUps() (all []account.Action) {
	for _, l := range lines() {
		if account.Required(l.action).Class >= account.Fresh {
			all = append(all, l.action)
		}
	}
	return all
}

// TestWeakProofAsStepUp: what opens one flow, or is no more than a cookie or a
// device, is no step-up, alone or together.
func TestWeakProofAsStepUp(t *testing.T) {
	for _, action := range stepUps() {
		over := over(action)
		weak := []account.Proof{
			proof(account.ByPIN, 0, over), proof(account.ByOperator, 0, over), proof(account.ByFreezeCode, 0, over), proof(account.ByBackend, 0, over),
			proof(account.ByApproval, 0, over), proof(account.ByDeviceKey, 0, over, affirming), proof(account.ByCreation, 0, over),
			proof(account.ByAssertion, time.Hour, over), proof("", 0, over), proof("otp", 0, over),
		}
		for _, who := range []string{"active", "leaving", "browser"} {
			for _, state := range []account.State{account.Active, account.Frozen} {
				w := world{who: who, account: state, session: true, synced: true, now: noon, proofs: weak}
				if err := w.check(action); !errors.Is(err, account.ErrRefused) {
					t.Errorf("%s, from %s: %v", action, who, err)
				}
			}
		}
	}
}

// TestRecoveryIsNotASession: the PIN opens the recovery and nothing else.
func TestRecoveryIsNotASession(t *testing.T) {
	w := world{who: "browser", account: account.Active, session: true, synced: true, now: noon, proofs: []account.Proof{proof(account.ByPIN, 0)}}
	for _, l := range lines() {
		if err := w.check(l.action); (err == nil) != (l.action == account.SignIn) {
			t.Errorf("%s: %v", l.action, err)
		}
	}
	c, a, _ := w.parts()
	if class := account.ClassOf(c, a, nil, windows(), noon); class != account.AnonymousClass {
		t.Errorf("it is %s", class)
	}
}

// TestGuestCannotApprove: who was let in by another device can sign himself out,
// and is asked for a passkey for all else.
func TestGuestCannotApprove(t *testing.T) {
	w := world{who: "browser", account: account.Active, session: true, synced: true, now: noon, proofs: []account.Proof{proof(account.ByApproval, 0)}}
	for _, l := range lines() {
		var refused *account.Refused
		err := w.check(l.action)
		if ok := l.action == account.SignIn || l.action == account.EndOwnSession; ok != (err == nil) {
			t.Errorf("%s: %v", l.action, err)
		}
		if errors.As(err, &refused) && refused.Why == account.WhyStepUp && refused.Have != account.GuestClass {
			t.Errorf("%s: there is %s", l.action, refused.Have)
		}
	}
	for _, action := range []account.Action{account.ApprovalPropose, account.ApprovalDeny, account.AddDevice, account.AddCredential} {
		if err := w.check(action); err == nil {
			t.Errorf("a guest may %s", action)
		}
	}
	for _, action := range []account.Action{account.RemoveDevice, account.RemoveCredential, "app.pay"} {
		w.proofs = append(w.proofs, proof(account.ByAction, 0, over(action))) // with a passkey, even
	}
	c, a, d := w.parts()
	for _, r := range []account.Requirement{
		account.Required(account.RemoveDevice), account.Required(account.RemoveCredential),
		account.AppAction("pay", account.Exact, false), account.AppAction("pay", account.Bound, false),
	} {
		if err := r.Within(windows()).Check(c, a, d, noon); err == nil {
			t.Errorf("a guest approves %s", r.Action)
		}
	}
}
