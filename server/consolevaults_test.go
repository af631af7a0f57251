package server

import (
	"context"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery"
)

// TestConsoleQueue: the depth is of all apps; of dead letters only one's own are
// shown, the newest first.
func TestConsoleQueue(t *testing.T) {
	cfg := config.Defaults()
	cfg.DataDir = t.TempDir()
	cfg.Apps = []config.App{{ID: "demo", RPID: "demo.example"}}
	retry, err := openRetry(&cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer retry.Close()
	r := &consoleReader{s: &Server{cfg: &cfg, now: time.Now, recovery: &recoverer{retry: retry}}, a: &app{id: "demo"}}
	if q, err := r.Queue(t.Context()); q != nil || err != nil {
		t.Errorf("without recovery: %+v, %v", q, err)
	}
	r.a.recovery = &recovery.Service{}
	if q, err := r.Queue(t.Context()); err != nil || q.Depth != 0 || q.Dead != 0 || q.Kind != "wal" || q.Error != "" {
		t.Errorf("empty: %+v, %v", q, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- retry.Run(ctx, func(context.Context, recovery.Record) error { return recovery.ErrPermanent })
	}()
	for i, id := range []string{"demo", "other", "demo"} {
		e := recovery.Record{App: account.AppID(id), Vault: "v1", Account: "a_1", Acct: [16]byte{byte(i)}, Gen: 2, Ver: uint64(i + 1)}
		if err := retry.Enqueue(ctx, e); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Minute); retry.Stats().Dead <= i && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
	}
	q, err := r.Queue(t.Context())
	if err != nil || q.Dead != 3 || q.Elsewhere != 1 || len(q.Letters) != 2 || q.More != 0 {
		t.Fatalf("%+v, %v", q, err)
	}
	for i, ver := range []uint64{3, 1} {
		if l := q.Letters[i]; l.Ver != ver || l.Vault != "v1" || l.Account != "a_1" || l.Gen != 2 || l.Reason == "" || l.ID == "" {
			t.Errorf("letter %d: %+v", i, l)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	cfg.Apps = nil // no letters can be read
	if q, err := r.Queue(t.Context()); err != nil || q.Error == "" || q.Dead != 3 {
		t.Errorf("unreadable: %+v, %v", q, err)
	}
}
