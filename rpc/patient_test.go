package rpc_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/rpc"
)

// hurried is a bench whose server gives a request and an answer half a second.
func hurried(t *testing.T) *bench {
	b := newBench(t, false, nil)
	slow := httptest.NewUnstartedServer(b.Config.Handler)
	slow.Config.ReadTimeout, slow.Config.WriteTimeout = 500*time.Millisecond, 500*time.Millisecond
	slow.Start()
	t.Cleanup(slow.Close)
	b.Server = slow
	return b
}

// TestStreamsOutliveTimeouts: the times that a server gives whole requests do not
// end a stream.
func TestStreamsOutliveTimeouts(t *testing.T) {
	t.Run("alerts", func(t *testing.T) {
		t.Parallel()
		b := hurried(t)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.URL+rpc.StreamPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Signature-Input", strings.TrimPrefix(byPhone, "Signature-Input: "))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		time.Sleep(time.Second)
		b.accounts.set(func() { b.accounts.alerts = []integrity.AlertRow{alert(1)} })
		b.accounts.news <- struct{}{}
		lines := bufio.NewScanner(res.Body)
		for lines.Scan() {
			if lines.Text() == "id: 1" {
				return
			}
		}
		t.Errorf("the stream ends: %v", lines.Err())
	})
	t.Run("join", func(t *testing.T) {
		t.Parallel()
		b := hurried(t)
		b.accounts.joins = []integrity.JoinStatus{{State: "open"}, {State: "denied"}}
		stream := waitJoin(t, b, someJoin)
		n := 0
		for stream.Receive() {
			n++
		}
		if n != 2 || stream.Err() != nil {
			t.Errorf("%d states: %v", n, stream.Err())
		}
	})
}
