package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// StreamPath is where a phone, or a page in a browser, reads its alerts as they
// come: by GET, as server-sent events (WHATWG HTML, Section 9.2).
//
//	id: 7
//	event: alert
//	data: {"seq":7,"kind":"device.add","device":"d_…","text":"…","at":"2026-11-22T12:00:00.000Z"}
//
// The header Last-Event-ID, or else the query "after", says after which alert it
// begins; without either, at the first that is kept.
const StreamPath = "/v1/alerts/stream"

const (
	streamCheck   = 5 * time.Second  // the caller is looked at anew, and alerts of other servers are found
	streamComment = 15 * time.Second // proxies take a connection without traffic for dead
	streamWrite   = 30 * time.Second // from one write to the end of the next, for a client that does not read
	streamLife    = time.Hour        // a client comes again, with a new proof
	streamPage    = 100              // alerts at once
	streamsMost   = 16               // of one device or browser on one server
)

// alertStream serves StreamPath.
type alertStream struct {
	*edge
	mu   sync.Mutex
	open map[string]int // by reader
}

// ServeHTTP finds the caller, and then sends alerts until the client goes, the
// caller may no longer read them, or an hour has passed.
func (h *alertStream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, err := h.reader(r)
	if err == nil {
		err = h.serve(w, r, p)
	}
	callOf(r.Context()).Code = "ok"
	if err != nil {
		h.refuse(w, r, err)
	}
}

// reader is a phone that has signed the request, or a browser with its cookie.
func (h *alertStream) reader(r *http.Request) (party, error) {
	if h.browser == nil || signed(receivedOf(r.Context()).message.SignatureInput) {
		return h.phone(r.Context(), r.Header)
	}
	c, err := h.browser(r)
	call := callOf(r.Context())
	call.App, call.Caller = c.App, c.Kind
	if err != nil {
		return party{}, err
	}
	app, ok := h.apps[c.App]
	if !ok || app.Accounts == nil {
		return party{}, errAppUnknown
	}
	return party{Caller: c, app: app.Accounts}, nil
}

// serve sends the alerts. An error before the first byte is answered as such;
// later the stream just ends, and the client learns why when it comes again.
func (h *alertStream) serve(w http.ResponseWriter, r *http.Request, p party) error {
	after, err := lastSeen(r)
	if err != nil {
		return err
	}
	if !h.enter(reads(p.Caller)) {
		return errStreams
	}
	defer h.leave(reads(p.Caller))
	ctx, cancel := context.WithTimeout(r.Context(), streamLife)
	defer cancel()
	news, done := p.app.Watch(p.Account)
	defer done()
	rows, err := p.app.Alerts(ctx, p.Caller, after, streamPage)
	if err != nil {
		return err
	}
	out := &events{w: w, rc: http.NewResponseController(w), text: p.app.AlertText}
	out.begin()
	check, comment := time.NewTicker(streamCheck), time.NewTicker(streamComment)
	defer check.Stop()
	defer comment.Stop()
	for {
		for _, a := range rows {
			after = max(after, a.Seq)
			out.alert(a)
		}
		if out.flush() != nil || len(rows) < streamPage && !h.wait(ctx, out, news, check.C, comment.C) {
			return nil
		}
		// Read anew, and with it the session and the states: nothing is cached as valid.
		if rows, err = p.app.Alerts(ctx, p.Caller, after, streamPage); err != nil {
			return nil //nolint:nilerr // the client may not read on, and comes again to be told why
		}
	}
}

// wait returns true when it is time to look again, and false when the client is
// gone or has had its time.
func (*alertStream) wait(ctx context.Context, out *events, news <-chan struct{}, check, comment <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-news:
			return true
		case <-check:
			return true
		case <-comment:
			if out.comment() != nil {
				return false
			}
		}
	}
}

// stay takes a connection out of the times that the server gives a whole request
// and a whole answer. Where there is none to set, as in tests, the client's going
// away ends it.
func stay(rc *http.ResponseController, life time.Duration) {
	until := time.Now().Add(life + streamWrite)
	_ = rc.SetReadDeadline(until) // whose passing would look as if the client had gone
	_ = rc.SetWriteDeadline(until)
}

// reads names the device or the browser that reads. Each has its own count, so
// that a device which a thief has added keeps no other from hearing of it.
func reads(c account.Caller) string {
	if c.Device != "" {
		return string(c.Device)
	}
	return string(c.Session)
}

// enter counts a stream of a reader, if it may have one more.
func (h *alertStream) enter(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		h.open = map[string]int{}
	}
	if h.open[id] >= streamsMost {
		return false
	}
	h.open[id]++
	return true
}

func (h *alertStream) leave(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open[id]--; h.open[id] <= 0 {
		delete(h.open, id)
	}
}

// lastSeen is the number of the alert after which the stream begins.
func lastSeen(r *http.Request) (uint64, error) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, errRequestf("Last-Event-ID and after are numbers of alerts")
	}
	return n, nil
}

// events writes server-sent events. The first error stays.
type events struct {
	w    http.ResponseWriter
	rc   *http.ResponseController
	text func(integrity.AlertRow) string
	err  error
}

func (e *events) begin() {
	stay(e.rc, streamLife)
	h := e.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx holds answers back otherwise
	e.printf(": staunch\n\n")
}

// sentAlert is an alert as it is sent.
type sentAlert struct {
	Seq    uint64 `json:"seq"`
	Kind   string `json:"kind"`
	Device string `json:"device,omitempty"`
	Text   string `json:"text"`
	At     string `json:"at"`
}

func (e *events) alert(a integrity.AlertRow) {
	data, err := json.Marshal(sentAlert{
		Seq: a.Seq, Kind: a.Kind, Device: string(a.Device), Text: e.text(a), At: a.At.UTC().Format("2006-01-02T15:04:05.000Z"),
	})
	if err != nil {
		e.err = err
		return
	}
	e.printf("id: %d\nevent: alert\ndata: %s\n\n", a.Seq, data)
}

func (e *events) comment() error {
	e.printf(":\n\n")
	return e.flush()
}

// printf gives each write its own time: the server's is for whole answers.
func (e *events) printf(format string, args ...any) {
	if e.err != nil {
		return
	}
	_ = e.rc.SetWriteDeadline(time.Now().Add(streamWrite)) // see stay
	_, e.err = fmt.Fprintf(e.w, format, args...)
}

func (e *events) flush() error {
	if e.err == nil {
		e.err = e.rc.Flush()
	}
	return e.err
}
