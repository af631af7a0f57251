package webhook_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/webhook"
)

var (
	key   = ed25519.NewKeyFromSeed(make([]byte, 32))
	alice = account.ID("a_aaaaaaaaaaaaaaaaaaaaaaaaaa")
	bob   = account.ID("a_bbbbbbbbbbbbbbbbbbbbbbbbbb")
)

// memory is a store with an outbox.
type memory struct {
	mu     sync.Mutex
	events []event.Event
	cursor uint64
	holder string
	until  time.Time
	away   bool
	puts   []uint64
}

var errAway = errors.New("the store is away")

func (m *memory) update(_ context.Context, fn func(webhook.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return errAway
	}
	return fn(m)
}

func (m *memory) append(id account.ID, kind, body string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, event.Event{ID: uint64(len(m.events) + 1), Type: kind, Account: id, Body: json.RawMessage(body), At: at})
}

func (m *memory) at() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cursor
}

func (m *memory) Events(_ context.Context, after uint64, limit int) ([]event.Event, error) {
	rest := m.events[min(after, uint64(len(m.events))):]
	return rest[:min(limit, len(rest))], nil
}

func (m *memory) Cursor(context.Context, string) (uint64, error) { return m.cursor, nil }

func (m *memory) PutCursor(_ context.Context, _ string, at uint64) error {
	m.cursor, m.puts = at, append(m.puts, at)
	return nil
}

func (m *memory) TakeLease(_ context.Context, _, holder string, now, until time.Time) (bool, error) {
	if m.holder != holder && m.until.After(now) {
		return false, nil
	}
	m.holder, m.until = holder, until
	return true, nil
}

// receiver is an app's backend.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []call
	answer func(n int, c call) int // n from 1
}

type call struct {
	id   string
	body struct {
		Type      string          `json:"type"`
		Timestamp time.Time       `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}
	data struct {
		ID      uint64     `json:"id"`
		App     string     `json:"app"`
		Account account.ID `json:"account"`
		Seq     uint64     `json:"seq"`
		Alert   any        `json:"alert"`
	}
	err error
}

// newReceiver verifies what it gets, and answers 200 unless answer says
// otherwise.
func newReceiver(t *testing.T, answer func(n int, c call) int) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		var c call
		c.id, c.err = webhook.Verify(q.Header, body, []ed25519.PublicKey{key.Public().(ed25519.PublicKey)}, time.Now())
		if err := errors.Join(json.Unmarshal(body, &c.body), json.Unmarshal(c.body.Data, &c.data)); err != nil || q.Method != http.MethodPost {
			t.Errorf("%s %s: %v", q.Method, body, err)
		}
		r.mu.Lock()
		r.calls = append(r.calls, c)
		n := len(r.calls)
		r.mu.Unlock()
		status := http.StatusOK
		if r.answer != nil {
			status = r.answer(n, c)
		}
		if status == http.StatusFound {
			w.Header().Set("Location", r.URL+"/elsewhere")
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

// ids are the events that it got, in order.
func (r *receiver) ids() (ids []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		ids = append(ids, c.data.ID)
	}
	return ids
}

func options(m *memory, url string) *webhook.Options {
	return &webhook.Options{App: "demo", URL: url, Key: key, Update: m.update, View: m.update, Timeout: 300 * time.Millisecond}
}

// deliver runs a Deliverer until done says so, or some seconds are over.
func deliver(t *testing.T, o *webhook.Options, done func() bool) {
	t.Helper()
	d, err := webhook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	for !done() && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	if ctx.Err() != nil {
		t.Error("not done in time")
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}
