package client_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/client"
	recoveryv1 "github.com/staunchid/staunch/gen/staunch/recovery/v1"
	"github.com/staunchid/staunch/gen/staunch/recovery/v1/recoveryv1connect"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
)

// fakeVaults answers as it is told to.
type fakeVaults struct {
	recoveryv1connect.UnimplementedRecoveryServiceHandler
	backup *recoveryv1.GetBackupResponse
	opened *recoveryv1.OpenSessionResponse
	err    error

	mu    sync.Mutex
	asked string // guarded by mu: vaults are called at once
}

func (v *fakeVaults) ask(what string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked = what
}

func (v *fakeVaults) GetConfig(_ context.Context, r *connect.Request[recoveryv1.GetConfigRequest]) (*connect.Response[recoveryv1.GetConfigResponse], error) {
	v.ask(r.Msg.String())
	return answer(&recoveryv1.GetConfigResponse{Profile: "kr1-2of3", Limit: 10, PinMinLength: 6, VaultSet: []byte{1}, Evidence: [][]byte{{2}, nil}, Operators: 1, Assurance: "process"}, v.err)
}

func (v *fakeVaults) GetBackup(context.Context, *connect.Request[recoveryv1.GetBackupRequest]) (*connect.Response[recoveryv1.GetBackupResponse], error) {
	return answer(v.backup, v.err)
}

func (v *fakeVaults) PutBlob(_ context.Context, r *connect.Request[recoveryv1.PutBlobRequest]) (*connect.Response[recoveryv1.PutBlobResponse], error) {
	v.ask(fmt.Sprintf("%x %x", r.Msg.GetRegId(), r.Msg.GetBlob()))
	return answer(&recoveryv1.PutBlobResponse{}, v.err)
}

func (v *fakeVaults) CommitBackup(_ context.Context, r *connect.Request[recoveryv1.CommitBackupRequest]) (*connect.Response[recoveryv1.CommitBackupResponse], error) {
	v.ask(fmt.Sprintf("%x %s %x", r.Msg.GetRegId(), r.Msg.GetStage(), r.Msg.GetHash()))
	return answer(&recoveryv1.CommitBackupResponse{}, v.err)
}

func (v *fakeVaults) OpenSession(_ context.Context, r *connect.Request[recoveryv1.OpenSessionRequest]) (*connect.Response[recoveryv1.OpenSessionResponse], error) {
	v.ask(fmt.Sprintf("%s %x", r.Msg.GetAccount(), r.Msg.GetTicket()))
	return answer(v.opened, v.err)
}

func (v *fakeVaults) CallVault(_ context.Context, r *connect.Request[recoveryv1.CallVaultRequest]) (*connect.Response[recoveryv1.CallVaultResponse], error) {
	m := r.Msg
	v.ask(fmt.Sprintf("%s %s %d %x %x", m.GetVault(), m.GetOp(), m.GetEpoch(), m.GetRequest(), m.GetSession()))
	return answer(&recoveryv1.CallVaultResponse{Answer: []byte{8}, Used: 3, Receipt: []byte{9}}, v.err)
}

func (v *fakeVaults) CallSeed(_ context.Context, r *connect.Request[recoveryv1.CallSeedRequest]) (*connect.Response[recoveryv1.CallSeedResponse], error) {
	m := r.Msg
	v.ask(fmt.Sprintf("%s %d %x %x", m.GetOp(), m.GetEpoch(), m.GetRequest(), m.GetSession()))
	return answer(&recoveryv1.CallSeedResponse{Answer: []byte{8}, Used: 3, Receipt: []byte{9}}, v.err)
}

func (v *fakeVaults) FinishSession(_ context.Context, r *connect.Request[recoveryv1.FinishSessionRequest]) (*connect.Response[recoveryv1.FinishSessionResponse], error) {
	v.ask(fmt.Sprintf("%x", r.Msg.GetSession()))
	return answer(&recoveryv1.FinishSessionResponse{}, v.err)
}

func bytesOf(n int, first byte) []byte {
	b := make([]byte, n)
	b[0] = first
	return b
}

