package recoverytest

import (
	"context"
	"errors"
	"sync"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
)

// ErrLost is what a phone sees of a request or an answer that got lost.
var ErrLost = errors.New("recoverytest: lost on the way")

// Call is one call of a phone, as a script sees it.
type Call struct {
	Method string  // "GetConfig", …
	Vault  string  // of CallVault
	Op     wire.Op // of CallVault and CallSeed
	N      int     // from 1, over all calls
}

// Fault is what becomes of a call.
type Fault int

// The faults.
const (
	Pass Fault = iota
	Drop       // the request is lost
	Lose       // it takes effect, and the answer is lost
)

// Network is a Transport between a phone and a service, whose faults a test
// scripts. It counts calls and is safe for concurrent use.
type Network struct {
	Transport recovery.Transport
	// Script says what becomes of each call. nil: all pass.
	Script func(Call) Fault
	// Config, Session and Answer edit what comes back. nil: nothing is changed.
	Config  func(*recovery.Config)
	Session func(*recovery.SessionView)
	Answer  func(Call, *recovery.VaultAnswer)

	mu    sync.Mutex
	calls []Call
}

// Calls are all calls so far.
func (n *Network) Calls() []Call {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Call(nil), n.calls...)
}

// Reset forgets the calls so far.
func (n *Network) Reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls = nil
}

// Count is how many calls of an op there were.
func (n *Network) Count(op wire.Op) (count int) {
	for _, c := range n.Calls() {
		if c.Op == op {
			count++
		}
	}
	return count
}

// carry makes a call, unless the script has it lost.
func carry[T any](ctx context.Context, n *Network, c Call, f func() (T, error)) (out T, err error) {
	n.mu.Lock()
	c.N = len(n.calls) + 1
	n.calls = append(n.calls, c)
	fault := Pass
	if n.Script != nil {
		fault = n.Script(c)
	}
	n.mu.Unlock()
	if fault == Drop {
		return out, ErrLost
	}
	if err := ctx.Err(); err != nil {
		return out, err
	}
	got, err := f()
	if fault == Lose {
		return out, ErrLost
	}
	if a, ok := any(got).(*recovery.VaultAnswer); ok && err == nil && n.Answer != nil {
		n.Answer(c, a)
	}
	return got, err
}

// GetConfig is recovery.Transport.
func (n *Network) GetConfig(ctx context.Context, nonce []byte) (*recovery.Config, error) {
	return carry(ctx, n, Call{Method: "GetConfig"}, func() (*recovery.Config, error) {
		c, err := n.Transport.GetConfig(ctx, nonce)
		if err == nil && n.Config != nil {
			n.Config(c)
		}
		return c, err
	})
}

// GetBackup is recovery.Transport.
func (n *Network) GetBackup(ctx context.Context) (*recovery.BackupView, error) {
	return carry(ctx, n, Call{Method: "GetBackup"}, func() (*recovery.BackupView, error) { return n.Transport.GetBackup(ctx) })
}

// PutBlob is recovery.Transport.
func (n *Network) PutBlob(ctx context.Context, reg [16]byte, blob []byte) error {
	_, err := carry(ctx, n, Call{Method: "PutBlob"}, func() (any, error) { return nil, n.Transport.PutBlob(ctx, reg, blob) })
	return err
}

// CommitBackup is recovery.Transport.
func (n *Network) CommitBackup(ctx context.Context, reg [16]byte, stage recovery.Stage, blob [32]byte) error {
	_, err := carry(ctx, n, Call{Method: "CommitBackup"}, func() (any, error) {
		return nil, n.Transport.CommitBackup(ctx, reg, stage, blob)
	})
	return err
}

// OpenSession is recovery.Transport.
func (n *Network) OpenSession(ctx context.Context, id account.ID, ticket recovery.TicketSecret) (*recovery.SessionView, error) {
	return carry(ctx, n, Call{Method: "OpenSession"}, func() (*recovery.SessionView, error) {
		s, err := n.Transport.OpenSession(ctx, id, ticket)
		if err == nil && n.Session != nil {
			n.Session(s)
		}
		return s, err
	})
}

// CallVault is recovery.Transport.
func (n *Network) CallVault(ctx context.Context, in *recovery.VaultCall) (*recovery.VaultAnswer, error) {
	return carry(ctx, n, Call{Method: "CallVault", Vault: in.Vault, Op: in.Op}, func() (*recovery.VaultAnswer, error) {
		return n.Transport.CallVault(ctx, in)
	})
}

// CallSeed is recovery.Transport.
func (n *Network) CallSeed(ctx context.Context, in *recovery.SeedCall) (*recovery.VaultAnswer, error) {
	return carry(ctx, n, Call{Method: "CallSeed", Op: in.Op}, func() (*recovery.VaultAnswer, error) {
		return n.Transport.CallSeed(ctx, in)
	})
}

// FinishSession is recovery.Transport.
func (n *Network) FinishSession(ctx context.Context, session recovery.SessionSecret) error {
	_, err := carry(ctx, n, Call{Method: "FinishSession"}, func() (any, error) { return nil, n.Transport.FinishSession(ctx, session) })
	return err
}
