package rpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	recoveryv1 "github.com/staunchid/staunch/gen/staunch/recovery/v1"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
)

// Recovery is pillar recovery of one app; *recovery.Service has it.
type Recovery interface {
	GetConfig(ctx context.Context, c account.Caller, nonce []byte) (*recovery.Config, error)
	GetBackup(ctx context.Context, c account.Caller) (*recovery.BackupView, error)
	PutBlob(ctx context.Context, c account.Caller, reg [16]byte, blob []byte) error
	CommitBackup(ctx context.Context, c account.Caller, reg [16]byte, stage recovery.Stage, blob [32]byte) error
	OpenSession(ctx context.Context, c account.Caller, id account.ID, ticket recovery.TicketSecret) (*recovery.SessionView, error)
	CallVault(ctx context.Context, c account.Caller, in *recovery.VaultCall) (*recovery.VaultAnswer, error)
	CallSeed(ctx context.Context, c account.Caller, in *recovery.SeedCall) (*recovery.VaultAnswer, error)
	FinishSession(ctx context.Context, c account.Caller, session recovery.SessionSecret) error
	ListReceipts(ctx context.Context, c account.Caller, after uint64, limit int) ([]recovery.ReceiptRow, error)
}

// recoveryHandler is staunch.recovery.v1.RecoveryService.
type recoveryHandler struct{ *edge }

// recovers is the caller's pillar recovery.
func (p party) recovers(e *edge) (Recovery, error) {
	r := e.apps[p.App].Recovery
	if r == nil {
		return nil, errNoRecovery
	}
	return r, nil
}

// ticketed is a phone with a ticket or a session: its key is that of a device, or
// one that is pending, and has no account yet.
func (h *recoveryHandler) ticketed(ctx context.Context, p party) (account.Caller, error) {
	c, err := p.app.ProveNewcomer(ctx, p.message)
	if err != nil {
		return account.Caller{}, err
	}
	callOf(ctx).Caller = c.Kind
	c.Network = p.Network
	return c, nil
}

// sessioned is the caller of a call that may be of a session.
func (h *recoveryHandler) sessioned(ctx context.Context, req connect.AnyRequest, session []byte) (account.Caller, Recovery, error) {
	if len(session) == 0 {
		return h.signedIn(ctx, req)
	}
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return account.Caller{}, nil, err
	}
	r, err := p.recovers(h.edge)
	if err != nil {
		return account.Caller{}, nil, err
	}
	c, err := h.ticketed(ctx, p)
	return c, r, err
}

// signedIn is a device.
func (h *recoveryHandler) signedIn(ctx context.Context, req connect.AnyRequest) (account.Caller, Recovery, error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return account.Caller{}, nil, err
	}
	r, err := p.recovers(h.edge)
	return p.Caller, r, err
}

// GetConfig says which vaults there are.
func (h *recoveryHandler) GetConfig(ctx context.Context, req *connect.Request[recoveryv1.GetConfigRequest]) (*connect.Response[recoveryv1.GetConfigResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	r, err := p.recovers(h.edge)
	if err != nil {
		return nil, err
	}
	c, err := r.GetConfig(ctx, p.Caller, req.Msg.GetNonce())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&recoveryv1.GetConfigResponse{
		Profile: c.Profile, Limit: int32(c.Limit), PinMinLength: int32(c.PINMin), VaultSet: c.Set, Evidence: c.Evidence, //nolint:gosec // both are under 64
		Operators: int32(c.Operators), Assurance: c.Assurance, //nolint:gosec // at most 9
	}), nil
}

// GetBackup says what is registered.
func (h *recoveryHandler) GetBackup(ctx context.Context, req *connect.Request[recoveryv1.GetBackupRequest]) (*connect.Response[recoveryv1.GetBackupResponse], error) {
	c, r, err := h.signedIn(ctx, req)
	if err != nil {
		return nil, err
	}
	b, err := r.GetBackup(ctx, c)
	if err != nil {
		return nil, err
	}
	m := &recoveryv1.GetBackupResponse{Account: string(b.Account), Accounts: acctsToProto(b.Accts), Found: b.Found, Blobs: blobsToProto(b.Blobs)}
	if b.Found {
		m.RegId, m.Hash, m.Header, m.Stage = b.Reg[:], b.Blob[:], b.Header, stageToProto(b.Stage)
	}
	return connect.NewResponse(m), nil
}

// PutBlob stores what the phone has encrypted.
func (h *recoveryHandler) PutBlob(ctx context.Context, req *connect.Request[recoveryv1.PutBlobRequest]) (*connect.Response[recoveryv1.PutBlobResponse], error) {
	c, r, err := h.signedIn(ctx, req)
	if err != nil {
		return nil, err
	}
	reg, err := regFromProto(req.Msg.GetRegId())
	if err != nil {
		return nil, err
	}
	if err := r.PutBlob(ctx, c, reg, req.Msg.GetBlob()); err != nil {
		return nil, err
	}
	return connect.NewResponse(&recoveryv1.PutBlobResponse{}), nil
}

