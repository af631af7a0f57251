// Package rpc is the edge of the server: Connect handlers over the services of
// the pillars. A handler finds the app and the caller, decodes, calls one
// method and encodes; it decides nothing.
//
//	h, err := rpc.New(&rpc.Options{Apps: []rpc.App{{ID: "demo", Attest: service, Token: token}}})
//	http.ListenAndServe("127.0.0.1:8080", h)
//
// # Callers of accounts and passkeys
//
// A phone signs each call with its attested key, and a backend with the key that
// the configuration names (RFC 9421). So each request is kept as it came, for
// whoever verifies the signature. A session goes along as "Authorization:
// Staunch TOKEN", which must be signed too. A call that brings a new key is a
// stranger's here: its flow verifies evidence and signature together. Cookies are
// never read, but for the stream of alerts, by Options.Browser. The header
// Staunch-App names the app where there are several.
//
// Nothing is compressed: what is signed is what is read.
//
// # Callers of the attestation service
//
// A call without credentials is a phone's. The app's backend signs, or sends
// "Authorization: Bearer TOKEN"; the token says which app it is of, and is
// compared by its SHA-256 in constant time. A call with a token that no app has
// is refused, also where a phone could make it.
//
// The app is named in the request, or by the header Staunch-App, or by the
// token, or is the only one that there is. When it is named twice, both names
// must be the same.
//
// Only a backend learns why: verdict, stage and evidence id are for it. A
// phone gets decision, advice and key id.
//
// # Errors
//
// One table, in errors.go, turns the errors of the pillars into Connect codes
// with a stable reason. What is not in the table reaches the client as
// "internal error", and the log in full. The same holds for a panic.
//
// # Bounds
//
// A message is at most MaxMessage bytes, before and after decompression; what is put
// under BulkPath is a segment of a transfer, which is streamed.
// Requests are read strictly: a field that the API does not have is an error.
//
// The package keeps no metrics: each call, also one that no handler saw, is
// told to Options.Observe and is one line in the log. Neither holds bodies,
// tokens, challenges or accounts.
package rpc

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/gen/staunch/account/v1/accountv1connect"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
	"github.com/staunchid/staunch/gen/staunch/passkey/v1/passkeyv1connect"
	"github.com/staunchid/staunch/gen/staunch/recovery/v1/recoveryv1connect"
	"github.com/staunchid/staunch/gen/staunch/transfer/v1/transferv1connect"
)

// MaxMessage bounds a message: an attestation of 64 KiB in base64, and what
// comes with it.
const MaxMessage = 256 << 10

// compressFrom is the size from which on an answer is compressed, for a client
// that takes gzip. Most do, whether it helps or not: to compress the verdict on
// a request costs two fifths of what its signature's verification does.
const compressFrom = 4 << 10

// Options are what New takes.
type Options struct {
	// Apps are the apps that are served. Required: at least one.
	Apps []App
	// Logger gets one line a call. nil discards.
	Logger *slog.Logger
	// Observe is told of each call when it has ended. nil: nobody is.
	Observe func(Call)
	// Address gives the host that a request comes from, of which a keyed hash of
	// its network is counted and stored. nil: that of the connection; a server
	// behind a proxy must say better.
	Address func(*http.Request) string
	// Country gives the country that a request comes from, as ISO 3166-1 alpha-2, or ""
	// if nobody whom the server trusts has told it. nil: it is never known.
	Country func(*http.Request) string
	// Browser finds out whose session the cookie of a request for the stream of
	// alerts is, and in which app. nil: browsers have no stream.
	Browser func(*http.Request) (account.Caller, error)
	// Away reports whether an error means that the store cannot be reached, so
	// that the call can be made again later. nil: none does.
	Away func(error) bool
}

// App is what one app's calls need.
type App struct {
	ID     account.AppID
	Attest Attest // its attestation service
	Token  Token  // of its backend; the zero Token is nobody's
	// Accounts are its flows. nil: the app has attestation alone, and its backend
	// sends the token.
	Accounts Accounts
	// Recovery brings sealing keys back. nil: nothing is brought back by a PIN.
	Recovery Recovery
	// Moves carries the ciphertext of accounts that move. nil: none do.
	Moves Moves
}

