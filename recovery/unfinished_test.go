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

// TestUpdating: an update that was cut off is told from what only the PIN finishes.
func TestUpdating(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	updating := func(want bool) {
		t.Helper()
		if in := p.journal().Info(); in.Updating != want || in.Complete && want {
			t.Errorf("%+v", in)
		}
	}
	p.must(p.register("482915", "one"))
	updating(false)
	p.vaults.List[2].Stop()
	p.incomplete(p.client.Update(t.Context(), p.journal(), payloadOf("two")), 2)
	updating(true)
	p.vaults.List[2].Start()
	p.must(p.client.Update(t.Context(), p.journal(), payloadOf("two")))
	updating(false)
	p.recovers("482915", "two")
	p.vaults.List[2].Stop()
	p.incomplete(p.register("739164", "three"), 2)
	updating(false)
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
