package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
)

// changeLimit bounds what needs no passkey for each time and is written down, or
// told to all devices, for ever: renames, and denials. Else 90 days of alerts are
// full of one newcomer's, and nobody finds the one that tells of him.
var changeLimit = Limit{N: 30, Per: time.Hour}

// takeChange takes from the bucket for changes of a kind: of the caller's device,
// so that one that cools off does not use up the others', or of the browsers of
// the account, which may open a new session for each.
func (s *Service) takeChange(ctx context.Context, c account.Caller, kind string) error {
	if c.Account == "" { // refused by load
		return nil
	}
	of := string(c.Device)
	if of == "" {
		of = string(c.Account)
	}
	return s.take(ctx, kind, of, changeLimit)
}
