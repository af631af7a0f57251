package rpc_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/rpc"
)

// reader is the client of a stream.
type reader struct {
	mu     sync.Mutex
	header http.Header
	status int
	text   strings.Builder
	done   chan struct{}
	leave  context.CancelFunc
}

func (r *reader) Header() http.Header { return r.header }

func (r *reader) WriteHeader(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *reader) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *reader) Flush() {}

// read takes what has come in since the last read.
func (r *reader) read() string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.text.String()
	r.text.Reset()
	return s
}

func (r *reader) ended() bool {
	synctest.Wait()
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// follow opens a stream. header is "Name: value" lines.
func follow(t *testing.T, h http.Handler, query string, header ...string) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, rpc.StreamPath+query, nil)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	r := &reader{header: http.Header{}, done: make(chan struct{}), leave: cancel}
	go func() {
		defer close(r.done)
		h.ServeHTTP(r, req)
	}()
	return r
}

func alert(seq uint64) integrity.AlertRow {
	return integrity.AlertRow{Account: someAccount, Seq: seq, Kind: "device.add", Device: someDevice, At: at.Add(time.Millisecond)}
}

func streamBench(t *testing.T, change func(*rpc.Options)) (*fakeAccounts, http.Handler, *[]rpc.Call) {
	t.Helper()
	f, calls := newFakeAccounts(), &[]rpc.Call{}
	var mu sync.Mutex
	o := &rpc.Options{Apps: []rpc.App{{ID: "demo", Attest: &fake{}, Accounts: f}}, Observe: func(c rpc.Call) {
		mu.Lock()
		defer mu.Unlock()
		*calls = append(*calls, c)
	}}
	if change != nil {
		change(o)
	}
	h, err := rpc.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return f, h, calls
}

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h, calls := streamBench(t, nil)
		f.alerts = []integrity.AlertRow{alert(1), alert(2)}
		r := follow(t, h, "", byPhone, session, "Last-Event-ID: 1")
		const second = "id: 2\nevent: alert\ndata: {\"seq\":2,\"kind\":\"device.add\",\"device\":\"" + someDevice +
			"\",\"text\":\"text of device.add\",\"at\":\"2026-11-22T12:00:00.001Z\"}\n\n"
		if got := r.read(); got != ": staunch\n\n"+second || r.header.Get("Content-Type") != "text/event-stream" || r.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q, %v", got, r.header)
		}
		f.set(func() { f.alerts = append(f.alerts, alert(3)) })
		f.news <- struct{}{}
		if got := r.read(); !strings.HasPrefix(got, "id: 3\n") {
			t.Errorf("at once comes %q", got)
		}
		f.set(func() { f.alerts = append(f.alerts, alert(4)) }) // by another server: nobody is woken
		time.Sleep(5 * time.Second)
		if got := r.read(); !strings.HasPrefix(got, "id: 4\n") {
			t.Errorf("after 5 s comes %q", got)
		}
		time.Sleep(10 * time.Second)
		if got := r.read(); got != ":\n\n" {
			t.Errorf("after 15 s comes %q", got)
		}
		r.leave()
		if !r.ended() || len(*calls) != 1 {
			t.Fatalf("observed %+v", *calls)
		}
		if c := (*calls)[0]; c.Procedure != rpc.StreamPath || c.Code != "ok" || c.App != "demo" || c.Caller != account.Phone || c.Duration != 15*time.Second {
			t.Errorf("observed %+v", c)
		}
	})
}

// TestStreamEnds: with the right to read, which is looked at every 5 seconds, and
// after an hour.
func TestStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h, _ := streamBench(t, nil)
		r := follow(t, h, "", byPhone, session)
		if r.ended() {
			t.Fatalf("%s", r.read())
		}
		f.set(func() { f.err = integrity.ErrSessionEnded })
		time.Sleep(5 * time.Second)
		if !r.ended() {
			t.Error("the stream goes on without its session")
		}
		if got := r.read(); got != ": staunch\n\n" {
			t.Errorf("%q", got)
		}
		f.set(func() { f.err = nil })
		r = follow(t, h, "", byPhone)
		time.Sleep(time.Hour - time.Second)
		if r.ended() {
			t.Error("the stream ends early")
		}
		time.Sleep(2 * time.Second)
		if !r.ended() {
			t.Error("the stream goes on for ever")
		}
	})
}

