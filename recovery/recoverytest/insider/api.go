package insider

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/rpc"
	"os"
	"path/filepath"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/wal"
)

// The files of the API's folder.
const (
	apiSocket  = "api.sock"
	storeFile  = "store.db"
	retryDir   = "retry"
	appID      = account.AppID("demo")
	deviceID   = account.DeviceID("d_aaaaaaaaaaaaaaaaaaaaaaaaaa")
	approvalID = account.ApprovalID("v_1")
	phoneKey   = "key"
)

// rootKey is the app's root secret. The insider knows it: it is his.
func rootKey() []byte {
	k := sha256.Sum256([]byte("the root secret of the app"))
	return k[:]
}

type apiOptions struct {
	dir, profile string
	limit        int
	log          *slog.Logger
}

// API is recovery.Service over a store and a retry log in files, without the edge
// that asks who calls. It is called over a socket, by phones and by the insider.
type API struct {
	service *recovery.Service
	store   *sqlite.Store
}

// runAPI serves until ctx ends.
func runAPI(ctx context.Context, o *apiOptions) (err error) {
	dir := filepath.Join(o.dir, APIName)
	store, err := sqlite.Open(ctx, &sqlite.Options{Path: filepath.Join(dir, storeFile), App: appID, Logger: o.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	retry, err := wal.Open(&wal.Options{Dir: filepath.Join(dir, retryDir), Stream: stream.Options{Rate: -1, Logger: o.log}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, retry.Close()) }()
	set, err := openSet(o.dir, o.profile, o.limit)
	if err != nil {
		return err
	}
	policy := recovery.PolicyMerge
	if o.profile == recovery.ProfileSeed {
		policy = recovery.PolicyStrict
	}
	a := &API{store: store}
	a.service, err = recovery.NewService(&recovery.Options{
		App: appID, Pepper: rootKey(), RowKey: rootKey(), RateKey: rootKey(), Set: set.Signed(), Policy: policy, PINMin: 6,
		Vaults: set.Vaults(), Vouchers: set.Vouchers(), Accounts: gate{}, Retry: retry, Logger: o.log,
		Update: func(ctx context.Context, fn func(recovery.Tx) error) error {
			return store.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		View: func(ctx context.Context, fn func(recovery.Tx) error) error {
			return store.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	})
	if err != nil {
		return err
	}
	go retry.Run(ctx, a.service.Apply) //nolint:errcheck // it ends with ctx
	go a.service.Run(ctx)              //nolint:errcheck // it ends with ctx
	return a.serve(ctx, filepath.Join(dir, apiSocket))
}

func (a *API) serve(ctx context.Context, socket string) error {
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	server := rpc.NewServer()
	if err := server.Register(a); err != nil {
		return err
	}
	ln, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { ln.Close() })
	for {
		conn, err := ln.Accept()
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err != nil {
			return nil //nolint:nilerr // it was closed because ctx ended
		}
		go server.ServeConn(conn)
	}
}

// callTime bounds one call.
const callTime = 30 * time.Second

func bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), callTime)
}

// None is nothing.
type None struct{}

// Ping is there.
func (a *API) Ping(None, *None) error { return nil }

// Setup is a blob that an owner registers.
type Setup struct {
	Account account.ID
	Reg     [16]byte
	Blob    []byte
}

// SetUp lets the account's phone register, and stores the blob.
func (a *API) SetUp(in Setup, _ *None) error {
	ctx, cancel := bounded()
	defer cancel()
	err := a.store.Update(ctx, func(tx *sqlite.Tx) error {
		return a.service.SetUp(ctx, tx, in.Account, deviceID, approvalID, in.Reg)
	})
	if err != nil || in.Blob == nil {
		return err
	}
	return a.service.PutBlob(ctx, phone(in.Account), in.Reg, in.Blob)
}

// Commit flips the pointer to a registration that the vaults have, and ends it.
func (a *API) Commit(in Setup, _ *None) error {
	ctx, cancel := bounded()
	defer cancel()
	for _, stage := range []recovery.Stage{recovery.Activated, recovery.Finalized} {
		if err := a.service.CommitBackup(ctx, phone(in.Account), in.Reg, stage, wire.Sum(in.Blob)); err != nil {
			return err
		}
	}
	return nil
}

