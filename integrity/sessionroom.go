package integrity

import (
	"context"

	"github.com/staunchid/staunch/account"
)

// OpenSession is what a sign-in has to know of a session that has not ended.
type OpenSession struct {
	ID      account.SessionID
	Device  account.DeviceID // empty: a browser's, or a guest's
	Network string
}

// How many sessions of one phone, and of all browsers and guests together, are
// open at once. A phone whose app signs in again and again makes room for several
// at a time, for its old ones are of no use to anybody.
const (
	phoneSessionsMost = 16
	phoneSessionsLeft = 8
	webSessionsMost   = 50
)

// sessionRoom ends the oldest sessions of a phone, or of the browsers, that has
// many of them, before it opens one more. Else whoever signs in all day slows down
// whatever reads them: a freeze, a revocation, each list of devices. open are
// those of the account, the newest first.
func (s *Service) sessionRoom(ctx context.Context, tx Tx, a *actor, open []OpenSession) error {
	var own []account.SessionID
	for _, sess := range open {
		if sess.Device == a.Device {
			own = append(own, sess.ID)
		}
	}
	most, left := webSessionsMost, webSessionsMost-1
	if a.Device != "" {
		most, left = phoneSessionsMost, phoneSessionsLeft
	}
	if len(own) < most {
		return nil
	}
	_, err := s.revoke(ctx, tx, Scope{Account: a.Account, Sessions: own[left:]}, "too_many", a.now)
	return err
}
