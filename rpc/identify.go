package rpc

import (
	"context"
	"fmt"
	"net/http"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/integrity"
)

// party is who makes a call of accounts or passkeys, in which app, and by what
// message.
type party struct {
	account.Caller
	app     Accounts
	message *request.Message
}

// stranger is a caller who has proved nothing: the call is one that needs no
// key, or it brings a new key, which its flow proves once it has verified the
// evidence.
func (e *edge) stranger(ctx context.Context, h http.Header) (party, error) {
	app, err := e.named(h)
	call := callOf(ctx)
	call.App, call.Caller = app.ID, account.Anonymous
	if err != nil {
		return party{}, err
	}
	in := receivedOf(ctx)
	return party{
		Caller:  account.Caller{Kind: account.Anonymous, App: app.ID, Network: app.Accounts.Network(in.address), Place: in.country},
		app:     app.Accounts,
		message: in.message,
	}, nil
}

// phone is the phone that has signed the call, with its session if it bears one.
func (e *edge) phone(ctx context.Context, h http.Header) (party, error) {
	return e.proved(ctx, h, false)
}

// proved is phone, and takes a key that was revoked where the call may tell it
// so.
func (e *edge) proved(ctx context.Context, h http.Header, revokedToo bool) (party, error) {
	p, err := e.stranger(ctx, h)
	if err != nil {
		return party{}, err
	}
	token, err := tokenOf(p.message)
	if err != nil {
		return party{}, err
	}
	c, err := p.app.Prove(ctx, p.message, token, revokedToo)
	if err != nil {
		return party{}, err
	}
	callOf(ctx).Caller = c.Kind
	c.Network, c.Place = p.Network, p.Place
	p.Caller = c
	return p, nil
}

// lockedPhone is a phone that is locked, whose key may have been revoked: what a
// locked device may do, the rules know. A revoked key whose device is not locked
// yet is nobody's.
func (e *edge) lockedPhone(ctx context.Context, h http.Header) (party, error) {
	p, err := e.proved(ctx, h, true)
	if err != nil {
		return party{}, err
	}
	s, err := p.app.Status(ctx, p.Caller)
	if err != nil {
		return party{}, err
	}
	if s.DeviceState != account.Locked {
		return party{}, fmt.Errorf("%w: only a device that is locked needs this; call Reattest with a fresh session", integrity.ErrNotAllowed)
	}
	return p, nil
}

// either is phone for a call that is signed, and stranger for one that is not:
// for calls that a phone makes before it has a key, and after.
func (e *edge) either(ctx context.Context, h http.Header) (party, error) {
	if signed(receivedOf(ctx).message.SignatureInput) {
		return e.phone(ctx, h)
	}
	return e.stranger(ctx, h)
}

// backend is the app's backend, which has signed the call. A bearer token is not
// enough here: see docs/decisions/0012.
func (e *edge) backend(ctx context.Context, h http.Header) (party, error) {
	p, err := e.stranger(ctx, h)
	if err != nil {
		return party{}, err
	}
	c, err := p.app.ProveBackend(ctx, p.message)
	if err != nil {
		return party{}, err
	}
	callOf(ctx).Caller = c.Kind
	p.Caller = c
	return p, nil
}

// named finds the app by the header Staunch-App, or is the only one. It must
// have accounts.
func (e *edge) named(h http.Header) (App, error) {
	names := h.Values("Staunch-App")
	switch {
	case len(names) > 1:
		return App{}, errRequestf("the header Staunch-App is there %d times", len(names))
	case len(names) == 0 && len(e.order) > 1:
		return App{}, errAppMissing
	}
	id := e.order[0].ID
	if len(names) == 1 {
		id = account.AppID(names[0])
	}
	app, ok := e.apps[id]
	if !ok || app.Accounts == nil {
		return App{}, errAppUnknown
	}
	return app, nil
}
