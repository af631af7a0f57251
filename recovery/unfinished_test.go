package recovery_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
)

// unproving is a service that has lost the receipts of the first releases.
type unproving struct {
	recovery.Transport
	asked atomic.Int32
}

func (u *unproving) FinishSession(ctx context.Context, session recovery.SessionSecret) error {
	if u.asked.Add(1) == 1 {
		return recovery.ErrUnfinished
	}
	return u.Transport.FinishSession(ctx, session)
}

// TestUnfinished: a right PIN whose proof was lost with a server is proved by
// another attempt, which leaves all attempts as they are: the same one again
// would prove nothing, for ever.
func TestUnfinished(t *testing.T) {
	b, _, _ := backedUp(t, recoverytest.Options{})
	h := b.handset(alice, phone1)
	lossy := &unproving{Transport: h.net.Transport}
	h.net.Transport = lossy
	if got := h.right("482915", "one"); got.Remaining != 10 {
		t.Errorf("%d attempts remain", got.Remaining)
	}
	if n := lossy.asked.Load(); n != 2 {
		t.Errorf("the session was finished %d times", n)
	}
	finished(h, true)
	if n := len(b.told("recovery.attempt")); n != 2 {
		t.Errorf("the owner was told of %d attempts, want 2", n)
	}
}
