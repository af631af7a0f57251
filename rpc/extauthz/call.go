package extauthz

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"connectrpc.com/connect"
)

// Call is what is known of a call when it has ended. Every field but Duration
// has few values, so that they can label a metric.
type Call struct {
	App      string // empty when the token is of none
	Code     string // "ok", or Connect's name of the code
	Reason   string // of a refusal
	Decision string // "ALLOW" or "DENY" where one was made
	Advice   string // beside a decision
	Duration time.Duration
}

// call is a Call while it runs, with what the log alone is told.
type call struct {
	Call
	start time.Time
	more  []slog.Attr
}

// callKey finds the *call of a request in its context.
type callKey struct{}

func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// misread is the end of a call that cannot be understood.
func (c *call) misread(err error) {
	c.Code, c.Reason = connect.CodeUnavailable.String(), "STAUNCH_AWAY"
	c.more = append(c.more, slog.String("error", err.Error()))
}

// judged is the end of a call that Middleware has answered.
func (c *call) judged(t *trial, rec *recorder) {
	c.more = append(c.more, slog.String("method", t.message.request.Method))
	c.Code = "ok"
	if t.passed {
		c.Decision, c.Advice = "ALLOW", "NONE"
		return
	}
	var told struct{ Reason, Advice string }
	if json.Unmarshal(rec.body.Bytes(), &told) == nil {
		c.Reason = told.Reason
	}
	switch rec.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		c.Decision, c.Advice = "DENY", told.Advice
	case http.StatusServiceUnavailable:
		c.Code = connect.CodeUnavailable.String()
	}
	c.more = append(c.more, slog.Int("status", rec.status))
	if t.decision != nil {
		c.more = append(c.more, slog.Any("codes", t.decision.Codes))
	}
	if t.err != nil {
		c.more = append(c.more, slog.String("error", t.err.Error()))
	}
}

// done tells the log and the observer of a call: a line without path, query,
// body, account or any other secret. A path may name people, /users/alice, and
// this log is not that of the service whose path it is.
func (h *handler) done(ctx context.Context, c *call) {
	if c.Code == "" { // the handler has not seen it: Connect could not decode the message
		c.Code, c.Reason = connect.CodeInvalidArgument.String(), "REQUEST_MALFORMED"
	}
	level := slog.LevelInfo
	if c.Code == connect.CodeUnavailable.String() || c.Code == connect.CodeInternal.String() {
		level = slog.LevelError
	}
	attrs := []slog.Attr{slog.String("procedure", Procedure), slog.String("code", c.Code)}
	for _, a := range []struct{ key, value string }{
		{"app", c.App}, {"reason", c.Reason}, {"decision", c.Decision}, {"advice", c.Advice},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, a.value))
		}
	}
	c.Duration = time.Since(c.start)
	attrs = append(attrs, c.more...)
	h.log.LogAttrs(ctx, level, "call", append(attrs, slog.Duration("duration", c.Duration))...)
	h.observe(c.Call)
}
