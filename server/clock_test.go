package server_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/rpc"
)

// TestClock: what waits happens by itself once its time has come.
func TestClock(t *testing.T) {
	opts := setupAccounts(t, "demo")
	app := &opts.Config.Apps[0]
	app.DangerousShortWaits, app.Wait.Delete.Duration = true, time.Second
	s := start(t, opts)
	p := newPhone(t, "demo", originOf("demo", s.Addr()), at(t, s.URL()))
	if err := p.enrol(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.act(t.Context(), "account.delete"); err != nil {
		t.Fatal(err)
	}
	if state, err := p.state(t.Context()); err != nil || state != accountv1.State_STATE_ACTIVE {
		t.Fatalf("before its time: %s, %v", state, err)
	}
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(50 * time.Millisecond) {
		if _, err := p.state(t.Context()); err != nil {
			return
		}
	}
	t.Error("nothing has happened in 10 s")
}

// TestStreamsEndWithTheServer: a stream, which would go on for an hour, does not
// keep a server from stopping.
func TestStreamsEndWithTheServer(t *testing.T) {
	opts := setupAccounts(t, "demo")
	s := start(t, opts)
	p := newPhone(t, "demo", originOf("demo", s.Addr()), at(t, s.URL()))
	if err := p.enrol(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.origin+rpc.StreamPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %s", res.Status, res.Header)
	}
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, ":") {
		t.Fatalf("%q, %v", line, err)
	}
	began := time.Now()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the server took %s to stop", took)
	}
}
