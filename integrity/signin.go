package integrity

import (
	"context"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// BeginSignIn opens a ceremony that any passkey of the app may answer: no
// account is named, so there is nothing to find out about one.
func (s *Service) BeginSignIn(ctx context.Context, c account.Caller, in *SignInStart) (*Begun, error) {
	if !c.In(s.app) {
		return nil, ErrNotAllowed
	}
	by, err := binder(c, in.Browser, in.NewPhone)
	if err != nil {
		return nil, err
	}
	if err := s.takeBegin(ctx, c); err != nil {
		return nil, err
	}
	rp, err := s.page(in.Browser, "")
	if err != nil {
		return nil, err
	}
	var allow []passkey.Record
	fake := false
	if in.Handle != "" {
		if allow, fake, err = s.allowedFor(ctx, in.Handle); err != nil {
			return nil, err
		}
	}
	ceremony, options, err := rp.Request(passkey.SignIn, allow, nil, s.now())
	if err != nil {
		return nil, err
	}
	row := ceremonyRow(ceremony)
	row.Fake, row.Binding = fake, by
	out := &Begun{Ceremony: row.ID, Options: options, ExpiresAt: row.ExpiresAt}
	if in.NewPhone { // the key is not there yet; its evidence will be over the challenge
		if out.Challenge, row.AttestChallenge, err = s.challenge(ctx, c); err != nil {
			return nil, err
		}
	}
	if err := s.update(ctx, func(tx Tx) error { return tx.AddCeremony(ctx, row) }); err != nil {
		return nil, err
	}
	return out, nil
}

// takeBegin takes from the bucket for beginning things: that of a known device,
// so that strangers cannot use it up, else that of the network.
func (s *Service) takeBegin(ctx context.Context, c account.Caller) error {
	if c.Device != "" {
		return s.take(ctx, "begin_device", string(c.Device), s.policy.Limits.BeginDevice)
	}
	return s.take(ctx, "begin_network", c.Network, s.policy.Limits.BeginNetwork)
}

// FinishSignIn verifies the answer and opens a session. A phone that is not
// known brings evidence for its key, and what becomes of it synced_new_device
// says.
func (s *Service) FinishSignIn(ctx context.Context, c account.Caller, in *SignInAnswer) (*SignInResult, error) {
	if !c.In(s.app) {
		return nil, ErrNotAllowed
	}
	by, err := binder(c, in.Browser, in.Phone != nil)
	if err != nil {
		return nil, err
	}
	now := s.now()
	a, err := s.assert(ctx, c, passkey.SignIn, in.Ceremony, in.Response, by, "", now)
	if err != nil {
		return nil, err
	}
	if a.assertion.BackupEligible && !account.SyncedAllowed(s.policy.SyncedOK, account.SignIn) {
		return nil, s.failed(ctx, c, a.credential.Account, ErrSyncedRefused)
	}
	if in.Phone != nil {
		return s.signInNewPhone(ctx, c, in, a, now)
	}
	if in.Browser == nil && (c.Device == "" || c.Account != a.credential.Account) {
		return nil, s.failed(ctx, c, c.Account, passkey.ErrRefused) // this phone is of another account, or of none
	}
	var out *Signed
	err = s.act(ctx, func(tx Tx) (err error) {
		out, err = s.signIn(ctx, tx, c, in.Browser, a, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &SignInResult{Signed: out}, nil
}

// signIn is the transaction of FinishSignIn for a known phone or a browser.
func (s *Service) signIn(ctx context.Context, tx Tx, c account.Caller, b *Browser, as *asserted, now time.Time) (*Signed, error) {
	c.Account = as.credential.Account
	c.Session = "" // a new one begins; what the old one was worth does not count
	c.Proofs = slices.DeleteFunc(slices.Clone(c.Proofs), func(p account.Proof) bool { return p.Method != account.ByDeviceKey })
	c.Proofs = append(c.Proofs, as.proof(now))
	sess := account.Session{Account: c.Account, Device: c.Device, Kind: account.PhoneSession}
	if b != nil {
		c.Kind, sess.Kind, sess.Origin, sess.Label = account.Browser, account.BrowserSession, b.Origin, b.Label
	}
	a, err := s.load(ctx, tx, c, now)
	if err != nil {
		return nil, err
	}
	if err := s.use(ctx, tx, as.ceremony, a.account, now); err != nil {
		return nil, err
	}
	if err := s.require(a, account.SignIn); err != nil {
		return nil, err
	}
	if err := s.weigh(ctx, tx, c, as, now); err != nil {
		return nil, err
	}
	if err := s.used(ctx, tx, as, c.Device, now); err != nil {
		return nil, err
	}
	d := s.deed(a, "session.started", "")
	open, err := tx.OpenSessions(ctx, a.Account)
	if err != nil {
		return nil, err
	}
	if err := s.sessionRoom(ctx, tx, a, open); err != nil {
		return nil, err
	}
	told, err := s.newPlace(ctx, tx, a, open)
	if err != nil {
		return nil, err
	}
	if told {
		d.alert, d.data = string(account.SignIn), map[string]any{"credential": as.credential.Ref, "label": sess.Label}
	}
	out, err := s.openSession(ctx, tx, d, a, sess, as, now)
	if err != nil {
		return nil, err
	}
	if b != nil {
		if out.Signals, err = s.signals(ctx, tx, a.account); err != nil {
			return nil, err
		}
	}
	return out, s.record(ctx, tx, d)
}

// openSession opens the session of an assertion, and notes it in the deed.
func (s *Service) openSession(ctx context.Context, tx Tx, d *deed, a *actor, sess account.Session, as *asserted, now time.Time) (*Signed, error) {
	sess.Network, sess.Place, sess.Proofs = a.Network, a.Place, []account.Proof{as.proof(now)}
	sess, token, err := s.startSession(ctx, tx, sess, now)
	if err != nil {
		return nil, err
	}
	a.Session = sess.ID
	out := s.signed(a, sess)
	out.Token, out.Credential = token, as.credential.Ref
	d.class, d.caller.Session, d.event = out.Class, sess.ID, "session.started"
	d.body = map[string]any{"method": account.ByAssertion}
	if len(a.signals) > 0 { // what stood
		d.body["signals"], d.more = names(a.signals), map[string]any{"signals": names(a.signals)}
	}
	if d.subject == "" {
		d.subject = string(sess.ID)
	}
	return out, nil
}

// signed is what a session's owner is told of it.
func (s *Service) signed(a *actor, sess account.Session) *Signed {
	out := &Signed{
		Account: a.account.ID, AccountState: a.account.State, Session: sess.ID, Until: sess.Until, Hold: a.account.Hold,
		Class: account.ClassOf(a.Caller, a.account, a.device, s.policy.Windows, a.now),
	}
	if d := a.device; d != nil {
		out.Device, out.DeviceState = d.ID, d.State
		if d.Hold.Reason != "" {
			out.Hold = d.Hold
		}
	}
	return out
}
