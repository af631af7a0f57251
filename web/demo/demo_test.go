package demo_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/web/demo"
)

const (
	host              = "localhost:8080"
	marie  account.ID = "a_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	sample            = "a_bbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// fakeServer is a server of which the test says what it has recorded.
type fakeServer struct {
	entries []audit.Entry
	checker checker
}

type checker struct{ decision request.Decision }

func (c checker) CheckRequest(context.Context, *request.Check) (*request.Decision, error) {
	return &c.decision, nil
}

func (f *fakeServer) Vaults(context.Context) (*demo.Vaults, error) {
	return &demo.Vaults{
		Profile: "kr1-2of3", Limit: 10, Threshold: 2, PINMin: 6, SetVersion: 1, ReleaseK: 1,
		Release: [][]byte{{1, 2, 3}}, Members: []demo.Member{{ID: "v1", Operator: "local"}},
	}, nil
}

func (f *fakeServer) Holdings(_ context.Context, id account.ID) (*demo.Holdings, error) {
	if id != marie {
		return nil, nil
	}
	return &demo.Holdings{Limit: 10, Remaining: 8, Assurance: "process", Vaults: []demo.Holding{
		{Member: demo.Member{ID: "v1"}, Answers: true, Has: true, State: "active", Used: 2, Version: 5, At: time.Unix(1, 0)}, {Member: demo.Member{ID: "v2"}},
	}}, nil
}

func (f *fakeServer) Recorded(_ context.Context, since time.Time, yield func(audit.Entry)) error {
	for i := range f.entries { // newest first, as the store gives them
		if e := f.entries[len(f.entries)-1-i]; !e.Time.Before(since) {
			yield(e)
		}
	}
	return nil
}

func (f *fakeServer) Checker() request.Checker { return f.checker }

func (f *fakeServer) CopyRecord(_ context.Context, _ account.ID, vault string) (*demo.Record, error) {
	if vault != "v1" {
		return nil, demo.ErrNoRecord
	}
	return &demo.Record{Version: 5, Used: 2}, nil
}

func (f *fakeServer) RestoreRecord(ctx context.Context, id account.ID, vault string) (*demo.Record, error) {
	return f.CopyRecord(ctx, id, vault)
}

func newSite(t *testing.T, f *fakeServer) *demo.Site {
	t.Helper()
	s, err := demo.New(&demo.Options{App: "demo", Name: "Demo", Origins: []string{"http://" + host}, Server: f})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// send makes a request as the page would; change may make it another's.
func send(s http.Handler, method, path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = host
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, fn := range change {
		fn(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func read[T any](t *testing.T, w *httptest.ResponseRecorder) (out T) {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return out
}
