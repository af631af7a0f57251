package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// unanswered loses the answers to the calls of one name, which the server gets.
type unanswered string

func (u unanswered) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && strings.HasSuffix(r.URL.Path, "/"+string(u)) {
		return nil, errors.Join(errors.New("the answer is lost"), res.Body.Close())
	}
	return res, err
}

// recallBy is until when the new phone has written down that a recall wipes it.
func (h *handset) recallBy() time.Time {
	h.t.Helper()
	data, err := os.ReadFile(filepath.Join(h.dir, "transfer", "receive", "move.json"))
	var file struct {
		RecallBy time.Time `json:"recall_by"`
	}
	if err = errors.Join(err, json.Unmarshal(data, &file)); err != nil {
		h.t.Fatal(err)
	}
	return file.RecallBy
}

const mostRecall = 30 * 24 * time.Hour

// TestRecallUnanswered: a recall has an end also where the server keeps back that the
// new phone has acknowledged, and for a phone that has written down none.
func TestRecallUnanswered(t *testing.T) {
	for name, tt := range map[string]struct {
		by   any // instead of what was written; nil: nothing was
		want string
	}{
		"in time":                      {time.Now().Add(time.Hour), "wipe"},
		"late":                         {time.Now().Add(-time.Hour), "lock"},
		"of a phone that keeps no end": {nil, "lock"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, map[string]string{"f": "1"})
			p.n.next = unanswered("Acknowledge")
			if n, c := p.run(t.Context()); n.err == nil || c.err != nil {
				t.Fatalf("new phone: %v; old phone: %v", n.err, c.err)
			}
			if left := time.Until(p.n.recallBy()); left > mostRecall || left < mostRecall-time.Minute {
				t.Errorf("a recall is believed for %s", left)
			}
			p.n.changed("recall_by", tt.by)
			if _, err := p.c.start().RecallMove(t.Context(), moving(p.c), "not mine", func(string) error { return nil }); err != nil {
				t.Fatal(err)
			}
			st, err := p.n.start().MoveStatus(t.Context(), moving(p.n))
			if did := strings.Join(p.n.did, " "); err != nil || st.State != "recalled" || did != tt.want {
				t.Errorf("%v, %+v, did %s", err, st, did)
			}
		})
	}
}

// TestRecallBeforeKeys: the end is kept before the app has anything that a recall wipes,
// and no later answer of the server's puts it off.
func TestRecallBeforeKeys(t *testing.T) {
	p := newPair(t, map[string]string{"f": "1"})
	p.relay.recall = int64(mostRecall / time.Second)
	p.n.fail = errors.New("no room")
	if n := p.receiving(t); !errors.Is(n.err, p.n.fail) {
		t.Fatal(n.err)
	}
	if left := time.Until(p.n.recallBy()); left > mostRecall || left < mostRecall-time.Minute {
		t.Errorf("a recall is believed for %s", left)
	}
	soon := time.Now().Add(time.Hour).Round(time.Second)
	p.n.changed("recall_by", soon)
	p.n.fail = nil
	if _, err := p.n.receive(t.Context()); err != nil || !p.n.recallBy().Equal(soon) {
		t.Errorf("%v, until %s, not %s", err, p.n.recallBy(), soon)
	}
}

// TestRecallOfBefore: a phone that has its keys and has written down no end, since it
// was of a version before, believes no server's of more than a month.
func TestRecallOfBefore(t *testing.T) {
	p := newPair(t, map[string]string{"f": "1"})
	p.relay.recall = int64(1000 * 24 * time.Hour / time.Second)
	p.n.next = unanswered("Acknowledge")
	if n, _ := p.run(t.Context()); n.err == nil {
		t.Fatal("the answer came")
	}
	p.n.changed("recall_by", nil)
	p.n.next = nil
	if _, err := p.n.receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := time.Until(p.n.recallBy()); left > mostRecall || left < mostRecall-time.Minute {
		t.Errorf("a recall is believed for %s", left)
	}
}

// receiving runs both loops until the new one has ended, which fails.
func (p *pair) receiving(t *testing.T) outcome {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan outcome, 1)
	go func() {
		ended <- p.receive(ctx)
		cancel()
	}()
	p.send(ctx)
	return <-ended
}
