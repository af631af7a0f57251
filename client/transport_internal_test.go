package client

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

// TestGone: which errors are no answer of Staunch's, so that a call is made again.
func TestGone(t *testing.T) {
	with := func(code connect.Code, reason string) error {
		e := connect.NewError(code, errors.New("x"))
		if reason != "" {
			d, err := connect.NewErrorDetail(&errdetails.ErrorInfo{Domain: "staunch", Reason: reason})
			if err != nil {
				t.Fatal(err)
			}
			e.AddDetail(d)
		}
		return fmt.Errorf("wrapped: %w", e)
	}
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{with(connect.CodeUnavailable, ""), true},
		{with(connect.CodeUnavailable, "STORE_AWAY"), true},
		{with(connect.CodeUnavailable, "RECOVERY_AWAY"), false},
		{with(connect.CodeDeadlineExceeded, ""), true},
		{with(connect.CodeCanceled, ""), true},         // ECONNRESET, as Connect has it
		{with(connect.CodeCanceled, "CANCELED"), true}, // a server that stops says so to who waits
		{with(connect.CodeCanceled, "ANY"), false},
		{with(connect.CodeInternal, ""), false},
		{with(connect.CodeNotFound, ""), false},
		{connect.NewError(connect.CodeUnknown, fmt.Errorf("read message: %w", io.ErrUnexpectedEOF)), true},
		{with(connect.CodeUnknown, ""), false},
		{errors.New("other"), false},
	} {
		if got := gone(tt.err); got != tt.want {
			t.Errorf("%v: %v", tt.err, got)
		}
	}
}
