package client

import (
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

// Error is an answer of the server that is not yes, or the lack of one.
type Error struct {
	Code    connect.Code
	Reason  string // stable: "ACCOUNT_FROZEN"; docs/api.md has the table. Empty: the server gave none
	Message string // for people

	Action     string    // that was refused: "session.end_others"
	Need, Have string    // classes, with STEP_UP_REQUIRED: "fresh", "device"
	OpensAt    time.Time // when it may be tried again, where a hold or a wait is in the way
	RetryAt    time.Time // the same, with RATE_LIMITED
	ServerTime time.Time // with PROOF_INVALID
	Advice     string    // with DEVICE_UNTRUSTED: "NEW_KEY" ...
	State      string    // with TRANSFER_WRONG_STATE and TRANSFER_ENDED: "sealed" ...
	Ended      string    // with TRANSFER_ENDED: "user_cancelled" ...

	err error
}

// Error gives reason and message.
func (e *Error) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("client: %s: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("client: %s: %s", e.Reason, e.Message)
}

// Unwrap gives Connect's error.
func (e *Error) Unwrap() error { return e.err }

// Errors of the phone's own.
var (
	// ErrEnrolled: the phone has an account already.
	ErrEnrolled = errors.New("client: this phone has an account")
	// ErrNotEnrolled: enrol or join first.
	ErrNotEnrolled = errors.New("client: this phone has no account")
	// ErrUnfinished: the phone has begun to enrol or to join, in another way or
	// elsewhere. Finish that, or give its state up.
	ErrUnfinished = errors.New("client: this phone has begun something else")
	// ErrUnreachable: no answer, for as long as PhoneOptions.Patience. Nothing is
	// lost: do the same again.
	ErrUnreachable = errors.New("client: the server cannot be reached")
	// ErrMismatch: the server asks the person to sign something else than it
	// shows, or than was asked for. Nothing was signed.
	ErrMismatch = errors.New("client: what is to be signed is not what is shown")
	// ErrCode: what was scanned or typed is no code of a new device.
	ErrCode = errors.New("client: this is no code of a new device")
	// ErrJoinKeys: the new device that the server names is not the one whose code
	// was scanned. Nothing was approved.
	ErrJoinKeys = errors.New("client: the server shows another device than the code does")
	// ErrJoinOver: the join was refused, cancelled, or not approved in time. Open a
	// new one.
	ErrJoinOver = errors.New("client: the join is over")
)

// reason is the stable reason of err, or empty.
func reason(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// typed makes an *Error of what a Connect call returned. An answer that is none
// of the server's is an ErrUnreachable as well.
func typed(err error) error {
	var ce *connect.Error
	if err == nil || !errors.As(err, &ce) {
		return err
	}
	e := &Error{Code: ce.Code(), Message: ce.Message(), err: err}
	for _, d := range ce.Details() {
		value, bad := d.Value()
		if bad != nil {
			continue
		}
		if info, ok := value.(*errdetails.ErrorInfo); ok && info.GetDomain() == "staunch" {
			m := info.GetMetadata()
			e.Reason, e.Action, e.Need, e.Have, e.Advice = info.GetReason(), m["action"], m["need"], m["have"], m["advice"]
			e.State, e.Ended = m["state"], m["reason"]
			e.OpensAt, e.RetryAt, e.ServerTime = timeOf(m["opens_at"]), timeOf(m["retry_at"]), timeOf(m["server_time"])
		}
	}
	return e
}

// timeOf is zero for what is no time.
func timeOf(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t
}
