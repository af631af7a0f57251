package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/client"
)

// streamer answers each request for the stream with the next of its answers.
func streamer(t *testing.T, answers ...http.HandlerFunc) (url string, queries *[]string) {
	t.Helper()
	queries = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*queries = append(*queries, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery)
		if r.Header.Get("Signature") == "" || !strings.Contains(r.Header.Get("Signature-Input"), `"authorization"`) {
			t.Error("the stream is not signed with its session")
		}
		answers[min(len(*queries), len(answers))-1](w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, queries
}

func events(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, text)
	}
}

func alert(seq int) string {
	return fmt.Sprintf("id: %d\nevent: alert\ndata: {\"seq\":%d,\"kind\":\"device.add\",\"text\":\"a: b\",\"at\":\"2026-11-22T12:00:00.000Z\"}\n\n", seq, seq)
}

// TestFollowAlerts: what breaks off goes on behind the last alert; none is lost
// and none comes twice.
func TestFollowAlerts(t *testing.T) {
	url, queries := streamer(t,
		events(": staunch\n\n"+alert(5)+":\n\n"+alert(6)+"id: 7\ndata: {\"seq\":7"), // breaks off within the third
		func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "away", http.StatusBadGateway)
		},
		events(alert(6)+alert(7)+strings.ReplaceAll(alert(8), "\n", "\r\n")),
	)
	p, _ := newPhone(t, &fakeServer{}, enrolled, func(o *client.PhoneOptions) { o.URL, o.Patience = url, 5*time.Second })
	var got []uint64
	enough := errors.New("enough")
	err := p.FollowAlerts(t.Context(), 4, func(a client.Alert) error {
		if got = append(got, a.Seq); a.Text != "a: b" || a.Kind != "device.add" || a.At.IsZero() {
			t.Errorf("%+v", a)
		}
		if a.Seq == 8 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || !slices.Equal(got, []uint64{5, 6, 7, 8}) {
		t.Errorf("%v, %v", got, err)
	}
	want := []string{"GET /v1/alerts/stream?after=4", "GET /v1/alerts/stream?after=6", "GET /v1/alerts/stream?after=6"}
	if !slices.Equal(*queries, want) {
		t.Errorf("%v", *queries)
	}
}

// TestFollowRefused: a refusal ends it, with the server's reason.
func TestFollowRefused(t *testing.T) {
	refuse := func(err error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if bad := connect.NewErrorWriter().Write(w, r, err); bad != nil {
				t.Error(bad)
			}
		}
	}
	url, _ := streamer(t, refuse(refusal(connect.CodeFailedPrecondition, "DEVICE_FROZEN", "opens_at", "2026-11-22T12:00:00.000Z")))
	p, _ := newPhone(t, &fakeServer{}, enrolled, func(o *client.PhoneOptions) { o.URL = url })
	var e *client.Error
	if err := p.FollowAlerts(t.Context(), 0, nil); !errors.As(err, &e) || e.Reason != "DEVICE_FROZEN" || e.OpensAt.IsZero() {
		t.Errorf("%v", err)
	}
	url, _ = streamer(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "away", http.StatusServiceUnavailable) })
	p, _ = newPhone(t, &fakeServer{}, enrolled, func(o *client.PhoneOptions) { o.URL = url })
	if err := p.FollowAlerts(t.Context(), 0, nil); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	url, _ = streamer(t, func(w http.ResponseWriter, r *http.Request) {
		events(":\n\n")(w, r)
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	})
	p, _ = newPhone(t, &fakeServer{}, enrolled, func(o *client.PhoneOptions) { o.URL = url })
	if err := p.FollowAlerts(ctx, 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
