package insider

import (
	"context"
	"fmt"
	"net/rpc"
	"sync"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
)

// apiClient calls the API, over one connection that is made anew when it broke.
type apiClient struct {
	socket string

	mu     sync.Mutex
	client *rpc.Client // guarded by mu; nil: none yet
}

// do calls one method. An error may have taken effect or not, as over any network.
func (a *apiClient) do(ctx context.Context, method string, in, out any) error {
	a.mu.Lock()
	if a.client == nil {
		c, err := rpc.Dial("unix", a.socket)
		if err != nil {
			a.mu.Unlock()
			return fmt.Errorf("insider: %w", err)
		}
		a.client = c
	}
	client := a.client
	a.mu.Unlock()
	call := client.Go("API."+method, in, out, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if _, said := call.Error.(rpc.ServerError); call.Error != nil && !said { //nolint:errorlint // net/rpc gives it bare
		a.mu.Lock()
		if a.client == client {
			a.client = nil
		}
		a.mu.Unlock()
		client.Close() //nolint:errcheck // it is broken
	}
	if call.Error != nil {
		return fmt.Errorf("insider: %s: %w", method, call.Error)
	}
	return nil
}

func (a *apiClient) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client != nil {
		a.client.Close() //nolint:errcheck // nobody waits for it
		a.client = nil
	}
}

// Row is what the store has of an owner at a vault.
func (k *Kit) Row(ctx context.Context, id account.ID, vault string) (r recovery.RecordRow, err error) {
	err = k.api.do(ctx, "Row", recovery.RecordRow{Vault: vault, Acct: acctOf(id, vault)}, &r)
	return r, err
}

// Events counts the events of a kind: what operators and owners are told.
func (k *Kit) Events(ctx context.Context, kind string) (n int, err error) {
	err = k.api.do(ctx, "Events", kind, &n)
	return n, err
}

// acctOf is an account as a vault knows it.
func acctOf(id account.ID, vault string) wire.Acct {
	return wire.DerivePepper(rootKey(), vault).Acct(string(id))
}
