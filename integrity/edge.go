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
func (s *Service) Prove(ctx context.Context, m *request.Message, token Token, allowRevoked bool) (account.Caller, error) {
	proved, err := s.attest.Prove(ctx, &registry.ProofRequest{
		App: s.app, Message: m, Authorities: s.policy.AppHosts, LoopbackToo: s.policy.LoopbackToo, AllowRevoked: allowRevoked,
	})
	if err != nil {
		return account.Caller{}, s.proofError(err)
	}
	now := s.now()
	c := account.Caller{Kind: account.Phone, App: s.app, Key: proved.KeyID}
	err = s.look(ctx, func(tx Tx) error {
		c.Account, c.Device, c.Session, c.Proofs = "", "", "", nil
		d, found, err := tx.DeviceByKey(ctx, proved.KeyID)
		if err != nil {
			return err
		}
		if !found || d.State == account.Deleted {
			return nil
		}
		if err := s.soundDevice(d); err != nil {
			return err
		}
		c.Account, c.Device = d.Account, d.ID
		c.Proofs = append(c.Proofs, account.Proof{
			Method: account.ByDeviceKey, At: now, Device: d.ID,
			Affirming: proved.Tier == attest.TierAffirming && !proved.Warned,
		})
		return s.bear(ctx, tx, &c, token, now)
	})
	if err != nil {
		return account.Caller{}, err
	}
	return c, nil
}

// bear adds the session of a token to a caller. It must be that device's.
func (s *Service) bear(ctx context.Context, tx Tx, c *account.Caller, token Token, now time.Time) error {
	if len(token) == 0 {
		return nil
	}
	sess, found, err := tx.SessionByToken(ctx, token.hash())
	switch {
	case err != nil:
		return err
	case !found || !live(sess, now) || sess.Device != c.Device || c.Account != "" && sess.Account != c.Account:
		return ErrSessionEnded
	}
	c.Account, c.Session = sess.Account, sess.ID
	c.Proofs = append(c.Proofs, sess.Proofs...)
	return nil
}

// BrowserCaller finds out whose session a browser's cookie is.
func (s *Service) BrowserCaller(ctx context.Context, token Token, network, place string) (account.Caller, error) {
	c := account.Caller{Kind: account.Browser, App: s.app, Network: network, Place: place}
	now := s.now()
	err := s.look(ctx, func(tx Tx) error {
		c.Account, c.Session, c.Proofs = "", "", nil
		if len(token) == 0 {
			return ErrSessionRequired
		}
		return s.bear(ctx, tx, &c, token, now)
	})
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
