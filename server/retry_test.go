package server

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/wal"
)

// waiting is a stream that holds something.
type waiting struct{ retryStream }

func (waiting) Stats() stream.Stats {
	return stream.Stats{Depth: 7, Oldest: time.Unix(600, 0), Dead: 2}
}

// TestRetry: the configuration's stream is opened, by one server at a time, and
// its dead letters are found.
func TestRetry(t *testing.T) {
	cfg := config.Defaults()
	cfg.DataDir = t.TempDir()
	s, err := openRetry(&cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openRetry(&cfg, nil, nil); !errors.Is(err, wal.ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- s.Run(ctx, func(context.Context, recovery.Record) error { return recovery.ErrPermanent })
	}()
	if err := s.Enqueue(ctx, recovery.Record{App: "gone", Vault: "v1", Ver: 1}); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); s.Stats().Dead == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	m := newMetrics(func() *android.StatusList { return nil }, time.Now)
	m.retry(waiting{}, func() time.Time { return time.Unix(1000, 0) })
	page := httptest.NewRecorder()
	m.handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{"staunch_recovery_retry_depth 7", "staunch_recovery_retry_oldest_seconds 400", "staunch_recovery_retry_dead_letters 2"} {
		if !strings.Contains(page.Body.String(), line+"\n") {
			t.Errorf("no %s in the metrics", line)
		}
	}
	if _, err := OpenDeadLetters(&cfg); err == nil {
		t.Error("no app has accounts, and there are dead letters")
	}
	cfg.Apps = []config.App{{ID: "demo", RPID: "demo.example"}}
	l, err := OpenDeadLetters(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := l.List(ctx); err != nil || len(all) != 1 || all[0].Record.App != "gone" {
		t.Errorf("%+v, %v", all, err)
	}
	cancel()
	if err := errors.Join(<-ended, s.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	cfg.Recovery.Retry.Kind, cfg.Recovery.Retry.Brokers = "kafka", []string{"127.0.0.1:1"}
	k, err := openRetry(&cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	for key, change := range map[string]func(*config.Retry){
		"recovery.retry.tls_ca_file": func(r *config.Retry) { r.TLSCAFile = "nowhere.pem" },
		"recovery.retry.sasl_mechanism": func(r *config.Retry) {
			r.SASLMechanism, r.SASLUser, r.SASLPasswordFile = "SCRAM-SHA-512", "u", "nowhere"
		},
	} {
		other := cfg
		change(&other.Recovery.Retry)
		var wrong *config.Error
		if _, err := openRetry(&other, nil, nil); !errors.As(err, &wrong) || wrong.Key != key {
			t.Errorf("%s: %v", key, err)
		}
		if _, err := OpenDeadLetters(&other); !errors.As(err, &wrong) || wrong.Key != key {
			t.Errorf("%s: %v", key, err)
		}
	}
	cfg.Recovery.Retry.Kind = "redis"
	if _, err := openRetry(&cfg, nil, nil); err == nil {
		t.Error("redis is opened")
	}
}
