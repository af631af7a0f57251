package rpc_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/rpc"
)

// manyKeys lists n keys.
type manyKeys struct {
	rpc.Attest
	n int
}

func (m *manyKeys) ListKeys(context.Context, account.Caller, account.AppID, registry.KeyFilter, int) (*registry.KeyPage, error) {
	return &registry.KeyPage{Keys: slices.Repeat([]registry.Key{{ID: strings.Repeat("k", 100)}}, m.n)}, nil
}

// TestCompression: a client that takes gzip gets it where it is worth the time.
func TestCompression(t *testing.T) {
	for n, want := range map[int]string{1: "", 40: "gzip"} {
		t.Run(fmt.Sprintf("%d keys", n), func(t *testing.T) {
			b := newBench(t, false, func(o *rpc.Options) { o.Apps[0].Attest = &manyKeys{o.Apps[0].Attest, n} })
			req, err := http.NewRequest(http.MethodPost, b.URL+"/staunch.attest.v1.AttestService/ListKeys", strings.NewReader(`{}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+secretDemo)
			req.Header.Set("Accept-Encoding", "gzip") // or else net/http unpacks it, and hides the header
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); res.StatusCode != http.StatusOK || err != nil {
				t.Fatalf("%s: %s, %v", res.Status, body, err)
			}
			if got := res.Header.Get("Content-Encoding"); got != want {
				t.Errorf("%d bytes in Content-Encoding %q, want %q", res.ContentLength, got, want)
			}
		})
	}
}

// TestQuietLog: a logger that wants no line a call gets none, and metrics are
// told of the call all the same.
func TestQuietLog(t *testing.T) {
	var log lockedBuffer
	b := newBench(t, false, func(o *rpc.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	if a := b.post(t, "GetKey", `{"keyId":"k1"}`, "Authorization: Bearer "+secretDemo); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if log.String() != "" || len(b.calls) != 1 || b.calls[0].Code != "ok" {
		t.Errorf("log %q, calls %+v", log.String(), b.calls)
	}
}
