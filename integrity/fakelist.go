package integrity

import (
	"context"
	"fmt"

	"github.com/staunchid/staunch/passkey"
)

// allowedFor gives the passkeys of the account with that handle.
func (s *Service) allowedFor(context.Context, string) (allow []passkey.Record, fake bool, err error) {
	if !s.policy.ByHandle {
		return nil, false, fmt.Errorf("%w: this app takes no handles", ErrNotAllowed)
	}
	return nil, false, ErrNotAllowed
}
