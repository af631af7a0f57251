package recovery_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/storetest"
)

// status is what an operator sees of the vaults.
func (b *backend) status() *recovery.VaultsStatus {
	b.Helper()
	s, err := recovery.ReadStatus(b.Context(), &recovery.StatusOptions{Set: b.vaults.Set(), Policy: b.policy, Vaults: b.ways, Timeout: time.Second, Now: b.now})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// answering is a replica that gives evidence, and this reply to every call.
type answering struct {
	recovery.Link
	with wire.Code
}

func (l answering) Call(context.Context, *wire.Call) (*wire.Reply, error) {
	return &wire.Reply{Result: l.with}, nil
}

// TestStatusRemembers: a vault that shows what it runs and cannot count is no
// vault that can be used.
func TestStatusRemembers(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	if s := b.status(); s.Vaults[0].Replicas[0].Error != "" || s.Vaults[0].Replicas[0].Platform != "process" || s.Profile != "kr1-2of3" || s.N != 3 || s.T != 2 || s.Limit != 10 {
		t.Errorf("%+v", s)
	}
	h.right("482915", "one") // being asked has cost nothing
	good := b.ways[0].Replicas[0].Link
	for code, want := range map[wire.Code]string{wire.CodeAmnesia: "staunch vault ceremony", wire.CodeBusy: "enough witnesses", wire.CodeEpoch: "must execute"} {
		b.ways[0].Replicas[0].Link = answering{good, code}
		if r := b.status().Vaults[0].Replicas[0]; !strings.Contains(r.Error, want) || r.Boot == "" {
			t.Errorf("%s: %+v", code, r)
		}
	}
}

// TestReadWaiting: what is sealed under which epoch, and what is on its way since when.
func TestReadWaiting(t *testing.T) {
	b, old, _ := backedUp(t, recoverytest.Options{})
	read := func() (w recovery.Waiting) {
		b.do(func(tx storetest.Tx) (err error) {
			w, err = recovery.ReadWaiting(t.Context(), tx, []string{"v1", "v9"}, b.now())
			return err
		})
		return w
	}
	if w := read(); len(w.Sealed["v1"]) != 1 || len(w.Sealed["v9"]) != 0 || w.Intents != 0 || !w.Oldest.IsZero() {
		t.Errorf("%+v", w)
	}
	in, _ := b.sealed("v1", alice, wire.OpUpdate, &wire.Managed{TBS: []byte{1}})
	b.ways[0].Replicas[0].Link = dead{}
	b.restart()
	before := b.now()
	if _, err := b.CallVault(t.Context(), old.caller(), in); err == nil {
		t.Fatal("a vault that is away has answered")
	}
	if w := read(); w.Intents != 1 || w.Oldest.Before(before.Add(-time.Second)) || w.Oldest.After(b.now()) {
		t.Errorf("%+v, before was %s", w, before)
	}
}
