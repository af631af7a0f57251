package rpc

import (
	"context"
	"fmt"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
)

// Attest is the attestation service of one app; *registry.Service is one.
type Attest interface {
	CreateChallenge(context.Context, account.Caller, *registry.ChallengeRequest) (*registry.IssuedChallenge, error)
	Register(context.Context, account.Caller, *registry.Registration) (*registry.Registered, error)
	VerifyRequest(context.Context, account.Caller, *registry.RequestCheck) (*registry.RequestVerdict, error)
	GetKey(ctx context.Context, caller account.Caller, app account.AppID, id string) (registry.Key, error)
	ListKeys(ctx context.Context, caller account.Caller, app account.AppID, f registry.KeyFilter, size int) (*registry.KeyPage, error)
	RevokeKey(ctx context.Context, caller account.Caller, app account.AppID, id, reason string) (registry.Key, error)
	Stats(context.Context, account.Caller, *registry.StatFilter) (*registry.StatReport, error)
	Suspects(ctx context.Context, caller account.Caller, app account.AppID) ([]registry.Suspect, error)
}

// attestHandler is staunch.attest.v1.AttestService.
type attestHandler struct{ *edge }

// begin finds app and caller, and writes them into the Call. A call that is
// signed in our form and bears no token is the backend's, or is refused.
func (e *edge) begin(ctx context.Context, req connect.AnyRequest, named string) (account.Caller, App, *Call, error) {
	caller, app, err := e.caller(req.Header(), named)
	c := callOf(ctx)
	if m := receivedOf(ctx).message; err == nil && caller.Kind == account.Anonymous && app.Accounts != nil && signed(m.SignatureInput) {
		caller, err = app.Accounts.ProveBackend(ctx, m)
	}
	c.App, c.Caller = app.ID, caller.Kind
	return caller, app, c, err
}

// CreateChallenge issues a challenge.
func (h *attestHandler) CreateChallenge(ctx context.Context, req *connect.Request[attestv1.CreateChallengeRequest]) (*connect.Response[attestv1.CreateChallengeResponse], error) {
	caller, app, _, err := h.begin(ctx, req, req.Msg.GetApp())
	if err != nil {
		return nil, err
	}
	purpose, err := purposeFromProto(req.Msg.GetPurpose())
	if err != nil {
		return nil, err
	}
	if caller.Kind != account.Backend && req.Msg.GetAccount() != "" {
		return nil, fmt.Errorf("%w: account", errTokenMissing)
	}
	c, err := app.Attest.CreateChallenge(ctx, caller, &registry.ChallengeRequest{
		App: app.ID, Account: account.ID(req.Msg.GetAccount()), Purpose: purpose,
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(challengeToProto(c)), nil
}

// Register judges evidence. A phone has proved nothing when it calls: what lets
// it register a key is the challenge, which the backend has had made for the
// account. It may not name a key to replace, nor the country that it is in.
func (h *attestHandler) Register(ctx context.Context, req *connect.Request[attestv1.RegisterRequest]) (*connect.Response[attestv1.RegisterResponse], error) {
	caller, app, call, err := h.begin(ctx, req, req.Msg.GetApp())
	if err != nil {
		return nil, err
	}
	in := registrationFromProto(app.ID, req.Msg)
	backend := caller.Kind == account.Backend
	if !backend && in.Replaces != "" {
		return nil, fmt.Errorf("%w: replaces", errTokenMissing)
	}
	if !backend && in.Country != "" {
		return nil, fmt.Errorf("%w: country", errTokenMissing)
	}
	r, err := app.Attest.Register(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	call.Decision, call.Advice = string(r.Decision), string(r.Advice)
	return connect.NewResponse(registeredToProto(r, backend)), nil
}

// forBackend is begin for the calls that are for backends only.
func (e *edge) forBackend(ctx context.Context, req connect.AnyRequest, named string) (account.Caller, App, *Call, error) {
	caller, app, call, err := e.begin(ctx, req, named)
	if err == nil && caller.Kind != account.Backend {
		err = errTokenMissing
	}
	return caller, app, call, err
}

// VerifyRequest judges a signed request.
func (h *attestHandler) VerifyRequest(ctx context.Context, req *connect.Request[attestv1.VerifyRequestRequest]) (*connect.Response[attestv1.VerifyRequestResponse], error) {
	caller, app, call, err := h.forBackend(ctx, req, req.Msg.GetApp())
	if err != nil {
		return nil, err
	}
	v, err := app.Attest.VerifyRequest(ctx, caller, requestFromProto(app.ID, req.Msg))
	if err != nil {
		return nil, err
	}
	call.Decision, call.Advice = string(v.Decision), string(v.Advice)
	return connect.NewResponse(requestVerdictToProto(v)), nil
}

// GetKey reads a key record.
func (h *attestHandler) GetKey(ctx context.Context, req *connect.Request[attestv1.GetKeyRequest]) (*connect.Response[attestv1.GetKeyResponse], error) {
	caller, app, _, err := h.forBackend(ctx, req, req.Msg.GetApp())
	if err != nil {
		return nil, err
	}
	k, err := app.Attest.GetKey(ctx, caller, app.ID, req.Msg.GetKeyId())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&attestv1.GetKeyResponse{Key: keyToProto(k)}), nil
}

// ListKeys reads key records.
func (h *attestHandler) ListKeys(ctx context.Context, req *connect.Request[attestv1.ListKeysRequest]) (*connect.Response[attestv1.ListKeysResponse], error) {
	caller, app, _, err := h.forBackend(ctx, req, req.Msg.GetApp())
	if err != nil {
		return nil, err
	}
	filter, err := filterFromProto(req.Msg)
	if err != nil {
		return nil, err
	}
	page, err := app.Attest.ListKeys(ctx, caller, app.ID, filter, int(req.Msg.GetPageSize()))
	if err != nil {
		return nil, err
	}
	m := &attestv1.ListKeysResponse{NextPageToken: page.Next}
	for _, k := range page.Keys {
		m.Keys = append(m.Keys, keyToProto(k))
	}
	return connect.NewResponse(m), nil
}

// RevokeKey ends a key.
func (h *attestHandler) RevokeKey(ctx context.Context, req *connect.Request[attestv1.RevokeKeyRequest]) (*connect.Response[attestv1.RevokeKeyResponse], error) {
	caller, app, _, err := h.forBackend(ctx, req, req.Msg.GetApp())
	if err != nil {
		return nil, err
	}
	k, err := app.Attest.RevokeKey(ctx, caller, app.ID, req.Msg.GetKeyId(), req.Msg.GetReason())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&attestv1.RevokeKeyResponse{Key: keyToProto(k)}), nil
}
