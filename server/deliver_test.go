package server_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/server"
	"github.com/staunchid/staunch/webhook"
)

// journal is a log that several write to.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(b)
}

func (j *journal) find(re string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	if m := regexp.MustCompile(re).FindStringSubmatch(j.b.String()); m != nil {
		return m[1]
	}
	return ""
}

// told is what an app's backend gets.
type told struct {
	Type string `json:"type"`
	Data struct {
		App      string `json:"app"`
		Transfer string `json:"transfer"`
		Alert    struct {
			Kind string `json:"kind"`
			Text string `json:"text"`
		} `json:"alert"`
	} `json:"data"`
}

// backendOf gives the app of opts a backend, which verifies what it is told.
func backendOf(t *testing.T, opts *server.Options) (<-chan told, *journal) {
	t.Helper()
	got, log := make(chan told, 100), &journal{}
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		key, err := webhook.ParsePublicKey(log.find(`public_key="?([^\s"]+)`))
		if err == nil {
			_, err = webhook.Verify(r.Header, body, []ed25519.PublicKey{key}, time.Now())
		}
		var m told
		if err != nil || json.Unmarshal(body, &m) != nil {
			t.Errorf("%s: %v", body, err)
		}
		got <- m
	}))
	t.Cleanup(backend.Close)
	opts.Config.Apps[0].WebhookURL, opts.Logger = backend.URL+"/staunch", slog.New(slog.NewTextHandler(log, nil))
	return got, log
}

// TestWebhook: an app's backend is told what happens to an account, alerts with
// their text among it, signed by the key that the log names.
func TestWebhook(t *testing.T) {
	opts := setupAccounts(t, "demo")
	got, log := backendOf(t, opts)
	s := start(t, opts)
	p := newPhone(t, "demo", originOf("demo", s.Addr()), at(t, s.URL()))
	if err := p.enrol(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.freeze(t.Context()); err != nil {
		t.Fatal(err)
	}
	var types []string
	for late := time.After(10 * time.Second); !slices.Contains(types, "account.alerted"); {
		select {
		case m := <-got:
			types = append(types, m.Type)
			if m.Data.App != "demo" || m.Type == "account.alerted" && (m.Data.Alert.Kind != "account.freeze" || m.Data.Alert.Text == "") {
				t.Errorf("told %+v", m)
			}
		case <-late:
			t.Fatalf("told of %v", types)
		}
	}
	if key, err := server.WebhookKey(opts.Config, "demo"); err != nil || key != log.find(`public_key="?([^\s"]+)`) {
		t.Errorf("another key than that of the log: %s, %v", key, err)
	}
	if _, err := server.WebhookKey(opts.Config, "chat"); err == nil {
		t.Error("an app that there is not has a key")
	}
	enrolled, frozen := slices.Index(types, "account.enrolled"), slices.Index(types, "account.frozen")
	if enrolled < 0 || frozen < enrolled || slices.Index(types, "account.alerted") < frozen {
		t.Errorf("told of %v", types)
	}
}

// TestWebhookOfMoves: the backend is told of a move to a new phone from its offer to
// the end, and of the alerts that it has to push.
func TestWebhookOfMoves(t *testing.T) {
	t.Setenv(portEnv, "0") // any port, at localhost
	opts := setupAccounts(t, "demo")
	got, _ := backendOf(t, opts)
	s := start(t, opts)
	origin := strings.Replace(originOf("demo", s.Addr()), "demo.", "", 1)
	c, n := newMover(t, origin).enrolled(1000), newMover(t, origin)
	of, to := c.move(t.Context(), n)
	c.handedOver(n, of, to)
	want := []string{"transfer.offered", "transfer.claimed", "transfer.confirmed", "transfer.sealed", "transfer.committed", "transfer.acked"}
	alerts := []string{"transfer.claimed", "transfer.committed"}
	for late := time.After(20 * time.Second); len(want)+len(alerts) > 0; {
		select {
		case m := <-got:
			if m.Type == "account.alerted" && m.Data.Alert.Text != "" {
				alerts = slices.DeleteFunc(alerts, func(kind string) bool { return kind == m.Data.Alert.Kind })
			}
			if m.Data.Transfer == string(of.Transfer) {
				want = slices.DeleteFunc(want, func(kind string) bool { return kind == m.Type })
			}
		case <-late:
			t.Fatalf("not told of %v, nor of the alerts %v", want, alerts)
		}
	}
}
