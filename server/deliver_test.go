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

// TestWebhook: an app's backend is told what happens to an account, alerts with
// their text among it, signed by the key that the log names.
func TestWebhook(t *testing.T) {
	type told struct {
		Type string `json:"type"`
		Data struct {
			App   string `json:"app"`
			Alert struct {
				Kind string `json:"kind"`
				Text string `json:"text"`
			} `json:"alert"`
		} `json:"data"`
	}
	got, log := make(chan told, 100), &journal{}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	opts := setupAccounts(t, "demo")
	opts.Config.Apps[0].WebhookURL, opts.Logger = backend.URL+"/staunch", slog.New(slog.NewTextHandler(log, nil))
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
