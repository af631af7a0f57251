package client

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
)

// Alert tells the owner what has happened.
type Alert struct {
	Seq    uint64
	Kind   string           // "device.add" ...
	Device account.DeviceID // that it is about; empty: the account
	Text   string           // for people
	At     time.Time
}

// alertsPage is how many are asked for at once.
const alertsPage = 500

// Alerts reads all alerts after a number, by number.
func (p *Phone) Alerts(ctx context.Context, after uint64) ([]Alert, error) {
	var all []Alert
	for {
		m, err := ask(ctx, p, p.accounts.ListAlerts, &accountv1.ListAlertsRequest{After: after, Limit: alertsPage})
		if err != nil {
			return nil, err
		}
		for _, a := range m.GetAlerts() {
			all = append(all, Alert{a.GetSeq(), a.GetKind(), account.DeviceID(a.GetDevice()), a.GetText(), a.GetAt().AsTime()})
			after = max(after, a.GetSeq())
		}
		if len(m.GetAlerts()) < alertsPage {
			return all, nil
		}
	}
}

// AckAlerts says up to which alert this device has shown them.
func (p *Phone) AckAlerts(ctx context.Context, seq uint64) error {
	_, err := ask(ctx, p, p.accounts.AckAlerts, &accountv1.AckAlertsRequest{Seq: seq})
	return err
}

// FollowAlerts reads the alerts after a number, and then each as it comes, until
// ctx ends or fn fails. A stream that breaks off is opened again behind the last
// alert, so that none is lost and none comes twice.
func (p *Phone) FollowAlerts(ctx context.Context, after uint64, fn func(Alert) error) error {
	pause, since, corrected := firstPause, p.now(), false
	for {
		n, err := p.follow(ctx, &after, fn)
		if n { // there was an answer
			pause, since, corrected = firstPause, p.now(), false
		}
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("client: alerts: %w", ctx.Err())
		case errors.As(err, new(*stopped)):
			return errors.Unwrap(err)
		case err == nil:
		case !corrected && p.correct(err):
			corrected = true
			continue
		case reason(typed(err)) == "SESSION_ENDED" && !p.State().signedOut():
			if err := p.dropSession(ctx); err != nil {
				return err
			}
			continue
		case !gone(err):
			return typed(err)
		case p.now().Sub(since) > p.patience:
			return fmt.Errorf("%w: %w", ErrUnreachable, typed(err))
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, mostPause)
	}
}

// stopped is an error of the function that is told of alerts.
type stopped struct{ err error }

func (s *stopped) Error() string { return s.err.Error() }
func (s *stopped) Unwrap() error { return s.err }

const (
	// streamPath is in docs/api.md, "Alerts". What it is read from is in the query,
	// which the signature covers.
	streamPath = "/v1/alerts/stream"
	// silence is how long a stream may be still before it is taken for dead; the
	// server writes every 15 seconds.
	silence = 45 * time.Second
	maxLine = 64 << 10
)

// follow reads one stream of server-sent events (WHATWG HTML, Section 9.2), and
// reports whether the server has let it begin.
func (p *Phone) follow(ctx context.Context, after *uint64, fn func(Alert) error) (began bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+streamPath+"?after="+strconv.FormatUint(*after, 10), nil)
	if err != nil {
		return false, fmt.Errorf("client: alerts: %w", err)
	}
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Accept-Encoding", "identity")
	quiet := time.AfterFunc(silence, cancel)
	defer quiet.Stop()
	res, err := p.http.Do(r)
	if err != nil {
		if errors.Is(err, errSigning) || errors.Is(err, ErrNotEnrolled) {
			return false, err
		}
		return false, connect.NewError(connect.CodeUnavailable, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return false, refusedBy(res)
	}
	data := ""
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		quiet.Reset(silence)
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch value = strings.TrimPrefix(value, " "); {
		case lines.Text() == "" && data != "": // the end of an event
			if err := p.tell(data, after, fn); err != nil {
				return true, err
			}
			data = ""
		case name == "data":
			data += value
		}
	}
	if err := lines.Err(); err != nil {
		return true, connect.NewError(connect.CodeUnavailable, err)
	}
	return true, nil
}

// tell gives fn an alert that it has not had yet.
func (*Phone) tell(data string, after *uint64, fn func(Alert) error) error {
	var j struct {
		Seq    uint64           `json:"seq"`
		Kind   string           `json:"kind"`
		Device account.DeviceID `json:"device"`
		Text   string           `json:"text"`
		At     time.Time        `json:"at"`
	}
	if err := json.Unmarshal([]byte(data), &j); err != nil {
		return fmt.Errorf("client: alerts: not an alert: %w", err)
	}
	if j.Seq <= *after {
		return nil
	}
	*after = j.Seq
	if err := fn(Alert(j)); err != nil {
		return &stopped{err}
	}
	return nil
}

// refusedBy is the error in an answer that is no stream: it has the form of a
// call's (Connect protocol, "Error end-stream").
func refusedBy(res *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return connect.NewError(connect.CodeUnavailable, err)
	}
	var j struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Details []struct {
			Type  string `json:"type"`
			Value string `json:"value"` // base64 without padding
		} `json:"details"`
	}
	var code connect.Code
	if json.Unmarshal(text, &j) != nil || code.UnmarshalText([]byte(j.Code)) != nil {
		code = connect.CodeUnknown
		if res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests {
			code = connect.CodeUnavailable
		}
		return connect.NewError(code, fmt.Errorf("HTTP status %s", res.Status))
	}
	ce := connect.NewError(code, errors.New(j.Message))
	for _, d := range j.Details {
		value, err := base64.RawStdEncoding.DecodeString(d.Value)
		info := &errdetails.ErrorInfo{}
		if d.Type != string(info.ProtoReflect().Descriptor().FullName()) || err != nil || proto.Unmarshal(value, info) != nil {
			continue
		}
		if detail, err := connect.NewErrorDetail(info); err == nil {
			ce.AddDetail(detail)
		}
	}
	return ce
}
