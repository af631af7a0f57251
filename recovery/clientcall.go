package recovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/staunchid/staunch/recovery/wire"
)

// round is what stays the same over the calls of one method.
type round struct {
	c       *Client
	vaults  *vaults
	accts   map[string][16]byte
	session SessionSecret // empty: a signed-in device
}

// request is for one vault.
type request struct {
	op   wire.Op
	body wire.Coded
}

// outcome is what a vault has answered, or why it has not.
type outcome struct {
	answer *wire.Answer
	err    error
}

// ask sends to all vaults at once. Keys that were replaced meanwhile are fetched
// once, and those requests sealed to the new ones.
func (r *round) ask(ctx context.Context, requests map[string]request) map[string]outcome {
	out := r.send(ctx, requests)
	rotated := map[string]request{}
	for id, o := range out {
		if errors.Is(o.err, ErrEpoch) {
			rotated[id] = requests[id]
		}
	}
	if len(rotated) == 0 {
		return out
	}
	fresh, err := r.c.trust(ctx, r.vaults.known)
	if err != nil {
		for id := range rotated {
			out[id] = outcome{err: err}
		}
		return out
	}
	r.vaults = fresh
	maps.Copy(out, r.send(ctx, rotated))
	return out
}

func (r *round) send(ctx context.Context, requests map[string]request) map[string]outcome {
	var mu sync.Mutex
	var wg sync.WaitGroup
	out := map[string]outcome{}
	for id, q := range requests {
		wg.Go(func() {
			answer, err := r.call(ctx, id, q)
			mu.Lock()
			defer mu.Unlock()
			out[id] = outcome{answer, err}
		})
	}
	wg.Wait()
	return out
}

// open finds what a request to a vault is sealed with.
func (r *round) envelope(id string, op wire.Op) (*vault, *wire.Envelope, error) {
	v := r.vaults.byID[id]
	if v == nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrVaultUnavailable, errGone)
	}
	if v.err != nil {
		return nil, nil, v.err
	}
	acct, ok := r.accts[id]
	if !ok {
		return nil, nil, fmt.Errorf("%w: the service does not know it", ErrVaultUnavailable)
	}
	return v, &wire.Envelope{
		Suite: r.vaults.set.Suite, Vault: id, Epoch: v.epoch, Config: v.member.ConfigHash, Op: op, Acct: acct,
	}, nil
}

func (r *round) call(ctx context.Context, id string, q request) (*wire.Answer, error) {
	v, env, err := r.envelope(id, q.op)
	if err != nil {
		return nil, err
	}
	plain, err := wire.Encode(q.body)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	sealed, key, err := env.SealRequest(v.hpke, plain)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.c.timeout)
	defer cancel()
	got, err := r.c.transport.CallVault(ctx, &VaultCall{Vault: id, Op: q.op, Epoch: env.Epoch, Request: sealed, Session: r.session})
	if err != nil {
		return nil, err
	}
	answer, err := key.OpenAnswer(got.Answer)
	if err != nil {
		return nil, fmt.Errorf("%w: its answer does not open: %w", ErrVaultUnavailable, err)
	}
	return answer, nil
}

// each makes the same request for all vaults.
func each(ids []string, q request) map[string]request {
	out := map[string]request{}
	for _, id := range ids {
		out[id] = q
	}
	return out
}

// failed collects who did not answer, and why.
func failed(out map[string]outcome) map[string]error {
	errs := map[string]error{}
	for id, o := range out {
		if o.err != nil {
			errs[id] = o.err
		}
	}
	return errs
}

// remaining is the t-th largest number of attempts left, over the vaults that
// answered; a locked one has none. known is false when fewer than t answered.
func remaining(answers []*wire.Answer, t int) (left int, known bool) {
	var all []int
	for _, a := range answers {
		n := 0
		if a.State == wire.StateActive {
			n = max(0, int(a.Limit)-int(a.Used))
		}
		all = append(all, n)
	}
	slices.Sort(all)
	if t < 1 || len(all) < t {
		return 0, false
	}
	return all[len(all)-t], true
}
