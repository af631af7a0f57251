package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/fetch"
	"github.com/staunchid/staunch/fetch/fetchtest"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// listOf is the vendor's list in which these serials have a status.
func listOf(status string, serials ...string) string {
	var b strings.Builder
	for i, s := range serials {
		fmt.Fprintf(&b, `%s"%s": {"status": "%s"}`, strings.Repeat(", ", min(i, 1)), s, status)
	}
	return `{"entries": {` + b.String() + `}}`
}

func newVendor(t testing.TB) *fetchtest.Server {
	v := fetchtest.NewServer()
	t.Cleanup(v.Close)
	return v
}

// fixture is a Status over a vendor, and what it tells.
type fixture struct {
	*fetch.Status
	vendor *fetchtest.Server
	opts   *fetch.StatusOptions
	news   []*android.StatusList
	log    bytes.Buffer
}

func newFixture(t testing.TB, edit func(*fetch.StatusOptions)) *fixture {
	t.Helper()
	f := &fixture{vendor: newVendor(t)}
	f.opts = &fetch.StatusOptions{
		URL: f.vendor.StatusURL(), Client: f.vendor.Client(), File: filepath.Join(t.TempDir(), "status-list.json"),
		Logger: slog.New(slog.NewTextHandler(&f.log, nil)),
		OnNew:  func(l *android.StatusList) { f.news = append(f.news, l) },
	}
	if edit != nil {
		edit(f.opts)
	}
	f.start(t)
	return f
}

// start is a start of the process, with what the file has kept.
func (f *fixture) start(t testing.TB) {
	t.Helper()
	var err error
	if f.Status, err = fetch.NewStatus(f.opts); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) fetch(t testing.TB, changed bool, want error) {
	t.Helper()
	got, err := f.Fetch(t.Context())
	if got != changed || !errors.Is(err, want) || want == nil && err != nil {
		t.Fatalf("changed %v, %v; want %v, %v", got, err, changed, want)
	}
	if !errors.Is(f.Err(), want) {
		t.Fatalf("Err is %v, want %v", f.Err(), want)
	}
}

func TestFetch(t *testing.T) {
	f := newFixture(t, nil)
	if f.List() != nil || f.Err() != nil {
		t.Fatal("a list before the first")
	}
	f.fetch(t, false, fetch.ErrUnreachable) // 404
	f.vendor.SetStatusList(listOf("REVOKED", "a1", "00B2"))
	begun := time.Now()
	f.fetch(t, true, nil)
	l := f.List()
	if l.Lookup("a1") != android.StatusRevoked || l.Lookup("b2") != android.StatusRevoked || l.Len() != 2 || l.FetchedAt.Before(begun.UTC().Round(0)) || l.Age(time.Now()) > time.Minute {
		t.Fatalf("%+v", l)
	}
	if len(f.news) != 1 || f.news[0].Digest != l.Digest {
		t.Fatalf("told %v", f.news)
	}

	// Asked again, it says so, and only the age is new.
	f.fetch(t, false, nil)
	requests := f.vendor.StatusRequests()
	if h := requests[len(requests)-1]; h.Get("If-None-Match") != `"v1"` || h.Get("If-Modified-Since") == "" {
		t.Errorf("not conditional: %v", h)
	}
	if h := requests[1]; h.Get("If-None-Match") != "" || h.Get("If-Modified-Since") != "" {
		t.Errorf("conditional without a list: %v", h)
	}
	if !f.List().FetchedAt.After(l.FetchedAt) || f.List().Digest != l.Digest || f.List().Lookup("b2") == "" || len(f.news) != 1 {
		t.Errorf("%v, told %d times", f.List(), len(f.news))
	}

	// The same text under another name is no other list.
	f.vendor.SetStatusList(listOf("REVOKED", "a1", "00B2"))
	f.fetch(t, false, nil)
	f.vendor.SetStatusList(listOf("REVOKED", "a1", "00B2", "c3"))
	f.fetch(t, true, nil)
	if f.List().Len() != 3 || len(f.news) != 2 {
		t.Errorf("%d entries, told %d times", f.List().Len(), len(f.news))
	}
	if requests := f.vendor.StatusRequests(); len(requests) != 5 {
		t.Errorf("%d requests", len(requests))
	}
}

