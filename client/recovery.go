package client

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	recoveryv1 "github.com/staunchid/staunch/gen/staunch/recovery/v1"
	"github.com/staunchid/staunch/gen/staunch/recovery/v1/recoveryv1connect"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
)

// Recovery carries the calls of a recovery.Client, signed by this phone:
//
//	c, err := recovery.NewClient(&recovery.ClientOptions{Transport: phone.Recovery(), …})
func (p *Phone) Recovery() recovery.Transport { return &recoveryTransport{p} }

// recoveryTransport is staunch.recovery.v1. The calls of a phone that has an
// account sign in as they need to; those of a session stand on its ticket.
type recoveryTransport struct{ phone *Phone }

var _ recovery.Transport = (*recoveryTransport)(nil)

// recoveryReasons are what the server's reasons are for a recovery.Client.
var recoveryReasons = map[string]error{
	"RECOVERY_NOT_FOUND":         recovery.ErrNotFound,
	"RECOVERY_TICKET":            recovery.ErrTicket,
	"RECOVERY_SESSION":           recovery.ErrSession,
	"RECOVERY_UNFINISHED":        recovery.ErrUnfinished,
	"RECOVERY_STALE":             recovery.ErrStale,
	"RECOVERY_EPOCH":             recovery.ErrEpoch,
	"RECOVERY_AMNESIA":           recovery.ErrAmnesia,
	"RECOVERY_FUTURE":            recovery.ErrFuture,
	"RECOVERY_VAULT_UNAVAILABLE": recovery.ErrVaultUnavailable,
	"RECOVERY_STORE_UNAVAILABLE": recovery.ErrStoreUnavailable,
	"RECOVERY_RATE":              recovery.ErrRate,
	"RECOVERY_BLOB":              recovery.ErrBlob,
	"RECOVERY_MALFORMED":         recovery.ErrMalformed,
	"RECOVERY_PROFILE":           recovery.ErrProfile,
}

// recoveryError gives an error of the server the name that it has in package
// recovery. A server that is away may come back: nothing is lost.
func recoveryError(err error) error {
	if err == nil {
		return nil
	}
	e := (*Error)(nil)
	if errors.As(err, &e) {
		switch named, ok := recoveryReasons[e.Reason]; {
		case e.Reason == "RECOVERY_RATE":
			return errors.Join(&recovery.RateError{RetryAt: e.RetryAt}, err)
		case ok:
			return fmt.Errorf("%w: %w", named, err)
		}
	}
	if errors.Is(err, ErrUnreachable) {
		return fmt.Errorf("%w: %w", recovery.ErrStoreUnavailable, err)
	}
	return err
}

// GetConfig says which vaults there are.
func (t *recoveryTransport) GetConfig(ctx context.Context, nonce []byte) (*recovery.Config, error) {
	res, err := t.phone.recovery.GetConfig(unsigned(ctx), connect.NewRequest(&recoveryv1.GetConfigRequest{Nonce: nonce}))
	if err != nil {
		return nil, recoveryError(err)
	}
	m := res.Msg
	return &recovery.Config{
		Profile: m.GetProfile(), Limit: int(m.GetLimit()), PINMin: int(m.GetPinMinLength()), Set: m.GetVaultSet(), Evidence: m.GetEvidence(),
		Operators: int(m.GetOperators()), Assurance: m.GetAssurance(),
	}, nil
}

// GetBackup says what is registered for the account.
func (t *recoveryTransport) GetBackup(ctx context.Context) (*recovery.BackupView, error) {
	m, err := ask(ctx, t.phone, t.phone.recovery.GetBackup, &recoveryv1.GetBackupRequest{})
	if err != nil {
		return nil, recoveryError(err)
	}
	v := &recovery.BackupView{Account: account.ID(m.GetAccount()), Found: m.GetFound(), Header: m.GetHeader(), Stage: recoveryStages[m.GetStage()]}
	if v.Accts, err = acctsFromProto(m.GetAccounts()); err != nil {
		return nil, err
	}
	if v.Blobs, err = blobsFromProto(m.GetBlobs()); err != nil || !v.Found {
		return v, err
	}
	if v.Reg, err = fixed16(m.GetRegId()); err != nil {
		return nil, err
	}
	v.Blob, err = fixed32(m.GetHash())
	return v, err
}

// PutBlob stores what the phone has encrypted.
func (t *recoveryTransport) PutBlob(ctx context.Context, reg [16]byte, blob []byte) error {
	_, err := ask(ctx, t.phone, t.phone.recovery.PutBlob, &recoveryv1.PutBlobRequest{RegId: reg[:], Blob: blob})
	return recoveryError(err)
}

// CommitBackup says how far a registration has come.
func (t *recoveryTransport) CommitBackup(ctx context.Context, reg [16]byte, stage recovery.Stage, blob [32]byte) error {
	in := &recoveryv1.CommitBackupRequest{RegId: reg[:]}
	for p, s := range recoveryStages {
		if s == stage {
			in.Stage = p
		}
	}
	if blob != ([32]byte{}) {
		in.Hash = blob[:]
	}
	_, err := ask(ctx, t.phone, t.phone.recovery.CommitBackup, in)
	return recoveryError(err)
}