// phone is the account's, signed in.
func phone(id account.ID) account.Caller {
	return account.Caller{Kind: account.Phone, App: appID, Account: id, Device: deviceID, Key: phoneKey}
}

// Sealed is one request of a phone to a vault.
type Sealed struct {
	Account account.ID
	Vault   string
	Op      wire.Op
	Epoch   uint32
	Request []byte
	Session []byte // empty: of the registered phone
}

// Call carries it there.
func (a *API) Call(in Sealed, out *recovery.VaultAnswer) error {
	ctx, cancel := bounded()
	defer cancel()
	c := phone(in.Account)
	if len(in.Session) > 0 {
		c = account.Caller{Kind: account.Phone, App: appID, Key: phoneKey}
	}
	var got *recovery.VaultAnswer
	var err error
	if in.Op.Seed() {
		got, err = a.service.CallSeed(ctx, c, &recovery.SeedCall{Op: in.Op, Epoch: in.Epoch, Request: in.Request, Session: in.Session})
	} else {
		got, err = a.service.CallVault(ctx, c, &recovery.VaultCall{Vault: in.Vault, Op: in.Op, Epoch: in.Epoch, Request: in.Request, Session: in.Session})
	}
	if err != nil {
		return err
	}
	*out = *got
	return nil
}

// Session opens a session of a recovery, with a ticket that nobody had to earn.
func (a *API) Session(id account.ID, secret *[]byte) error {
	ctx, cancel := bounded()
	defer cancel()
	c := account.Caller{Kind: account.Phone, App: appID, Key: phoneKey}
	v, err := a.service.OpenSession(ctx, c, id, recovery.TicketSecret("ticket"))
	if err != nil {
		return err
	}
	*secret = v.Secret
	return nil
}

// Store stores what the insider has had from a vault himself.
func (a *API) Store(r recovery.Record, _ *None) error {
	ctx, cancel := bounded()
	defer cancel()
	return a.service.Apply(ctx, r)
}

// Row is what the store has of an account at a vault; without Sealed: nothing.
func (a *API) Row(of recovery.RecordRow, out *recovery.RecordRow) error {
	ctx, cancel := bounded()
	defer cancel()
	return a.store.View(ctx, func(tx *sqlite.Tx) error {
		r, _, err := tx.Recovery(ctx, of.Vault, of.Acct)
		*out = r
		return err
	})
}

// Events counts those of a kind.
func (a *API) Events(kind string, n *int) error {
	ctx, cancel := bounded()
	defer cancel()
	return a.store.View(ctx, func(tx *sqlite.Tx) error {
		var after uint64
		for {
			all, err := tx.Events(ctx, after, 500)
			if err != nil || len(all) == 0 {
				return err
			}
			for _, e := range all {
				if after = e.ID; e.Type == kind {
					*n++
				}
			}
		}
	})
}

// gate stands for the accounts, which the insider has bent: everybody may do
// everything. What owners are told is an event.
type gate struct{}

func (gate) Allow(context.Context, recovery.Tx, account.Caller, account.Action) error { return nil }

func (gate) Ticket(_ context.Context, _ recovery.Tx, c account.Caller, id account.ID, _ [32]byte) (recovery.Ticket, error) {
	return recovery.Ticket{Account: id, Key: c.Key, Until: time.Now().Add(24 * time.Hour)}, nil
}

func (gate) Charged(ctx context.Context, tx recovery.Tx, id account.ID, _ account.DeviceID, remaining, limit int) error {
	return tx.AppendEvent(ctx, event.Event{
		Type: "recovery.attempt", Account: id, Body: fmt.Appendf(nil, `{"remaining":%d,"limit":%d}`, remaining, limit), At: time.Now(),
	})
}

func (gate) Registered(ctx context.Context, tx recovery.Tx, id account.ID, _ account.DeviceID, what string) error {
	return tx.AppendEvent(ctx, event.Event{Type: "recovery." + what, Account: id, Body: []byte("{}"), At: time.Now()})
}
