package account_test

import (
	"time"

	"github.com/staunchid/staunch/account"
)

// world is one situation: who asks, from what, in which account, with which
// proofs. The account was frozen at noon, and the caller's device was enrolled
// ten days before.
type world struct {
	who     string // a device: "active", "new", "leaving", "frozen", "locked", "deleted"; or "browser", "new phone", "anonymous", ...
	account account.State
	session bool
	proofs  []account.Proof
	now     time.Time

	deviceless bool
	synced     bool // the app lets synced passkeys count
	signals    []account.Signal
}

func windows() account.Windows {
	return account.Windows{Person: day, Fresh: 5 * time.Minute, Risky: time.Minute}
}

func devices() []string {
	return []string{"active", "new", "leaving", "frozen", "locked", "deleted"}
}

func others() []string {
	return []string{"browser", "new phone", "anonymous", "backend", "operator", "system", ""}
}

func states() []account.State {
	return []account.State{account.Unset, account.Active, account.Held, account.Frozen, account.Locked, account.Deleted}
}

// parts gives what Check takes.
func (w world) parts() (account.Caller, account.Account, *account.Device) {
	c := account.Caller{App: "demo", Account: mine, Proofs: w.proofs}
	a := account.Account{ID: mine, State: w.account, NotBefore: noon, Deviceless: w.deviceless}
	if a.State == account.Held {
		a.Hold = account.Hold{Reason: "recovered", Since: noon.Add(-time.Hour), Until: noon.Add(71 * time.Hour)}
	}
	if w.session {
		c.Session = "s_aaaaaaaaaaaaaaaaaaaaaaaaa2"
	}
	d := &account.Device{ID: d1, Account: mine, AddedAt: noon.Add(-10 * day), Tier: "affirming"}
	switch w.who {
	case "active":
		d.State = account.Active
	case "new":
		d.State, d.Hold = account.Held, account.Hold{Reason: "new", Since: d.AddedAt, Until: noon.Add(20 * day)}
	case "leaving":
		d.State, d.Hold = account.Held, account.Hold{Reason: "leaving", Since: noon.Add(-time.Hour), Until: noon.Add(20 * day)}
	case "frozen":
		d.State, d.Prior = account.Frozen, account.Active
	case "locked":
		d.State, d.Prior = account.Locked, account.Active
	case "deleted":
		d.State = account.Deleted
	default:
		kinds := map[string]account.Kind{"new phone": account.Phone, "browser": account.Browser}
		if c.Kind = account.Kind(w.who); kinds[w.who] != "" {
			c.Kind = kinds[w.who]
		}
		if c.Kind != account.Browser {
			c.Account = ""
		}
		if w.who == "new phone" {
			c.Key = "key"
		}
		return c, a, nil
	}
	c.Kind, c.Device, c.Key = account.Phone, d1, "key"
	return c, a, d
}

// require gives the requirement of an action, about what it needs to be about: a
// device that was added an hour ago, or the move of the caller's device.
func (w world) require(action account.Action) account.Requirement {
	r := account.Required(action).Within(windows())
	r.SyncedOK = w.synced
	switch action {
	case account.RenameDevice:
		r = r.About(account.Device{ID: d1})
	case account.VetoAction:
		r = r.About(account.Device{ID: d2, AddedAt: noon.Add(-time.Hour), Hold: account.Hold{Reason: "new", Since: noon.Add(-time.Hour)}})
	case account.RecallMove:
		r = r.AboutMove(d1, d2)
	case account.FinishMove:
		r = r.AboutMove(d2, d1)
		if w.who == "leaving" {
			r = r.AboutMove(d1, d2)
		}
	}
	return r.Raise(w.signals)
}

func (w world) check(action account.Action) error {
	c, a, d := w.parts()
	return w.require(action).Check(c, a, d, w.now)
}

// proof makes a proof that was seen some time ago.
func proof(m account.Method, ago time.Duration, change ...func(*account.Proof)) account.Proof {
	p := account.Proof{Method: m, At: noon.Add(-ago)}
	switch m {
	case account.ByDeviceKey:
		p.Device = d1
	case account.ByAction:
		p.Digest = make([]byte, 32)
	}
	if m == account.ByCreation || m == account.ByAssertion || m == account.ByAction {
		p.Credential = "c_aaaaaaaaaaaaaaaaaaaaaaaaa2"
	}
	for _, f := range change {
		f(&p)
	}
	return p
}

func synced(p *account.Proof)    { p.Synced = true }
func suspect(p *account.Proof)   { p.Suspect = true }
func affirming(p *account.Proof) { p.Affirming = true }
func otherKey(p *account.Proof)  { p.Device = d2 }

func over(a account.Action) func(*account.Proof) {
	return func(p *account.Proof) { p.Action = a }
}

// allProofs has every method, in every form that matters.
func allProofs(action account.Action) []account.Proof {
	return []account.Proof{
		proof(account.ByDeviceKey, 0),
		proof(account.ByDeviceKey, 0, affirming),
		proof(account.ByDeviceKey, 0, affirming, otherKey),
		proof(account.ByCreation, time.Minute),
		proof(account.ByCreation, 25*time.Hour),
		proof(account.ByAssertion, 2*time.Minute),
		proof(account.ByAssertion, 2*time.Minute, synced),
		proof(account.ByAssertion, 2*time.Minute, suspect),
		proof(account.ByAssertion, time.Hour),
		proof(account.ByAssertion, 25*time.Hour),
		proof(account.ByApproval, time.Minute),
		proof(account.ByAction, 0, over(action)),
		proof(account.ByAction, 0, over(action), synced),
		proof(account.ByAction, 0, over(action), suspect),
		proof(account.ByAction, 0, over("another.action")),
		proof(account.ByPIN, 0),
		proof(account.ByOperator, 0),
		proof(account.ByFreezeCode, 0),
		proof(account.ByBackend, 0),
	}
}

// subsets gives all sets of at most two proofs.
func subsets(all []account.Proof) [][]account.Proof {
	sets := [][]account.Proof{nil}
	for i, p := range all {
		sets = append(sets, []account.Proof{p})
		for _, q := range all[:i] {
			sets = append(sets, []account.Proof{p, q})
		}
	}
	return sets
}
