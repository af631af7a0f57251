package integrity

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/staunchid/staunch/account"
)

// startSession opens a session in the transaction of the sign-in, and notes it
// in the deed. The token is given out once; the store has its SHA-256.
func (s *Service) startSession(ctx context.Context, tx Tx, sess account.Session, now time.Time) (account.Session, Token, error) {
	token := make(Token, 32)
	rand.Read(token) // never returns an error
	sess.ID, sess.CreatedAt, sess.LastSeenAt = account.NewSessionID(), now, now.Truncate(time.Minute)
	switch sess.Kind {
	case account.PhoneSession:
		sess.Until = now.Add(s.policy.Sessions.Phone)
	case account.BrowserSession:
		sess.Until = now.Add(s.policy.Sessions.Browser)
	default:
		sess.Until = now.Add(s.policy.Sessions.Guest)
	}
	return sess, token, tx.AddSession(ctx, sess, token.hash())
}
