package integrity

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
)

// holder is who has opened a join, by what he has shown: the key that has signed
// his call, or his cookie. Nobody else waits for it or finishes it.
type holder struct {
	key     string
	cookie  []byte
	proving *registry.Proving // of a phone: the call's nonce, which is not used up yet
}

// holder finds out who calls. The key may be one that is pending.
func (s *Service) holder(ctx context.Context, m *request.Message, b *Browser) (*holder, error) {
	switch {
	case m != nil && b == nil:
		p, err := s.attest.ProveLater(ctx, &registry.ProofRequest{
			App: s.app, Message: m, Authorities: s.policy.AppHosts, LoopbackToo: s.policy.LoopbackToo, Pending: true,
		})
		if err != nil {
			return nil, s.proofError(err)
		}
		return &holder{key: p.KeyID(), proving: p}, nil
	case b != nil && m == nil && len(b.Cookie) >= minCookie:
		return &holder{cookie: b.Cookie}, nil
	}
	return nil, ErrJoinUnknown
}

// waiter is the holder who waits for a join. What a call has proved when it asked
// first stands when it asks again; who never has is refused.
func (s *Service) waiter(ctx context.Context, in *JoinWait) (*holder, error) {
	if in.Again {
		if in.proved == nil {
			return nil, ErrJoinUnknown
		}
		return in.proved, nil
	}
	h, err := s.holder(ctx, in.Message, in.Browser)
	if err != nil {
		return nil, err
	}
	if h.proving != nil {
		if err := s.act(ctx, func(tx Tx) error { return s.settle(ctx, tx, h) }); err != nil {
			return nil, err
		}
	}
	in.proved = h
	return h, nil
}

// settle uses the call's nonce up, in the transaction of what it does.
func (s *Service) settle(ctx context.Context, tx Tx, h *holder) error {
	if h.proving == nil {
		return nil
	}
	if _, err := h.proving.Settle(ctx, tx); err != nil {
		return s.proofError(err)
	}
	return nil
}

// holds reports whether it is his join.
func (h *holder) holds(j JoinRow) bool {
	if j.Kind == JoinPhone {
		return h.key != "" && h.key == j.KeyID
	}
	return len(h.cookie) > 0 && subtle.ConstantTimeCompare(cookieHash(h.cookie), j.KeysHash) == 1
}

// binding binds a ceremony to the join and who holds it.
func (h *holder) binding(id account.JoinID) []byte {
	return binding("join", append([]byte(string(id)+"\x00"+h.key+"\x00"), h.cookie...))
}

// held reads a holder's join. One that is not there is not told from somebody
// else's.
func (s *Service) held(ctx context.Context, tx Tx, id account.JoinID, h *holder, now time.Time) (JoinRow, error) {
	if id.Validate() != nil {
		return JoinRow{}, ErrJoinUnknown
	}
	j, found, err := tx.Join(ctx, id)
	switch {
	case err != nil:
		return j, err
	case !found || !h.holds(j):
		return JoinRow{}, ErrJoinUnknown
	case (j.State == StateOpen || j.State == StateConfirmed) && !now.Before(j.ExpiresAt):
		return JoinRow{}, ErrJoinExpired
	}
	return j, nil
}

// WatchJoin gives a channel that gets a value when the join has changed, and a
// function that ends it. As with Watch, who waits looks from time to time too.
func (s *Service) WatchJoin(id account.JoinID) (<-chan struct{}, func()) { return s.joins.watch(id) }

// errNotConfirmed is why a join cannot be finished, by its state.
func errNotConfirmed(state string) error {
	switch state {
	case StateOpen:
		return fmt.Errorf("%w: no device of the account has approved the join yet", ErrTooEarly)
	case StateFinished:
		return ErrTooLate
	}
	return ErrJoinExpired
}