func TestStreamRefused(t *testing.T) {
	for _, tt := range []struct {
		name, query string
		header      []string
		err         error
		status      int
		reason      string
	}{
		{"not signed", "", []string{session}, nil, 401, "PROOF_INVALID"},
		{"cookie", "", []string{"Cookie: __Host-staunch=" + someToken}, nil, 401, "PROOF_INVALID"},
		{"backend", "", []string{byBackend}, nil, 401, "PROOF_INVALID"},
		{"no number", "", []string{byPhone, "Last-Event-ID: x"}, nil, 400, "REQUEST_MALFORMED"},
		{"negative", "?after=-1", []string{byPhone}, nil, 400, "REQUEST_MALFORMED"},
		{"may not read", "", []string{byPhone}, &account.Refused{Why: account.WhyDeviceLocked}, 400, "DEVICE_LOCKED"},
		{"another app", "", []string{byPhone, "Staunch-App: other"}, nil, 404, "APP_UNKNOWN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, h, calls := streamBench(t, nil)
				f.err = tt.err
				r := follow(t, h, tt.query, tt.header...)
				if got := r.read(); !r.ended() || r.status != tt.status || !strings.Contains(got, `"reason":"`+tt.reason+`"`) || !strings.HasPrefix(got, `{"code":"`) {
					t.Errorf("%d %s", r.status, got)
				}
				if n := len(*calls); n != 1 || (*calls)[0].Reason != tt.reason {
					t.Errorf("observed %+v", *calls)
				}
			})
		})
	}
}

// TestStreamBrowser: a page reads its stream by its cookie, as the server finds
// its session.
func TestStreamBrowser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h, _ := streamBench(t, func(o *rpc.Options) {
			o.Browser = func(r *http.Request) (account.Caller, error) {
				if c, err := r.Cookie("session"); err != nil || c.Value != "good" {
					return account.Caller{}, errors.Join(integrity.ErrSessionRequired, err)
				}
				return account.Caller{Kind: account.Browser, App: "demo", Account: someAccount, Session: someSession}, nil
			}
		})
		f.alerts = []integrity.AlertRow{alert(1)}
		r := follow(t, h, "?after=0", "Cookie: session=good")
		if got := r.read(); !strings.Contains(got, "id: 1\n") || f.caller.Kind != account.Browser || f.caller.Session != someSession {
			t.Errorf("%q, %+v", got, f.caller)
		}
		r.leave()
		if r = follow(t, h, "", "Cookie: session=bad"); !r.ended() || !strings.Contains(r.read(), "SESSION_REQUIRED") {
			t.Error("a bad cookie opens a stream")
		}
	})
}

// TestStreamsOfOneReader: a device may have so many streams, and takes none away
// from the others of its account.
func TestStreamsOfOneReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h, _ := streamBench(t, func(o *rpc.Options) {
			o.Browser = func(*http.Request) (account.Caller, error) {
				return account.Caller{Kind: account.Browser, App: "demo", Account: someAccount, Session: someSession}, nil
			}
		})
		var all []*reader
		for range 16 {
			all = append(all, follow(t, h, "", byPhone))
		}
		synctest.Wait()
		if r := follow(t, h, "", byPhone); !r.ended() || r.status != http.StatusTooManyRequests {
			t.Errorf("one too many: %d", r.status)
		}
		browser := follow(t, h, "", "Cookie: session=good")
		if browser.ended() {
			t.Errorf("the owner's browser hears nothing: %d", browser.status)
		}
		browser.leave()
		all[0].leave()
		if !all[0].ended() {
			t.Fatal("it does not end")
		}
		r := follow(t, h, "", byPhone)
		if r.ended() {
			t.Error("a stream that has ended still counts")
		}
		for _, s := range append(all, r) {
			s.leave()
		}
	})
}

// TestStreamPages: many alerts come in one go.
func TestStreamPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h, _ := streamBench(t, nil)
		for i := range uint64(250) {
			f.alerts = append(f.alerts, alert(i+1))
		}
		r := follow(t, h, "", byPhone)
		if got := strings.Count(r.read(), "event: alert\n"); got != 250 || f.looks != 3 {
			t.Errorf("%d alerts in %d looks", got, f.looks)
		}
		r.leave()
	})
}
