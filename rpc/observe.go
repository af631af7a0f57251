package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
)

// Call is what is known of a call when it has ended. Every field but Duration
// has few values, so that they can label a metric.
type Call struct {
	Procedure string        // "/staunch.attest.v1.AttestService/Register", or "unknown"
	App       account.AppID // empty when it was not found
	Caller    account.Kind  // empty when it was not found
	Code      string        // "ok", or Connect's name of the code
	Reason    string        // of an error; empty for "ok"
	Decision  string        // "ALLOW" or "DENY" where one was made
	Advice    string        // beside a decision
	Duration  time.Duration
}

// callKey finds the *Call of a request in its context.
type callKey struct{}

// procedures are the names that a Call may bear.
func procedures() map[string]bool {
	return map[string]bool{
		attestv1connect.AttestServiceCreateChallengeProcedure: true,
		attestv1connect.AttestServiceRegisterProcedure:        true,
		attestv1connect.AttestServiceVerifyRequestProcedure:   true,
		attestv1connect.AttestServiceGetKeyProcedure:          true,
		attestv1connect.AttestServiceListKeysProcedure:        true,
		attestv1connect.AttestServiceRevokeKeyProcedure:       true,
		attestv1connect.AttestServiceStatsProcedure:           true,
		attestv1connect.AttestServiceSuspectsProcedure:        true,
	}
}

// observed is the outermost layer: it bounds the body, ends each call with a
// line in the log, and keeps a panic from ending the program.
func (e *edge) observed(next http.Handler) http.Handler {
	known := procedures()
	errWriter := connect.NewErrorWriter(e.handlerOptions()...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		c := &Call{Procedure: "unknown"}
		if known[r.URL.Path] {
			c.Procedure = r.URL.Path
		}
		sw := &statusWriter{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				if aborted(p) {
					panic(p)
				}
				e.panicked(r.Context(), p)
				c.Code, c.Reason = connect.CodeInternal.String(), "INTERNAL"
				if sw.status == 0 {
					http.Error(w, internal, http.StatusInternalServerError)
				}
			}
			c.Duration = time.Since(start)
			if c.Code == "" {
				c.Code, c.Reason = sw.outcome()
			}
			e.done(r.Context(), c)
		}()
		if r.ContentLength > MaxMessage {
			err := fmt.Errorf("%w: %d bytes, at most %d are read", errTooLarge, r.ContentLength, MaxMessage)
			row, _ := e.lookup(err)
			c.Code, c.Reason = row.code.String(), row.reason
			w.Header().Set("Connection", "close")
			if errWriter.IsSupported(r) && errWriter.Write(sw, r, row.toClient(err)) == nil {
				return
			}
			http.Error(sw, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		next.ServeHTTP(sw, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
	})
}

// intercept refuses what could not be decoded and turns every error into a row
// of the table.
func (e *edge) intercept(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (res connect.AnyResponse, err error) {
		c := callOf(ctx)
		defer func() {
			if p := recover(); p != nil {
				if aborted(p) {
					panic(p)
				}
				e.panicked(ctx, p)
				res, err = nil, errPanic
			}
			c.Code = "ok"
			if err == nil {
				return
			}
			row, known := e.lookup(err)
			if !known && !errors.Is(err, errPanic) {
				e.log.ErrorContext(ctx, "call failed", "procedure", c.Procedure, "app", c.App, "error", err)
			}
			c.Code, c.Reason = row.code.String(), row.reason
			if row.reason == "STORE_AWAY" {
				e.log.ErrorContext(ctx, "store is away", "procedure", c.Procedure, "app", c.App, "error", err)
			}
			res, err = nil, row.toClient(err)
		}()
		msg, ok := req.Any().(proto.Message)
		if !ok {
			return nil, fmt.Errorf("rpc: %T is no message", req.Any())
		}
		if err := unreadable(msg); err != nil {
			return nil, err
		}
		return next(ctx, req)
	}
}

// callOf gives the Call of a request, so that a handler can fill it in.
func callOf(ctx context.Context) *Call {
	if c, ok := ctx.Value(callKey{}).(*Call); ok {
		return c
	}
	return &Call{}
}

// aborted reports whether a handler asks for the connection to be cut.
func aborted(p any) bool {
	err, ok := p.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}

func (e *edge) panicked(ctx context.Context, p any) {
	e.log.ErrorContext(ctx, "panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}

// done tells the log and the observer of a call.
func (e *edge) done(ctx context.Context, c *Call) {
	level := slog.LevelInfo
	if c.Code == connect.CodeInternal.String() || c.Code == connect.CodeUnavailable.String() {
		level = slog.LevelError
	}
	if e.log.Enabled(ctx, level) { // there are thousands of lines a second: no work for those that nobody wants
		var room [8]slog.Attr
		attrs := append(room[:0], slog.String("procedure", c.Procedure), slog.String("code", c.Code))
		for _, a := range [...]struct{ key, value string }{
			{"app", string(c.App)}, {"caller", string(c.Caller)}, {"reason", c.Reason}, {"decision", c.Decision}, {"advice", c.Advice},
		} {
			if a.value != "" {
				attrs = append(attrs, slog.String(a.key, a.value))
			}
		}
		e.log.LogAttrs(ctx, level, "call", append(attrs, slog.Duration("duration", c.Duration))...)
	}
	e.observe(*c)
}

// statusWriter remembers how a call that no handler saw was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find what is below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush lets Connect see that flushing works.
func (w *statusWriter) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// outcome reads code and reason off an answer that Connect gave by itself.
func (w *statusWriter) outcome() (code, reason string) {
	for _, h := range []string{"Grpc-Status", http.TrailerPrefix + "Grpc-Status"} {
		if n, err := strconv.ParseUint(w.Header().Get(h), 10, 32); err == nil && n > 0 {
			return connect.Code(n).String(), "REQUEST_MALFORMED"
		}
	}
	switch w.status {
	case http.StatusNotFound:
		return connect.CodeUnimplemented.String(), "PROCEDURE_UNKNOWN"
	case http.StatusTooManyRequests, http.StatusRequestEntityTooLarge:
		return connect.CodeResourceExhausted.String(), "REQUEST_TOO_LARGE"
	default:
		return connect.CodeInvalidArgument.String(), "REQUEST_MALFORMED"
	}
}