// TestConditions: each validator alone will do, and without one nothing is
// confirmed.
func TestConditions(t *testing.T) {
	f := newFixture(t, nil)
	f.vendor.SetStatusList(listOf("REVOKED", "a1"))
	f.vendor.SetStatusHeader("ETag", "")
	f.fetch(t, true, nil)
	f.fetch(t, false, nil)
	requests := f.vendor.StatusRequests()
	if h := requests[1]; h.Get("If-None-Match") != "" || h.Get("If-Modified-Since") == "" {
		t.Errorf("%v", h)
	}
	f.vendor.SetStatusHeader("Last-Modified", "")
	f.vendor.SetStatusList(listOf("REVOKED", "a1", "a2"))
	f.fetch(t, true, nil)
	f.vendor.FailStatus(fetchtest.NotModified, 1)
	before := f.List().FetchedAt
	f.fetch(t, false, fetch.ErrUnreachable) // a 304 that nobody asked for renews nothing
	if !f.List().FetchedAt.Equal(before) {
		t.Error("the age was renewed")
	}
	f.start(t)
	f.vendor.FailStatus(fetchtest.NotModified, 1)
	f.fetch(t, false, fetch.ErrUnreachable) // nor after a restart
}

func TestNewStatus(t *testing.T) {
	dir := t.TempDir()
	good := fetch.StatusOptions{Client: http.DefaultClient, File: filepath.Join(dir, "list.json")}
	for _, c := range []struct {
		name string
		edit func(*fetch.StatusOptions)
		want string
	}{
		{"good", func(*fetch.StatusOptions) {}, ""},
		{"a mirror", func(o *fetch.StatusOptions) { o.URL = "https://mirror.example:8443/list" }, ""},
		{"http to loopback", func(o *fetch.StatusOptions) { o.URL = "http://127.0.0.1:8080/list" }, ""},
		{"http to localhost", func(o *fetch.StatusOptions) { o.URL = "http://localhost/list" }, ""},
		{"http to loopback, IPv6", func(o *fetch.StatusOptions) { o.URL = "http://[::1]/list" }, ""},
		{"http", func(o *fetch.StatusOptions) { o.URL = "http://android.googleapis.com/attestation/status" }, "use https"},
		{"http to what looks like loopback", func(o *fetch.StatusOptions) { o.URL = "http://127.0.0.1.example/list" }, "use https"},
		{"a file", func(o *fetch.StatusOptions) { o.URL = "file:///etc/list" }, "no URL of a host"},
		{"no scheme", func(o *fetch.StatusOptions) { o.URL = "mirror.example/list" }, "no URL of a host"},
		{"a password", func(o *fetch.StatusOptions) { o.URL = "https://me:secret@mirror.example/" }, "leave user and password out"},
		{"no URL at all", func(o *fetch.StatusOptions) { o.URL = "https://mirror.example:port/" }, "invalid port"},
		{"no client", func(o *fetch.StatusOptions) { o.Client = nil }, "needs Client and File"},
		{"no file", func(o *fetch.StatusOptions) { o.File = "" }, "needs Client and File"},
		{"no folder", func(o *fetch.StatusOptions) { o.File = filepath.Join(dir, "none", "list.json") }, "make the folder"},
	} {
		o := good
		c.edit(&o)
		s, err := fetch.NewStatus(&o)
		if (s == nil) != (err != nil) || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the password is in %q", c.name, err)
		}
	}
}

func TestFetchStops(t *testing.T) {
	f := newFixture(t, nil)
	f.vendor.SetStatusList(listOf("REVOKED", "a1"))
	f.vendor.FailStatus(fetchtest.Hang, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.Fetch(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, fetch.ErrUnreachable) || f.Err() != nil {
		t.Errorf("%v; Err is %v", err, f.Err())
	}
	if f.log.Len() != 0 {
		t.Errorf("an alarm for who has stopped: %s", f.log.String())
	}
	f.fetch(t, true, nil)

	// One at a time: the second waits for its turn, as long as it may.
	f.vendor.FailStatus(fetchtest.Hang, 1)
	ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	first := make(chan error, 1)
	go func() {
		_, err := f.Fetch(ctx)
		first <- err
	}()
	for len(f.vendor.StatusRequests()) < 3 {
		time.Sleep(time.Millisecond)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := f.Fetch(stopped); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	f.fetch(t, false, nil)
	if err := <-first; !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// TestDefaultClient: without the certificate of the test no server is trusted.
func TestDefaultClient(t *testing.T) {
	f := newFixture(t, func(o *fetch.StatusOptions) { o.Client = fetch.NewClient() })
	f.vendor.SetStatusList(listOf("REVOKED", "a1"))
	f.fetch(t, false, fetch.ErrUnreachable)
	if !strings.Contains(f.Err().Error(), "certificate") {
		t.Error(f.Err())
	}
}