// OpenSession begins to recover, with a ticket.
func (t *recoveryTransport) OpenSession(ctx context.Context, id account.ID, ticket recovery.TicketSecret) (*recovery.SessionView, error) {
	res, err := t.phone.recovery.OpenSession(ctx, connect.NewRequest(&recoveryv1.OpenSessionRequest{Account: string(id), Ticket: ticket}))
	if err != nil {
		return nil, recoveryError(err)
	}
	m := res.Msg
	v := &recovery.SessionView{Secret: m.GetSession(), Account: account.ID(m.GetAccount()), Until: m.GetUntil().AsTime()}
	if v.Account != id || len(v.Secret) == 0 {
		return nil, fmt.Errorf("%w: a session for %s was asked for, and it is of %q", ErrMismatch, id, v.Account)
	}
	if v.Accts, err = acctsFromProto(m.GetAccounts()); err != nil {
		return nil, err
	}
	if v.Blobs, err = blobsFromProto(m.GetBlobs()); err != nil {
		return nil, err
	}
	v.Reg, err = fixed16(m.GetRegId())
	return v, err
}

// CallVault carries one sealed request to one vault. To repeat it costs nothing.
func (t *recoveryTransport) CallVault(ctx context.Context, in *recovery.VaultCall) (*recovery.VaultAnswer, error) {
	m, err := within(ctx, t.phone, in.Session, t.phone.recovery.CallVault, &recoveryv1.CallVaultRequest{
		Vault: in.Vault, Op: opToProto(in.Op), Epoch: in.Epoch, Request: in.Request, Session: in.Session,
	})
	if err != nil {
		return nil, recoveryError(err)
	}
	return &recovery.VaultAnswer{Answer: m.GetAnswer(), Used: int(m.GetUsed()), Receipt: m.GetReceipt()}, nil
}

// CallSeed does the same in profile seed.
func (t *recoveryTransport) CallSeed(ctx context.Context, in *recovery.SeedCall) (*recovery.VaultAnswer, error) {
	m, err := within(ctx, t.phone, in.Session, t.phone.recovery.CallSeed, &recoveryv1.CallSeedRequest{
		Op: opToProto(in.Op), Epoch: in.Epoch, Request: in.Request, Session: in.Session,
	})
	if err != nil {
		return nil, recoveryError(err)
	}
	return &recovery.VaultAnswer{Answer: m.GetAnswer(), Used: int(m.GetUsed()), Receipt: m.GetReceipt()}, nil
}

// FinishSession says that the PIN was right.
func (t *recoveryTransport) FinishSession(ctx context.Context, session recovery.SessionSecret) error {
	_, err := t.phone.recovery.FinishSession(ctx, connect.NewRequest(&recoveryv1.FinishSessionRequest{Session: session}))
	return recoveryError(err)
}

// within makes a call of a session, or that of a signed-in device.
func within[Q, A any](ctx context.Context, p *Phone, session recovery.SessionSecret,
	call func(context.Context, *connect.Request[Q]) (*connect.Response[A], error), in *Q,
) (*A, error) {
	if len(session) == 0 {
		return ask(ctx, p, call, in)
	}
	res, err := call(ctx, connect.NewRequest(in))
	if err != nil {
		return nil, err
	}
	return res.Msg, nil
}

// opToProto: the API has the numbers of the vaults.
func opToProto(o wire.Op) recoveryv1.Op { return recoveryv1.Op(o) }

var recoveryStages = map[recoveryv1.Stage]recovery.Stage{
	recoveryv1.Stage_STAGE_ACTIVATED: recovery.Activated,
	recoveryv1.Stage_STAGE_FINALIZED: recovery.Finalized,
	recoveryv1.Stage_STAGE_UPDATED:   recovery.Updated,
	recoveryv1.Stage_STAGE_DELETING:  recovery.Deleting,
}

func acctsFromProto(in []*recoveryv1.VaultAccount) (map[string][16]byte, error) {
	out := map[string][16]byte{}
	for _, a := range in {
		acct, err := fixed16(a.GetAcct())
		if err != nil {
			return nil, err
		}
		out[a.GetVault()] = acct
	}
	return out, nil
}

func blobsFromProto(in []*recoveryv1.Blob) ([]recovery.BlobView, error) {
	var out []recovery.BlobView
	for _, b := range in {
		reg, err := fixed16(b.GetRegId())
		if err != nil {
			return nil, err
		}
		hash, err := fixed32(b.GetHash())
		if err != nil {
			return nil, err
		}
		out = append(out, recovery.BlobView{Reg: reg, Hash: hash, Blob: b.GetBlob()})
	}
	return out, nil
}

func fixed16(b []byte) ([16]byte, error) {
	if len(b) != 16 {
		return [16]byte{}, fmt.Errorf("%w: 16 bytes were expected, and there are %d", ErrMismatch, len(b))
	}
	return [16]byte(b), nil
}

func fixed32(b []byte) ([32]byte, error) {
	if len(b) != 32 {
		return [32]byte{}, fmt.Errorf("%w: 32 bytes were expected, and there are %d", ErrMismatch, len(b))
	}
	return [32]byte(b), nil
}

// newRecoveryClient is the API's client, as the phone makes its calls.
func newRecoveryClient(p *Phone, calls ...connect.ClientOption) recoveryv1connect.RecoveryServiceClient {
	return recoveryv1connect.NewRecoveryServiceClient(p.http, p.url, calls...)
}
