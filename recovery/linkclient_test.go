package recovery_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/vault"
	"github.com/staunchid/staunch/recovery/wire"
)

// seedVault is an enclave of the seed profile, and its key and config-hash.
func seedVault(t *testing.T) *vault.Vault {
	t.Helper()
	v, err := vault.New(&vault.Options{
		Config: wire.Config{
			Vault: "v1", Profile: vault.ProfileSeed, Suite: wire.Suite1, N: 1, T: 1, Limit: 10, Policy: vault.PolicyStrict,
			Freshness: wire.Freshness{Level: vault.LevelMemory}, VoucherKey: wire.EdKey{1},
			Release: wire.ReleaseKeys{K: 1, Keys: []wire.EdKey{{2}}},
		},
		Replica: "v1/a", Boot: vault.NewBoot(), Keys: vault.NewMasterKeys(time.Now()), Freshness: vault.NewMemory(),
		Attest: func(_ context.Context, binding []byte) ([]byte, error) { return binding, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// served is a vault behind a socket, and how to stop it.
func served(t *testing.T, v *vault.Vault, path string) (stop func()) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- v.Serve(ctx, ln, false) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestLinkClient: calls share a connection, and the one after a broken connection
// makes another.
func TestLinkClient(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.sock")
	v := seedVault(t)
	l := recovery.DialLink("unix", path)
	defer l.Close()
	if _, err := l.Info(t.Context()); !errors.Is(err, recovery.ErrVaultUnavailable) {
		t.Fatalf("nobody listens: %v", err)
	}
	stop := served(t, v, path)
	defer func() { stop() }()
	info, err := l.Info(t.Context())
	if err != nil || info.Vault != "v1" || info.Replica != "v1/a" || info.ConfigHash != v.ConfigHash() {
		t.Fatalf("info %+v, %v", info, err)
	}
	proof, err := l.Evidence(t.Context(), []byte("nonce"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := wire.Decode[wire.Binding](proof); err != nil || string(b.Nonce) != "nonce" || b.Boot != info.Boot {
		t.Fatalf("evidence %+v, %v", b, err)
	}

	var calls sync.WaitGroup
	for i := range 50 {
		calls.Go(func() {
			acct := wire.Acct{byte(i)}
			e := wire.Envelope{Suite: wire.Suite1, Vault: "v1", Epoch: info.Epoch, Config: info.ConfigHash, Op: wire.OpSeedBackup, Acct: acct}
			body, err := wire.EncodeSeedRequest(&wire.SeedRequest{PIN: wire.Secret("123456"), Data: wire.Secret{byte(i)}})
			if err != nil {
				t.Error(err)
				return
			}
			request, key, err := e.SealRequest(info.HPKE, body)
			if err != nil {
				t.Error(err)
				return
			}
			reply, err := l.Call(t.Context(), &wire.Call{Op: wire.OpSeedBackup, Acct: acct, Epoch: info.Epoch, Request: request})
			if err != nil || reply.Result != wire.CodeDone {
				t.Errorf("call %d: %+v, %v", i, reply, err)
				return
			}
			if a, err := key.OpenSeedAnswer(reply.Answer); err != nil || a.Version != 1 { // of its own request
				t.Errorf("call %d: %+v, %v", i, a, err)
			}
		})
	}
	calls.Wait()

	stop()
	if _, err := l.Info(t.Context()); !errors.Is(err, recovery.ErrVaultUnavailable) {
		t.Fatalf("the vault is gone: %v", err)
	}
	stop = served(t, v, path)
	if _, err := l.Info(t.Context()); err != nil {
		t.Fatalf("the vault is back: %v", err)
	}
	l.Close()
	if _, err := l.Info(t.Context()); !errors.Is(err, recovery.ErrVaultUnavailable) {
		t.Fatalf("a link that was closed: %v", err)
	}
}

// TestLinkClientSilent: a vault that does not answer, as one that is stopped,
// holds nobody up longer than he wants to wait.
func TestLinkClientSilent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.sock")
	ln, err := net.Listen("unix", path) // accepts, in the kernel, and reads nothing
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	l := recovery.DialLink("unix", path)
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	var calls sync.WaitGroup
	for range 40 {
		calls.Go(func() {
			c := &wire.Call{Op: wire.OpSeedRestore, Request: make([]byte, wire.MaxRequest)} // more than a socket holds
			if _, err := l.Call(ctx, c); !errors.Is(err, recovery.ErrVaultUnavailable) {
				t.Errorf("%v", err)
			}
		})
	}
	calls.Wait()
	if d := time.Since(began); d > 3*time.Second {
		t.Errorf("they waited %v", d)
	}
}
