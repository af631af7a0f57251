package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/client"
)

// TestTransferLines: each event has the fields of the design, null when empty.
func TestTransferLines(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 10, 0, 0, 123456789, time.UTC)
	peer := &client.Peer{Info: client.MoveInfo{Model: "Pixel", OS: "16", App: "1"}, Verified: true, Proximity: "lan", Place: "198.51.100.0/24"}
	full := client.MoveEvent{
		At: at, Transfer: "t_x", URI: "STAUNCH:/1", Expires: at, Label: "Old", Info: peer.Info, Peer: peer, Number: "012345", TriesLeft: 2, Class: "lan",
		Bytes: 7, Until: at, Reasons: []string{"class"}, State: "streaming", Done: 3, Revision: 2, Reason: "changed", After: 1500 * time.Millisecond,
		Phase: "copy", Total: 10, Objects: 1, ObjectsTotal: 4, Rate: 5.4, ETA: 2 * time.Second, Path: "a.jsonl", Line: 9, Root: [32]byte{1}, Account: "a_x", RecallUntil: at,
	}
	for _, tt := range []struct {
		event, want string
	}{
		{client.EventOffer, `"uri":"STAUNCH:/1","qr_png":"qr","expires":"2026-11-22T10:00:00.123Z"`},
		{client.EventClaimed, `"label":"Old","device":"Pixel","os":"16"`},
		{client.EventPeer, `"device":"Pixel","os":"16","app":"1","verified":true,"findings":[],"place":"198.51.100.0/24","same_network":false,"proximity":"lan"`},
		{client.EventNumber, `"number":"012345"`},
		{client.EventNumberWanted, `"tries_left":2`},
		{client.EventNumberWrong, `"tries_left":2`},
		{client.EventMatched, ``},
		{client.EventConfirmed, `"class":"lan","bytes":7`},
		{client.EventHeld, `"until":"2026-11-22T10:00:00.123Z","reasons":["class"]`},
		{client.EventResumed, `"state":"streaming","done":3`},
		{client.EventRestarted, `"revision":2,"reason":"changed"`},
		{client.EventRetry, `"reason":"changed","after_s":1.5`},
		{client.EventProgress, `"phase":"copy","done":3,"total":10,"objects":1,"objects_total":4,"rate":5,"eta_s":2`},
		{client.EventQuarantined, `"path":"a.jsonl","line":9,"reason":"changed"`},
		{client.EventSealed, `"root":"01` + strings.Repeat("00", 31) + `","bytes":7,"objects":1`},
		{client.EventCommitted, `"account":"a_x"`},
		{client.EventSignedOut, `"recall_until":"2026-11-22T10:00:00.123Z"`},
	} {
		e := full
		e.Event = tt.event
		want := `{"event":"` + tt.event + `","at":"2026-11-22T10:00:00.123Z","transfer":"t_x"`
		if tt.want != "" {
			want += "," + tt.want
		}
		if got := lineOf(t, eventJSON(&e, "qr")); got != want+"}" {
			t.Errorf("%s:\n%s\nwant\n%s}", tt.event, got, want)
		}
	}
	nothing := client.MoveEvent{Event: client.EventProgress, At: at, Phase: "pair", Rate: -1, ETA: -1}
	if got := lineOf(t, eventJSON(&nothing, "")); !strings.HasSuffix(got, `"total":null,"objects":0,"objects_total":null,"rate":null,"eta_s":null}`) {
		t.Errorf("progress of which nothing is known: %s", got)
	}
}

// TestNoZeroETA: what is not over takes some time.
func TestNoZeroETA(t *testing.T) {
	t.Parallel()
	e := &client.MoveEvent{Event: client.EventProgress, Phase: "copy", Done: 10, Total: 10, ETA: 0}
	if got := progressJSON(e); got.ETA == nil || *got.ETA <= 0 {
		t.Errorf("eta_s is %v", got.ETA)
	}
	if text := barText(e); strings.Contains(text, "0s left") && !strings.Contains(text, "1s left") {
		t.Errorf("the bar says %q", text)
	}
	for _, phase := range []string{"copy", "check", "commit", "open"} {
		e.Phase = phase
		if done := barDone(e); done >= barSize(e.Total) {
			t.Errorf("%s: the bar is full, at %d of %d", phase, done, barSize(e.Total))
		}
	}
}

