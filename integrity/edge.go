package integrity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"net/netip"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
)

// Prove finds out which phone makes a call: by the key that signed it, and the
// session whose token it bears, if it bears one. What the call may do is not
// decided here. A key that is no device's gives a caller without account.
//
// It is one transaction, which uses the call's nonce or counter up. The session
// is read in it, and again in that of the flow.
func (s *Service) Prove(ctx context.Context, m *request.Message, token Token, allowRevoked bool) (account.Caller, error) {
	proving, err := s.proveLater(ctx, m, allowRevoked)
	if err != nil {
		return account.Caller{}, err
	}
	return s.settleCall(ctx, proving, token)
}

// proveLater is what of Prove needs no transaction that writes.
func (s *Service) proveLater(ctx context.Context, m *request.Message, allowRevoked bool) (*registry.Proving, error) {
	proving, err := s.attest.ProveLater(ctx, &registry.ProofRequest{
		App: s.app, Message: m, Authorities: s.policy.AppHosts, LoopbackToo: s.policy.LoopbackToo, AllowRevoked: allowRevoked,
	})
	if err != nil {
		return nil, s.proofError(err)
	}
	return proving, nil
}

// settleCall is the transaction of Prove.
func (s *Service) settleCall(ctx context.Context, proving *registry.Proving, token Token) (account.Caller, error) {
	now := s.now()
	var c account.Caller
	var refused error
	err := s.act(ctx, func(tx Tx) error {
		c, refused = account.Caller{Kind: account.Phone, App: s.app}, nil
		proved, err := proving.Settle(ctx, tx)
		if errors.Is(err, registry.ErrProofRefused) {
			refused = s.proofError(err)
			return nil // what was signed is used up
		}
		if err != nil {
			return err
		}
		err = s.prove(ctx, tx, &c, proved, token, now)
		if !errors.Is(err, ErrSessionEnded) {
			return err
		}
		refused = err
		var elsewhere *sessionElsewhere
		if errors.As(err, &elsewhere) {
			return s.recordRefusal(ctx, tx, c, elsewhere.of, "session.refused", "session_elsewhere", now)
		}
		return nil
	})
	if err = firstError(err, refused); err != nil {
		return account.Caller{}, err
	}
	return c, nil
}

// prove finds device and session of a call that is proved.
func (s *Service) prove(ctx context.Context, tx Tx, c *account.Caller, proved *registry.Proved, token Token, now time.Time) error {
	c.Key = proved.KeyID
	d, found, err := tx.DeviceByKey(ctx, proved.KeyID)
	if err != nil {
		return err
	}
	if !found {
		return nil
	}
	if err := s.soundDevice(d); err != nil {
		return err
	}
	if d.State == account.Deleted {
		return nil
	}
	c.Account, c.Device = d.Account, d.ID
	c.Proofs = []account.Proof{{
		Method: account.ByDeviceKey, At: now, Device: d.ID, Affirming: proved.Tier == attest.TierAffirming && !proved.Warned,
	}}
	if minute := now.Truncate(time.Minute); minute.After(d.LastSeenAt) {
		if err := tx.SeenDevice(ctx, d.ID, minute); err != nil {
			return err
		}
	}
	if len(token) == 0 {
		return nil
	}
	sess, err := s.bear(ctx, tx, c, token, now)
	if err != nil {
		return err
	}
	return s.seenSession(ctx, tx, sess, now)
}

// sessionElsewhere is a session that lives, in the hands of who is not its device:
// its token was copied. Who bears it learns no more than of one that has ended, and
// the record of the account whose it is tells.
type sessionElsewhere struct{ of account.ID }

func (*sessionElsewhere) Error() string { return ErrSessionEnded.Error() }
func (*sessionElsewhere) Unwrap() error { return ErrSessionEnded }

// bear adds the session of a token to a caller: a phone's if it is that device's
// own, and a browser's or a guest's to who is no device.
func (s *Service) bear(ctx context.Context, tx Tx, c *account.Caller, token Token, now time.Time) (account.Session, error) {
	sess, found, err := tx.SessionByToken(ctx, token.hash())
	switch {
	case err != nil:
		return sess, err
	case !found || !live(sess, now):
		return sess, ErrSessionEnded
	case sess.Device != c.Device || (sess.Kind == account.PhoneSession) != (c.Kind == account.Phone):
		return sess, &sessionElsewhere{sess.Account}
	case c.Account != "" && sess.Account != c.Account:
		return sess, &sessionElsewhere{sess.Account}
	}
	c.Account, c.Session = sess.Account, sess.ID
	c.Proofs = append(c.Proofs, sess.Proofs...)
	return sess, nil
}

// seenSession notes when a session was last seen, to the minute. The row was
// read in this transaction, so that one which has ended does not come back.
func (s *Service) seenSession(ctx context.Context, tx Tx, sess account.Session, now time.Time) error {
	minute := now.Truncate(time.Minute)
	if !minute.After(sess.LastSeenAt) {
		return nil
	}
	sess.LastSeenAt = minute
	return tx.PutSession(ctx, sess, nil)
}

// BrowserCaller finds out whose session a browser's cookie is.
func (s *Service) BrowserCaller(ctx context.Context, token Token, network, place string) (account.Caller, error) {
	if len(token) == 0 {
		return account.Caller{}, ErrSessionRequired
	}
	now := s.now()
	var c account.Caller
	var sess account.Session
	find := func(tx Tx) (err error) {
		c = account.Caller{Kind: account.Browser, App: s.app, Network: network, Place: place}
		sess, err = s.bear(ctx, tx, &c, token, now)
		return err
	}
	err := s.look(ctx, find)
	if err == nil && now.Truncate(time.Minute).After(sess.LastSeenAt) {
		err = s.act(ctx, func(tx Tx) error {
			if err := find(tx); err != nil {
				return err
			}
			return s.seenSession(ctx, tx, sess, now)
		})
	}
	if err != nil {
		return account.Caller{}, err
	}
	return c, nil
}

// ProveBackend finds out whether the app's backend makes a call.
func (s *Service) ProveBackend(ctx context.Context, m *request.Message) (account.Caller, error) {
	if s.backend == nil {
		return account.Caller{}, &ProofError{Reason: "common.key_unknown", ServerTime: s.now()}
	}
	if err := s.attest.ProveBackend(ctx, *s.backend, m, s.policy.AppHosts, s.policy.LoopbackToo); err != nil {
		return account.Caller{}, s.proofError(err)
	}
	return account.Caller{Kind: account.Backend, App: s.app}, nil
}

// proofError turns a refusal of the registry into a *ProofError.
func (s *Service) proofError(err error) error {
	var r *registry.ProofRefused
	if errors.As(err, &r) {
		return &ProofError{Reason: r.Code, ServerTime: r.At}
	}
	return err
}

// hash is what is stored of a token.
func (t Token) hash() [32]byte { return sha256.Sum256(t) }

// Network gives a keyed hash of the network that an address is of: an IPv4 /24,
// or an IPv6 /48. It is empty for what is no address.
func (s *Service) Network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return ""
	}
	ip = ip.Unmap()
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	prefix, err := ip.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	m := hmac.New(sha256.New, s.rateKey)
	m.Write([]byte("staunch/network/v1\x00" + prefix.String()))
	return encode(m.Sum(nil)[:15])
}