func goodVaults() *fakeVaults {
	accounts := []*recoveryv1.VaultAccount{{Vault: "v1", Acct: bytesOf(16, 3)}}
	blobs := []*recoveryv1.Blob{{RegId: bytesOf(16, 1), Hash: bytesOf(32, 2), Blob: []byte{6}}}
	return &fakeVaults{
		backup: &recoveryv1.GetBackupResponse{
			Account: anAccount, Accounts: accounts, Found: true, RegId: bytesOf(16, 1), Hash: bytesOf(32, 2), Header: []byte{5}, Stage: recoveryv1.Stage_STAGE_FINALIZED, Blobs: blobs,
		},
		opened: &recoveryv1.OpenSessionResponse{
			Session: bytesOf(32, 7), Account: anAccount, Until: timestamppb.New(time.Unix(9, 0)), Accounts: accounts, RegId: bytesOf(16, 1), Blobs: blobs,
		},
	}
}

// TestRecoveryTransport: what goes out and what comes in, of each method.
func TestRecoveryTransport(t *testing.T) {
	v := goodVaults()
	p, _ := newPhone(t, &fakeServer{vaults: v}, enrolled)
	tr, ctx := p.Recovery(), t.Context()
	reg, hash := [16]byte{1}, [32]byte{2}
	check := func(what string, err error, asked string, got, want any) {
		t.Helper()
		if err != nil || strings.ReplaceAll(v.asked, "  ", " ") != asked || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s: %v\nasked %s\nwant  %s\ngot  %+v\nwant %+v", what, err, v.asked, asked, got, want)
		}
		v.asked = ""
	}
	c, err := tr.GetConfig(ctx, []byte{4})
	if v.asked = strings.TrimSpace(v.asked); err != nil || c.Profile != "kr1-2of3" || c.Limit != 10 || c.PINMin != 6 || len(c.Evidence) != 2 || len(c.Evidence[1]) != 0 || c.Operators != 1 || c.Assurance != "process" || !strings.Contains(v.asked, `\x04`) {
		t.Errorf("%+v, %v; asked %s", c, err, v.asked)
	}
	v.asked = ""
	b, err := tr.GetBackup(ctx)
	check("GetBackup", err, "", *b, recovery.BackupView{
		Account: anAccount, Accts: map[string][16]byte{"v1": {3}}, Found: true, Reg: reg, Blob: hash, Header: []byte{5}, Stage: recovery.Finalized,
		Blobs: []recovery.BlobView{{Reg: reg, Hash: hash, Blob: []byte{6}}},
	})
	check("PutBlob", tr.PutBlob(ctx, reg, []byte{6}), fmt.Sprintf("%x 06", reg), 0, 0)
	for stage, name := range map[recovery.Stage]string{
		recovery.Activated: "STAGE_ACTIVATED", recovery.Finalized: "STAGE_FINALIZED", recovery.Updated: "STAGE_UPDATED", recovery.Deleting: "STAGE_DELETING",
	} {
		check(string(stage), tr.CommitBackup(ctx, reg, stage, hash), fmt.Sprintf("%x %s %x", reg, name, hash), 0, 0)
	}
	check("no hash", tr.CommitBackup(ctx, reg, recovery.Activated, [32]byte{}), fmt.Sprintf("%x STAGE_ACTIVATED ", reg), 0, 0)
	s, err := tr.OpenSession(ctx, anAccount, recovery.TicketSecret{8})
	check("OpenSession", err, anAccount+" 08", *s, recovery.SessionView{
		Secret: bytesOf(32, 7), Account: anAccount, Until: time.Unix(9, 0).UTC(), Accts: map[string][16]byte{"v1": {3}}, Reg: reg, Blobs: []recovery.BlobView{{Reg: reg, Hash: hash, Blob: []byte{6}}},
	})
	want := recovery.VaultAnswer{Answer: []byte{8}, Used: 3, Receipt: []byte{9}}
	a, err := tr.CallVault(ctx, &recovery.VaultCall{Vault: "v2", Op: wire.OpRelease, Epoch: 4, Request: []byte{1}, Session: recovery.SessionSecret{7}})
	check("CallVault", err, "v2 OP_RELEASE 4 01 07", *a, want)
	a, err = tr.CallSeed(ctx, &recovery.SeedCall{Op: wire.OpSeedBackup, Epoch: 4, Request: []byte{1}})
	check("CallSeed", err, "OP_SEED_BACKUP 4 01 ", *a, want)
	check("FinishSession", tr.FinishSession(ctx, recovery.SessionSecret{7}), "07", 0, 0)
}

