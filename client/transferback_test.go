package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/client"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
)

// telling is an app that tells its person that the account was taken back.
type telling struct{ *app }

func (a telling) TakenBack(_ context.Context, byOldPhone bool) error {
	if byOldPhone {
		return a.note("back by the old phone")
	}
	return a.note("back")
}

// changed changes one thing of what the new phone has written down of its move.
func (h *handset) changed(name string, to any) {
	h.t.Helper()
	file := filepath.Join(h.dir, "transfer", "receive", "move.json")
	data, err := os.ReadFile(file)
	var all map[string]any
	if err = errors.Join(err, json.Unmarshal(data, &all)); err != nil {
		h.t.Fatal(err)
	}
	if all[name] == nil {
		h.t.Fatalf("nothing is called %s", name)
	}
	all[name] = to
	if data, err = json.Marshal(all); err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// TestLateRecall: when the time for a recall is over, by the new phone's own clock, the
// old phone's signature locks it, and wipes nothing: whoever has that phone by then.
func TestLateRecall(t *testing.T) {
	for name, tt := range map[string]struct {
		by   time.Duration // from now; 0: as it was written
		want string
	}{
		"in time":     {0, "back by the old phone wipe"},
		"just late":   {-10 * time.Second, "back by the old phone wipe"},
		"long after":  {-time.Hour, "back lock"},
		"long before": {time.Hour, "back by the old phone wipe"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := moved(t)
			if tt.by != 0 {
				p.n.changed("recall_by", time.Now().Add(tt.by))
			}
			if _, err := p.c.start().RecallMove(t.Context(), moving(p.c), "not mine", func(string) error { return nil }); err != nil {
				t.Fatal(err)
			}
			m := moving(p.n)
			m.Home = telling{p.n.app}
			st, err := p.n.start().MoveStatus(t.Context(), m)
			if did := strings.Join(p.n.did, " "); err != nil || st.State != "recalled" || did != tt.want {
				t.Errorf("%v, %+v, did %s", err, st, did)
			}
		})
	}
}

// TestRecallWindowOfServer: a server that names a time in which nobody lives any more is
// not believed.
func TestRecallWindowOfServer(t *testing.T) {
	for name, tt := range map[string]struct{ told, want time.Duration }{
		"three days": {72 * time.Hour, 72 * time.Hour},
		"for ever":   {100 * 365 * 24 * time.Hour, 30 * 24 * time.Hour},
		"no time":    {0, 0},
	} {
		p := newPair(t, nil)
		p.relay.recall = int64(tt.told / time.Second)
		p.complete(p.run(t.Context()))
		data, err := os.ReadFile(filepath.Join(p.n.dir, "transfer", "receive", "move.json"))
		var file struct {
			RecallBy time.Time `json:"recall_by"`
		}
		if err := errors.Join(err, json.Unmarshal(data, &file)); err != nil {
			t.Fatal(err)
		}
		if left := time.Until(file.RecallBy); left > tt.want || left < tt.want-time.Minute {
			t.Errorf("%s: a recall is believed for %s, not %s", name, left, tt.want)
		}
	}
}

// TestReceiveTellsOfRecall: who runs the new phone's half again after the account was
// taken back is told so, and not that all is well.
func TestReceiveTellsOfRecall(t *testing.T) {
	p := moved(t)
	if got, err := p.n.receive(t.Context()); err != nil || got.Account != anAccount {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := p.c.start().RecallMove(t.Context(), moving(p.c), "not mine", func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	var ended *client.MoveEnded
	if _, err := p.n.receive(t.Context()); !errors.As(err, &ended) || ended.State != "recalled" || strings.Join(p.n.did, " ") != "wipe" {
		t.Errorf("%v, did %v", err, p.n.did)
	}
}

// TestLastMove: of what a phone has sent and what it has taken since, the later counts.
func TestLastMove(t *testing.T) {
	a := moved(t) // A is a.c, and what it sends is final
	if _, err := a.c.start().FinalizeMove(t.Context(), moving(a.c), func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	back := moved(t) // it takes an account again
	if err := os.CopyFS(filepath.Join(back.n.dir, "transfer", "send"), os.DirFS(filepath.Join(a.c.dir, "transfer", "send"))); err != nil {
		t.Fatal(err)
	}
	st, err := back.n.start().MoveStatus(t.Context(), moving(back.n))
	if err != nil || st.Role != client.RoleReceiver || st.State != "acked" {
		t.Errorf("%+v, %v", st, err)
	}
	back.relay.tell(func(v *transferv1.View, _ bool) { v.State = transferv1.TransferState_TRANSFER_STATE_FINAL })
	for range 2 {
		st, err = back.n.start().MoveStatus(t.Context(), moving(back.n))
		if err != nil || st.Role != client.RoleReceiver || st.State != "final" {
			t.Errorf("when it is final: %+v, %v", st, err)
		}
	}
}
