package integrity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
)

// Who joins. A guest is a browser that gets a session and no passkey.
const (
	JoinPhone   = "phone"
	JoinBrowser = "browser"
	JoinGuest   = "guest"
)

const (
	joinLife  = 5 * time.Minute // to be approved, and then as long again to be finished
	joinTries = 3               // wrong numbers, after which it ends
	minCookie = 16              // bytes
)

// RequestJoin opens a join: a new device, which has no account yet, asks to be
// let into one. It shows the code and the number that it gets; a device of the
// account scans the one and asks for the other. Neither of them is worth anything
// to who has not the keys, or the cookie, with which the join was opened.
//
// A phone brings evidence for its key over a challenge of BeginDevice, and the
// key has signed the call. The key is kept pending and belongs to nobody.
func (s *Service) RequestJoin(ctx context.Context, c account.Caller, in *JoinRequest) (*JoinOpened, error) {
	if err := in.check(c, s.app); err != nil {
		return nil, err
	}
	if err := s.takeBegin(ctx, c); err != nil {
		return nil, err
	}
	now := s.now()
	j := s.newJoin(c, in.Kind, now)
	if in.Browser != nil {
		j.Name, j.Origin, j.KeysHash = in.Browser.Label, in.Browser.Origin, cookieHash(in.Browser.Cookie)
		if err := s.act(ctx, func(tx Tx) error { return tx.AddJoin(ctx, j) }); err != nil {
			return nil, err
		}
		return j.opened(), nil
	}
	if err := s.look(ctx, func(tx Tx) error { return s.mayFail(ctx, tx, c, "", now) }); err != nil {
		return nil, err
	}
	k, err := s.verifyJoiner(ctx, in.Phone, now)
	if err != nil {
		return nil, s.failed(ctx, c, "", err)
	}
	err = s.actWithKey(ctx, k, registry.StatePending, func(tx Tx, keyID string) error {
		j.of(in.Phone, keyID)
		return tx.AddJoin(ctx, j)
	})
	if err != nil {
		return nil, err
	}
	return j.opened(), nil
}

// check wants a stranger who is what he says: a phone, or a browser with the
// cookie that alone may finish the join.
func (in *JoinRequest) check(c account.Caller, app account.AppID) error {
	switch {
	case !c.In(app) || c.Kind != account.Anonymous:
		return fmt.Errorf("%w: a device that joins has no account yet", ErrNotAllowed)
	case in.Kind == JoinPhone && in.Phone != nil && in.Browser == nil:
		return nil
	case (in.Kind == JoinBrowser || in.Kind == JoinGuest) && in.Browser != nil && in.Phone == nil:
		if len(in.Browser.Cookie) < minCookie {
			return fmt.Errorf("%w: a browser joins with its ceremony cookie", ErrNotAllowed)
		}
		return nil
	}
	return fmt.Errorf("%w: a join is of a phone with its key, or of a browser or guest with its cookie", ErrMalformed)
}

// newJoin is one that is open.
func (s *Service) newJoin(c account.Caller, kind string, now time.Time) JoinRow {
	return JoinRow{
		ID: account.NewJoinID(), Kind: kind, Number: newNumber(), Place: c.Place, Network: c.Network,
		CreatedAt: now, ExpiresAt: now.Add(joinLife), State: StateOpen,
	}
}

// of makes it that of a phone, whose key is committed.
func (j *JoinRow) of(p *NewPhone, keyID string) {
	sum := account.JoinKeysHash(keyID, p.SealingAlg, p.SealingKey)
	j.Name, j.Platform, j.KeyID, j.KeysHash = p.Name, p.Platform, keyID, sum[:]
	j.SealingAlg, j.SealingKey = p.SealingAlg, p.SealingKey
}

func (j *JoinRow) opened() *JoinOpened {
	return &JoinOpened{Join: j.ID, Code: account.JoinCode(j.ID, j.KeysHash), Number: j.Number, ExpiresAt: j.ExpiresAt}
}

// newNumber is two random digits.
func newNumber() string {
	n, err := rand.Int(rand.Reader, big.NewInt(100))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return fmt.Sprintf("%02d", n)
}

// cookieHash is what a join has of a browser's cookie.
func cookieHash(cookie []byte) []byte {
	sum := sha256.Sum256(append([]byte("staunch/join/cookie/v1\x00"), cookie...))
	return sum[:]
}

// verifyJoiner is verifyKey for a key that is nobody's yet.
func (s *Service) verifyJoiner(ctx context.Context, p *NewPhone, now time.Time) (*newKey, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	in := p.Evidence
	in.App, in.Account, in.BeforeSignUp, in.ForNobody, in.Replaces = s.app, "", false, true, ""
	attempt, err := s.attest.Verify(ctx, account.Caller{Kind: account.Anonymous, App: s.app}, &in)
	if err != nil {
		return nil, err
	}
	if !attempt.Open() {
		return nil, ErrCeremonyExpired
	}
	if err := attempt.Proves(p.Message, s.policy.AppHosts, s.policy.LoopbackToo, now); err != nil {
		return nil, s.proofError(err)
	}
	if err := s.neverEnrolled(ctx, p.Message); err != nil {
		return nil, err
	}
	return &newKey{attempt}, nil
}