// TestTransferExit: exit code and reason of each end.
func TestTransferExit(t *testing.T) {
	t.Parallel()
	refused := func(code connect.Code, reason string) error {
		return &client.Error{Code: code, Reason: reason, Message: "no"}
	}
	for _, tt := range []struct {
		err    error
		exit   int
		reason string
	}{
		{&client.MoveEnded{State: "aborted", Reason: "user_cancelled"}, 3, "user_cancelled"},
		{&client.MoveEnded{State: "aborted", Reason: "contended"}, 3, "contended"},
		{&client.MoveEnded{State: "aborted", Reason: "no_space"}, 6, "no_space"},
		{&client.MoveEnded{State: "aborted", Reason: "quota"}, 6, "quota"},
		{&client.MoveEnded{State: "aborted", Reason: "integrity"}, 9, "integrity"},
		{&client.MoveEnded{State: "aborted", Reason: "device_rejected"}, 9, "device_rejected"},
		{&client.MoveEnded{State: "recalled"}, 3, "recalled"},
		{fmt.Errorf("x: %w", client.ErrDeclined), 3, "user_cancelled"},
		{client.ErrMoveTooLate, 3, "too_late"},
		{client.ErrMoveTooEarly, 3, "too_early"},
		{client.ErrNoMove, 4, "none"},
		{errNo, 3, "user_cancelled"},
		{client.ErrNotEnrolled, 4, "PHONE_NOT_ENROLLED"},
		{client.ErrEnrolled, 3, "PHONE_ENROLLED"},
		{client.ErrMoveOther, 2, "usage"},
		{client.ErrHistory, 2, "usage"},
		{client.ErrSealingKey, 3, "sealing_key"},
		{&phoneUsage{errors.New("x")}, 2, "usage"},
		{client.ErrMoveCheck, 9, "check_failed"},
		{&client.OtherHostError{Says: "a.example.org", Asked: "b.example.org"}, 9, "check_failed"},
		{client.ErrKeysClosed, 9, "check_failed"},
		{client.ErrNoSpace, 6, "no_space"},
		{client.ErrUnreachable, 5, "unreachable"},
		{errInterrupted, 5, "interrupted"},
		{errNoInput, 5, "interrupted"},
		{errMoving, 3, "PHONE_BUSY"},
		{errors.New("x"), 1, "internal"},
		{refused(connect.CodeFailedPrecondition, "ACCOUNT_FROZEN"), 3, "ACCOUNT_FROZEN"},
		{refused(connect.CodeResourceExhausted, "TRANSFER_QUOTA"), 6, "TRANSFER_QUOTA"},
		{refused(connect.CodeNotFound, "TRANSFER_NOT_FOUND"), 4, "TRANSFER_NOT_FOUND"},
		{&moved{"old", &homeLeft{}}, 3, "PHONE_MOVED"},
	} {
		f := transferFailureOf(tt.err)
		if f.Exit != tt.exit || f.Reason != tt.reason || f.Message == "" {
			t.Errorf("%v: exit %d, %s, %q; want %d, %s", tt.err, f.Exit, f.Reason, f.Message, tt.exit, tt.reason)
		}
	}
}

// TestAsking: y and yes agree, and nothing else does; a number is read as people
// type it.
func TestAsking(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]bool{"y\n": true, " Yes \n": true, "YES": true, "n\n": false, "\n": false, "": false, "yeah\n": false, "ja\n": false} {
		got, err := newAsking(&streams{strings.NewReader(answer), io.Discard, io.Discard}, false).agrees(t.Context(), "?")
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", answer, got, err)
		}
	}
	a := newAsking(&streams{strings.NewReader("\nno\n12345\n 012-345\r\n0 1 2 3 4 6\n"), io.Discard, io.Discard}, false)
	var got []string
	for {
		n, err := a.number(t.Context(), 3)
		if err != nil {
			if !errors.Is(err, errNoInput) {
				t.Error(err)
			}
			break
		}
		got = append(got, n)
	}
	if !slices.Equal(got, []string{"012345", "012346"}) {
		t.Errorf("the numbers are %q", got)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	r, w := io.Pipe()
	defer w.Close()
	if _, err := newAsking(&streams{r, io.Discard, io.Discard}, false).number(ctx, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("asked after the run has ended: %v", err)
	}
}

// TestMovingQuestion: what nobody has checked is said to be so, and a stranger's
// text does not steer the terminal.
func TestMovingQuestion(t *testing.T) {
	t.Parallel()
	p := &client.Peer{Info: client.MoveInfo{Model: "Pix\x1b[2Jel", OS: "16", App: "1"}, Proximity: "none"}
	text := movingQuestion(p)
	if strings.Contains(text, "\x1b") {
		t.Errorf("%q", text)
	}
	for _, want := range []string{"NOT CHECKED", "NOT FOUND NEARBY", "unknown"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func lineOf(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestCodeLives: the code is there as a picture that nobody else may read, until
// somebody has scanned it.
func TestCodeLives(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out strings.Builder
	r := &transferRun{
		phoneRun: &phoneRun{streams: &streams{strings.NewReader(""), &out, io.Discard}, flags: phoneFlags{Home: dir}},
		moving:   client.Moving{Dir: dir}, bar: newTransferBar(io.Discard), stop: func() {},
	}
	uri := "STAUNCH:/" + strings.Repeat("12", 101)
	r.happened(client.MoveEvent{Event: client.EventOffer, URI: uri})
	path := filepath.Join(dir, qrName)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if got, err := scanFile(path); err != nil || got != uri {
		t.Errorf("the picture is of %q, %v", got, err)
	}
	if got, err := scanImage(terminal(out.String(), image.Pt(8, 16), true)); err != nil || got != uri {
		t.Errorf("a screenshot of what is printed is of %q, %v\n%s", got, err, out.String())
	}
	r.happened(client.MoveEvent{Event: client.EventProgress, Phase: "pair", Rate: -1, ETA: -1})
	if _, err := os.Stat(path); err != nil {
		t.Errorf("before it was scanned: %v", err)
	}
	r.happened(client.MoveEvent{Event: client.EventClaimed})
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after it was scanned: %v", err)
	}
	if r.broken != nil {
		t.Error(r.broken)
	}
}