// TestRecoveryWrongSizes: what a server sends that cannot be is said to be wrong,
// and nothing is made of it.
func TestRecoveryWrongSizes(t *testing.T) {
	for name, change := range map[string]func(*recoveryv1.GetBackupResponse, *recoveryv1.OpenSessionResponse){
		"an acct": func(b *recoveryv1.GetBackupResponse, s *recoveryv1.OpenSessionResponse) {
			b.Accounts[0].Acct = bytesOf(15, 1)
			s.Accounts[0].Acct = bytesOf(17, 1)
		},
		"a registration": func(b *recoveryv1.GetBackupResponse, s *recoveryv1.OpenSessionResponse) {
			b.RegId, s.RegId = bytesOf(15, 1), nil
		},
		"a blob's registration": func(b *recoveryv1.GetBackupResponse, s *recoveryv1.OpenSessionResponse) {
			b.Blobs[0].RegId, s.Blobs[0].RegId = nil, nil
		},
		"a blob's hash": func(b *recoveryv1.GetBackupResponse, s *recoveryv1.OpenSessionResponse) {
			b.Blobs[0].Hash, s.Blobs[0].Hash = bytesOf(31, 1), bytesOf(33, 1)
		},
		"the hash, and the session of another account": func(b *recoveryv1.GetBackupResponse, s *recoveryv1.OpenSessionResponse) {
			b.Hash, s.Account = nil, anotherAccount
		},
		"the hash, and no session": func(b *recoveryv1.GetBackupResponse, s *recoveryv1.OpenSessionResponse) {
			b.Hash, s.Session = bytesOf(31, 1), nil
		},
	} {
		v := goodVaults()
		other := goodVaults()
		change(v.backup, other.opened)
		v.opened = other.opened
		p, _ := newPhone(t, &fakeServer{vaults: v}, enrolled)
		if b, err := p.Recovery().GetBackup(t.Context()); !errors.Is(err, client.ErrMismatch) {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
		if s, err := p.Recovery().OpenSession(t.Context(), anAccount, recovery.TicketSecret{8}); !errors.Is(err, client.ErrMismatch) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	v := goodVaults()
	v.backup.Found, v.backup.RegId = false, nil
	p, _ := newPhone(t, &fakeServer{vaults: v}, enrolled)
	if b, err := p.Recovery().GetBackup(t.Context()); err != nil || b.Found {
		t.Errorf("no backup: %+v, %v", b, err)
	}
}

// TestRecoveryReasons: the server's reasons have the names that a recovery.Client
// acts on; a server that is away has lost nothing.
func TestRecoveryReasons(t *testing.T) {
	for _, tt := range []struct {
		code   connect.Code
		reason string
		want   error
	}{
		{connect.CodeNotFound, "RECOVERY_NOT_FOUND", recovery.ErrNotFound},
		{connect.CodePermissionDenied, "RECOVERY_TICKET", recovery.ErrTicket},
		{connect.CodeFailedPrecondition, "RECOVERY_SESSION", recovery.ErrSession},
		{connect.CodeAborted, "RECOVERY_STALE", recovery.ErrStale},
		{connect.CodeAborted, "RECOVERY_EPOCH", recovery.ErrEpoch},
		{connect.CodeUnavailable, "RECOVERY_AMNESIA", recovery.ErrAmnesia},
		{connect.CodeUnavailable, "RECOVERY_FUTURE", recovery.ErrFuture},
		{connect.CodeUnavailable, "RECOVERY_VAULT_UNAVAILABLE", recovery.ErrVaultUnavailable},
		{connect.CodeUnavailable, "RECOVERY_STORE_UNAVAILABLE", recovery.ErrStoreUnavailable},
		{connect.CodeResourceExhausted, "RECOVERY_RATE", recovery.ErrRate},
		{connect.CodeInvalidArgument, "RECOVERY_BLOB", recovery.ErrBlob},
		{connect.CodeInvalidArgument, "RECOVERY_MALFORMED", recovery.ErrMalformed},
		{connect.CodeInvalidArgument, "RECOVERY_PROFILE", recovery.ErrProfile},
		{connect.CodeUnavailable, "STORE_AWAY", recovery.ErrStoreUnavailable},
	} {
		v := goodVaults()
		v.err = refusal(tt.code, tt.reason, "retry_at", "2026-11-22T12:00:00.000Z")
		p, _ := newPhone(t, &fakeServer{vaults: v}, enrolled)
		tr, ctx := p.Recovery(), t.Context()
		_, backup := tr.GetBackup(ctx)
		_, session := tr.OpenSession(ctx, anAccount, recovery.TicketSecret{1})
		_, called := tr.CallVault(ctx, &recovery.VaultCall{Vault: "v1", Op: wire.OpEvaluate, Request: []byte{1}, Session: recovery.SessionSecret{1}})
		for i, err := range []error{backup, session, called, tr.FinishSession(ctx, recovery.SessionSecret{1})} {
			if !errors.Is(err, tt.want) {
				t.Errorf("%s, call %d: %v", tt.reason, i, err)
			}
			var e *client.Error
			if tt.reason != "STORE_AWAY" && (!errors.As(err, &e) || e.Reason != tt.reason) {
				t.Errorf("%s, call %d: the server's words are lost: %v", tt.reason, i, err)
			}
			var rate *recovery.RateError
			if tt.reason == "RECOVERY_RATE" && (!errors.As(err, &rate) || rate.RetryAt.IsZero()) {
				t.Errorf("%v", err)
			}
		}
	}
}

// appleKey is an iPhone's, which numbers what it signs.
type appleKey struct {
	*attesttest.AppleKey
	counts bool
	mu     sync.Mutex
	number map[string]uint32 // by signature
}

func (k *appleKey) ID() string { return base64.RawURLEncoding.EncodeToString(k.AppleKey.ID()) }

func (k *appleKey) Counts() bool { return k.counts }

func (k *appleKey) Sign(message []byte) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	hash := sha256.Sum256(message)
	sig, err := k.Assert(time.Now(), hash[:])
	k.number[string(sig)] = k.Counter()
	return sig, err
}

// overtaking lets calls overtake each other on their way: those that were made
// first take the longest.
type overtaking struct {
	next http.RoundTripper
	made atomic.Int32
}

func (o *overtaking) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(time.Duration(max(0, 60-10*o.made.Add(1))) * time.Millisecond)
	return o.next.RoundTrip(r)
}