// Paths are what the handler of New answers, for a mux that has other things as
// well: those of services end in "/".
func Paths() []string {
	return []string{
		"/" + attestv1connect.AttestServiceName + "/",
		"/" + accountv1connect.AccountServiceName + "/",
		"/" + accountv1connect.JoinServiceName + "/",
		"/" + accountv1connect.BackendServiceName + "/",
		"/" + passkeyv1connect.PasskeyServiceName + "/",
		"/" + recoveryv1connect.RecoveryServiceName + "/",
		"/" + transferv1connect.TransferServiceName + "/",
		BulkPath,
		StreamPath,
	}
}

// New returns the handler of all services.
func New(opts *Options) (http.Handler, error) {
	e := &edge{log: opts.Logger, observe: opts.Observe, away: opts.Away, address: opts.Address, country: opts.Country, browser: opts.Browser}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.observe == nil {
		e.observe = func(Call) {}
	}
	if e.away == nil {
		e.away = func(error) bool { return false }
	}
	if e.address == nil {
		e.address = remote
	}
	if e.country == nil {
		e.country = func(*http.Request) string { return "" }
	}
	if err := e.setApps(opts.Apps); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	path, attest := attestv1connect.NewAttestServiceHandler(&attestHandler{e}, append(e.handlerOptions(), connect.WithCompressMinBytes(compressFrom))...)
	mux.Handle(path, e.keptIfSigned(attest))
	add := func(path string, h http.Handler) { mux.Handle(path, e.kept(h)) }
	plain := append(e.handlerOptions(), connect.WithCompression("gzip", nil, nil))
	add(accountv1connect.NewAccountServiceHandler(&accountHandler{e}, plain...))
	joinPath, join := accountv1connect.NewJoinServiceHandler(&joinHandler{e}, plain...)
	add(joinPath, patient(join))
	add(accountv1connect.NewBackendServiceHandler(&backendHandler{e}, plain...))
	add(passkeyv1connect.NewPasskeyServiceHandler(&passkeyHandler{e}, plain...))
	add(recoveryv1connect.NewRecoveryServiceHandler(&recoveryHandler{e}, plain...))
	movePath, move := transferv1connect.NewTransferServiceHandler(&transferHandler{e}, plain...)
	add(movePath, unhurried(move))
	mux.Handle(BulkPath, e.bulk())
	mux.Handle("GET "+StreamPath, e.kept(&alertStream{edge: e}))
	return e.observed(mux), nil
}

// edge is what all handlers share.
type edge struct {
	apps    map[account.AppID]App
	order   []App // for comparisons that look at all
	log     *slog.Logger
	observe func(Call)
	away    func(error) bool
	address func(*http.Request) string
	country func(*http.Request) string
	browser func(*http.Request) (account.Caller, error)
}

func (e *edge) setApps(apps []App) error {
	if len(apps) == 0 {
		return errors.New("rpc: options: no Apps")
	}
	e.apps = map[account.AppID]App{}
	for _, a := range apps {
		if err := a.ID.Validate(); err != nil {
			return fmt.Errorf("rpc: options: %w", err)
		}
		if a.Attest == nil {
			return fmt.Errorf("rpc: options: app %s has no Attest", a.ID)
		}
		if _, twice := e.apps[a.ID]; twice {
			return fmt.Errorf("rpc: options: app %s occurs twice", a.ID)
		}
		for _, other := range e.order {
			if a.Token.set() && a.Token == other.Token {
				return fmt.Errorf("rpc: options: the apps %s and %s have the same token", other.ID, a.ID)
			}
		}
		e.apps[a.ID] = a
		e.order = append(e.order, a)
	}
	return nil
}

func (e *edge) handlerOptions() []connect.HandlerOption {
	return []connect.HandlerOption{
		connect.WithReadMaxBytes(MaxMessage),
		connect.WithInterceptors(interceptor{e}),
		connect.WithCodec(protoCodec{}),
		connect.WithCodec(jsonCodec{name: "json"}),
		connect.WithCodec(jsonCodec{name: "json; charset=utf-8"}),
	}
}
