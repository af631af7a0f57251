package load

import (
	"errors"
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/staunchid/staunch/attest"
)

var (
	// ErrAway: no server answers there, or it stopped answering. Start one.
	ErrAway = errors.New("load: the server does not answer")
	// ErrToken: the server does not take the token, or has no such app for it.
	// Send that of the app.
	ErrToken = errors.New("load: the server refuses the token")
	// ErrRefused: good phones are all refused for the same reason. The policy is
	// not one for software phones, or the host of the requests is not in it.
	ErrRefused = errors.New("load: every good phone is refused")
)

// explain says what a failed call means. Its error ends a run.
func explain(err error) error {
	code := connect.CodeOf(err)
	switch {
	case code == connect.CodeUnauthenticated || code == connect.CodePermissionDenied:
		return fmt.Errorf("%w: %w", ErrToken, err)
	case code == connect.CodeUnavailable, code == connect.CodeDeadlineExceeded, reasonOf(err) == "":
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return fmt.Errorf("load: the server fails: %w", err)
}

// reasonOf is the reason that the server gives for an error; empty: it is none
// of the server's.
func reasonOf(err error) string {
	var ce *connect.Error
	if !errors.As(err, &ce) {
		return ""
	}
	for _, d := range ce.Details() {
		if v, err := d.Value(); err == nil {
			if info, ok := v.(*errdetails.ErrorInfo); ok {
				return info.GetReason()
			}
		}
	}
	return ""
}

// refusal says why good phones are refused, and what to do.
func refusal(platform, call, code, detail string) error {
	hint := "see `staunch attest codes " + code + "`"
	switch code {
	case "android.root_unknown", "apple.root_unknown":
		hint = "the server does not trust the test roots of software phones, and must not if it serves real ones; run against `staunch dev`"
	case "android.app_package", "android.app_signer", "apple.app_id_mismatch":
		hint = "its policy is for another app than the demo app that the phones run; run against `staunch dev`"
	case "android.status_unavailable", "android.status_stale":
		hint = "its revocation list is missing or old; see docs/operations.md, The revocation list"
	case "common.request_components":
		hint = "the policy's request.authorities do not name the host that requests are signed for, or a route demands more"
	case "common.request_clock":
		hint = "the clocks of the two machines differ"
	default:
		if c, ok := attest.LookupCode(code); ok {
			hint = c.Meaning + " " + hint
		}
	}
	return fmt.Errorf("%w on %s, by %s with %s (%s): %s", ErrRefused, platform, call, code, detail, hint)
}