// TestCountingKey: an iPhone asks all vaults at once, and its calls arrive in the
// order of their numbers: the server refuses one that is not higher than the last.
// A key that does not count holds nobody up.
func TestCountingKey(t *testing.T) {
	ca, err := attesttest.TestAppleCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, counts := range []bool{true, false} {
		key := &appleKey{AppleKey: ca.Phone().GenerateKey(), counts: counts, number: map[string]uint32{}}
		var mu sync.Mutex
		var arrived []uint32
		p, _ := newPhone(t, &fakeServer{vaults: goodVaults()}, enrolled, func(o *client.PhoneOptions) {
			o.Key = key
			o.Transport = &overtaking{next: roundTripper(func(r *http.Request) (*http.Response, error) {
				mu.Lock()
				arrived = append(arrived, key.of(t, r))
				mu.Unlock()
				return http.DefaultTransport.RoundTrip(r)
			})}
		})
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				_, err := p.Recovery().CallVault(t.Context(), &recovery.VaultCall{Vault: "v1", Op: wire.OpEvaluate, Request: []byte{1}, Session: recovery.SessionSecret{1}})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(arrived) != 6 || slices.IsSorted(arrived) != counts {
			t.Errorf("counts: %v; arrived as %v", counts, arrived)
		}
	}
	key := &appleKey{AppleKey: ca.Phone().GenerateKey(), counts: true, number: map[string]uint32{}}
	hang := make(chan struct{})
	defer close(hang)
	p, _ := newPhone(t, &fakeServer{vaults: goodVaults()}, enrolled, func(o *client.PhoneOptions) {
		o.Key = key
		o.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
			return nil, errors.New("gone")
		})
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	go p.Recovery().GetBackup(t.Context())
	time.Sleep(10 * time.Millisecond)
	if _, err := p.Recovery().GetBackup(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call that waits for its turn: %v", err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// of is the number of a request's signature.
func (k *appleKey) of(t *testing.T, r *http.Request) uint32 {
	m, body, err := request.FromCall(r, 1<<20)
	if err != nil {
		t.Error(err)
		return 0
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	p, err := request.Parse(m)
	if err != nil {
		t.Error(err)
		return 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.number[string(p.Signature)]
}