// CommitBackup says how far a registration has come.
func (h *recoveryHandler) CommitBackup(ctx context.Context, req *connect.Request[recoveryv1.CommitBackupRequest]) (*connect.Response[recoveryv1.CommitBackupResponse], error) {
	c, r, err := h.signedIn(ctx, req)
	if err != nil {
		return nil, err
	}
	reg, err := regFromProto(req.Msg.GetRegId())
	if err != nil {
		return nil, err
	}
	var hash [32]byte
	if len(req.Msg.GetHash()) > 0 {
		if hash, err = hashFromProto(req.Msg.GetHash()); err != nil {
			return nil, err
		}
	}
	stage, err := stageFromProto(req.Msg.GetStage())
	if err != nil {
		return nil, err
	}
	if err := r.CommitBackup(ctx, c, reg, stage, hash); err != nil {
		return nil, err
	}
	return connect.NewResponse(&recoveryv1.CommitBackupResponse{}), nil
}

// OpenSession begins to recover, with a ticket.
func (h *recoveryHandler) OpenSession(ctx context.Context, req *connect.Request[recoveryv1.OpenSessionRequest]) (*connect.Response[recoveryv1.OpenSessionResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	r, err := p.recovers(h.edge)
	if err != nil {
		return nil, err
	}
	id, err := idFromProto[account.ID]("account", req.Msg.GetAccount())
	if err != nil {
		return nil, err
	}
	c, err := h.ticketed(ctx, p)
	if err != nil {
		return nil, err
	}
	s, err := r.OpenSession(ctx, c, id, recovery.TicketSecret(req.Msg.GetTicket()))
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&recoveryv1.OpenSessionResponse{
		Session: s.Secret, Account: string(s.Account), Until: timeToProto(s.Until), Accounts: acctsToProto(s.Accts), RegId: s.Reg[:], Blobs: blobsToProto(s.Blobs),
	}), nil
}

// CallVault carries one sealed request to one vault.
func (h *recoveryHandler) CallVault(ctx context.Context, req *connect.Request[recoveryv1.CallVaultRequest]) (*connect.Response[recoveryv1.CallVaultResponse], error) {
	m := req.Msg
	op, err := opFromProto(m.GetOp())
	if err != nil {
		return nil, err
	}
	c, r, err := h.sessioned(ctx, req, m.GetSession())
	if err != nil {
		return nil, err
	}
	a, err := r.CallVault(ctx, c, &recovery.VaultCall{
		Vault: m.GetVault(), Op: op, Epoch: m.GetEpoch(), Request: m.GetRequest(), Session: recovery.SessionSecret(m.GetSession()),
	})
	asked(ctx, op, m.GetVault(), err)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&recoveryv1.CallVaultResponse{Answer: a.Answer, Used: int32(a.Used), Receipt: a.Receipt}), nil //nolint:gosec // at most 50
}

// CallSeed does the same in profile seed.
func (h *recoveryHandler) CallSeed(ctx context.Context, req *connect.Request[recoveryv1.CallSeedRequest]) (*connect.Response[recoveryv1.CallSeedResponse], error) {
	m := req.Msg
	op, err := opFromProto(m.GetOp())
	if err != nil {
		return nil, err
	}
	c, r, err := h.sessioned(ctx, req, m.GetSession())
	if err != nil {
		return nil, err
	}
	a, err := r.CallSeed(ctx, c, &recovery.SeedCall{
		Op: op, Epoch: m.GetEpoch(), Request: m.GetRequest(), Session: recovery.SessionSecret(m.GetSession()),
	})
	asked(ctx, op, "", err)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&recoveryv1.CallSeedResponse{Answer: a.Answer, Used: int32(a.Used), Receipt: a.Receipt}), nil //nolint:gosec // at most 50
}

// asked notes what was asked of a vault. One that is not there has any name.
func asked(ctx context.Context, op wire.Op, vault string, err error) {
	if errors.Is(err, recovery.ErrMalformed) || errors.Is(err, recovery.ErrProfile) {
		return
	}
	c := callOf(ctx)
	c.Op, c.Vault = op.String(), vault
}

// FinishSession says that the PIN was right.
func (h *recoveryHandler) FinishSession(ctx context.Context, req *connect.Request[recoveryv1.FinishSessionRequest]) (*connect.Response[recoveryv1.FinishSessionResponse], error) {
	if len(req.Msg.GetSession()) == 0 {
		return nil, errRequestf("session is missing")
	}
	c, r, err := h.sessioned(ctx, req, req.Msg.GetSession())
	if err != nil {
		return nil, err
	}
	if err := r.FinishSession(ctx, c, recovery.SessionSecret(req.Msg.GetSession())); err != nil {
		return nil, err
	}
	return connect.NewResponse(&recoveryv1.FinishSessionResponse{}), nil
}

// ListReceipts gives the receipts of the vaults.
func (h *recoveryHandler) ListReceipts(ctx context.Context, req *connect.Request[recoveryv1.ListReceiptsRequest]) (*connect.Response[recoveryv1.ListReceiptsResponse], error) {
	p, err := h.backend(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	r, err := p.recovers(h.edge)
	if err != nil {
		return nil, err
	}
	limit, err := pageFromProto(req.Msg.GetLimit())
	if err != nil {
		return nil, err
	}
	rows, err := r.ListReceipts(ctx, p.Caller, req.Msg.GetAfter(), limit)
	if err != nil {
		return nil, err
	}
	m := &recoveryv1.ListReceiptsResponse{}
	for _, row := range rows {
		m.Receipts = append(m.Receipts, &recoveryv1.Receipt{Seq: row.Seq, Vault: row.Vault, Signed: row.Signed, At: timeToProto(row.At)})
	}
	return connect.NewResponse(m), nil
}
