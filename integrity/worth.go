package integrity

import "github.com/staunchid/staunch/account"

// Worth is the class that a session gives whoever calls with it now, as lists
// show it. What state its device is in is said beside it.
func (s *Service) Worth(sess account.Session) account.Class { return s.worth(sess, nil) }

// worth is Worth with the signals that stand: the session of a passkey that has
// become suspect is worth less.
func (s *Service) worth(sess account.Session, signals []account.Signal) account.Class {
	c := account.Caller{
		Kind: account.Browser, App: s.app, Account: sess.Account, Session: sess.ID, Device: sess.Device, Proofs: sess.Proofs,
	}
	var d *account.Device
	if sess.Device != "" {
		d = &account.Device{ID: sess.Device, Account: sess.Account, State: account.Active}
		c.Kind = account.Phone
		c.Proofs = append([]account.Proof{{Method: account.ByDeviceKey, Device: sess.Device}}, sess.Proofs...)
	}
	r := account.Requirement{SyncedOK: true}.Within(s.policy.Windows).Raise(signals)
	return r.Seen(c, account.Account{ID: sess.Account, State: account.Active}, d, s.now())
}
