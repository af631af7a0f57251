package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
	recoveryv1 "github.com/staunchid/staunch/gen/staunch/recovery/v1"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
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
	Op        string        // what a vault was asked for: "evaluate"; empty: none was
	Vault     string        // which one, if it is there
	Duration  time.Duration
}

// callKey finds the *Call of a request in its context.
type callKey struct{}

// procedures are the names that a Call may bear.
func procedures() map[string]bool {
	names := map[string]bool{StreamPath: true, BulkPath: true}
	for _, file := range [...]protoreflect.FileDescriptor{
		attestv1.File_staunch_attest_v1_attest_proto,
		accountv1.File_staunch_account_v1_account_proto,
		accountv1.File_staunch_account_v1_join_proto,
		accountv1.File_staunch_account_v1_backend_proto,
		passkeyv1.File_staunch_passkey_v1_passkey_proto,
		recoveryv1.File_staunch_recovery_v1_recovery_proto,
		transferv1.File_staunch_transfer_v1_transfer_proto,
	} {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				names["/"+string(service.FullName())+"/"+string(service.Methods().Get(j).Name())] = true
			}
		}
	}
	return names
}

// observed is the outermost layer: it bounds the body, ends each call with a
// line in the log, and keeps a panic from ending the program.
func (e *edge) observed(next http.Handler) http.Handler {
	known := procedures()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		c := &Call{Procedure: "unknown"}
		if known[r.URL.Path] {
			c.Procedure = r.URL.Path
		}
		bulk := strings.HasPrefix(r.URL.Path, BulkPath)
		if bulk {
			c.Procedure = BulkPath
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
		if r.ContentLength > MaxMessage && !bulk {
			err := fmt.Errorf("%w: %d bytes, at most %d are read", errTooLarge, r.ContentLength, MaxMessage)
			w.Header().Set("Connection", "close")
			e.refuse(sw, r.WithContext(context.WithValue(r.Context(), callKey{}, c)), err)
			return
		}
		next.ServeHTTP(sw, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
	})
}

// interceptor refuses what could not be decoded, and turns every error into a row
// of the table.
type interceptor struct{ *edge }

// WrapUnary is for all calls but streams.
func (e interceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (res connect.AnyResponse, err error) {
		err = e.guard(ctx, func() (err error) {
			msg, ok := req.Any().(proto.Message)
			if !ok {
				return fmt.Errorf("rpc: %T is no message", req.Any())
			}
			if err := unreadable(msg); err != nil {
				return err
			}
			res, err = next(ctx, req)
			return err
		})
		if err != nil {
			return nil, err
		}
		return res, nil
	}
}

// WrapStreamingHandler is for streams, whose handlers see the message first.
func (e interceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		return e.guard(ctx, func() error { return next(ctx, conn) })
	}
}

// WrapStreamingClient is for clients, of which there are none here.
func (interceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// guard runs a handler. Its error, or that of a panic in it, is what the client
// may see, and the Call has the outcome.
func (e *edge) guard(ctx context.Context, handle func() error) (err error) {
	c := callOf(ctx)
	defer func() {
		if p := recover(); p != nil {
			if aborted(p) {
				panic(p)
			}
			e.panicked(ctx, p)
			err = errPanic
		}
		c.Code = "ok"
		if err != nil {
			err = e.judge(ctx, err)
		}
	}()
	return handle()
}

// judge finds the row of an error, tells the Call and, where an operator must
// know, the log of it, and gives what the client may see.
func (e *edge) judge(ctx context.Context, err error) *connect.Error {
	c := callOf(ctx)
	row, known := e.lookup(err)
	c.Code, c.Reason = row.code.String(), row.reason
	switch {
	case errors.Is(err, errPanic): // it has a line of its own
	case !known:
		e.log.ErrorContext(ctx, "call failed", "procedure", c.Procedure, "app", c.App, "error", err)
	case row.reason == "STORE_AWAY":
		e.log.ErrorContext(ctx, "store is away", "procedure", c.Procedure, "app", c.App, "error", err)
	case row.reason == "INTEGRITY_FAILURE":
		e.log.ErrorContext(ctx, "the store was tampered with, or is damaged", "procedure", c.Procedure, "app", c.App, "error", err)
	case row.reason == "PROOF_INVALID", row.reason == "PASSKEY_REFUSED", row.reason == "PASSKEY_MALFORMED":
		// The client learns no more than the reason, and who builds one needs the check that failed.
		e.log.InfoContext(ctx, "call refused", "procedure", c.Procedure, "app", c.App, "reason", row.reason, "error", clip(err.Error()))
	}
	return row.toClient(err)
}

// refuse answers a request that reaches no handler of Connect's, in the form that
// it asks for, or else in that of Connect's errors in JSON.
func (e *edge) refuse(w http.ResponseWriter, r *http.Request, err error) {
	ce := e.judge(r.Context(), err)
	if err := connect.NewErrorWriter(e.handlerOptions()...).Write(w, r, ce); err != nil {
		e.log.InfoContext(r.Context(), "answer not sent", "error", err)
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
	switch c.Code {
	case connect.CodeInternal.String(), connect.CodeUnavailable.String(), connect.CodeDataLoss.String():
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

// ReadFrom lets a file go out without passing through this process.
func (w *statusWriter) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return io.Copy(w.ResponseWriter, r)
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
