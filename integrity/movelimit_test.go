package integrity_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
)

// TestMoveLimits: each bucket of moves is the policy's, and the feed is told whose was
// found empty.
func TestMoveLimits(t *testing.T) {
	once := integrity.Limit{N: 1, Per: time.Hour}
	for name, tt := range map[string]struct {
		limit func(*integrity.Limits)
		try   func(r *rig, p *phone) func(n int) error // what is tried; n times it was before
		told  string                                   // beside the reason
	}{
		"move_offer": {func(l *integrity.Limits) { l.MoveOffer = once }, func(_ *rig, p *phone) func(int) error { return func(int) error { return p.moving().offer() } }, `"network":"net-1"`},
		"move_claim": {func(l *integrity.Limits) { l.MoveClaim = once }, func(r *rig, p *phone) func(int) error {
			return func(int) error {
				m := p.moving().to("offer")
				err := m.claim()
				if err == nil {
					must[*transfer.View](r.t)(r.CancelMove(r.t.Context(), r.anonymous(), m.id, m.recvTok, transfer.UserCancelled))
				}
				return err
			}
		}, ""},
		"move_wait": {func(l *integrity.Limits) { l.MoveWait = once }, func(r *rig, p *phone) func(int) error {
			m := p.moving().to("claim")
			return func(int) error {
				_, err := r.WaitMove(r.t.Context(), r.anonymous(), &integrity.MoveWait{ID: m.id, Token: m.recvTok})
				return err
			}
		}, `"party":"receiver"`},
		"move_revise": {func(l *integrity.Limits) { l.MoveRevise = once }, func(r *rig, p *phone) func(int) error {
			m := p.moving().to("confirm")
			return func(n int) error {
				for range 2 { // the same call once more takes nothing
					v, err := r.ReviseMove(r.t.Context(), p.caller(), transfer.Turn{ID: m.id, Token: m.sendTok}, uint32(n)+2, 100)
					if err != nil {
						return err
					}
					if v.Revision != uint32(n)+2 {
						r.t.Errorf("revision %d", v.Revision)
					}
				}
				return nil
			}
		}, `"transfer":"t_`},
	} {
		t.Run(name, func(t *testing.T) {
			r := moveRig(t)
			p := r.mover()
			r.reopen(func(o *integrity.Options) { tt.limit(&o.Policy.Limits) })
			try := tt.try(r, p)
			if err := try(0); err != nil {
				t.Fatalf("the first: %v", err)
			}
			if err := try(1); !errors.Is(err, integrity.ErrRateLimited) {
				t.Errorf("the second: %v", err)
			}
			told := func(e event.Event) bool {
				return e.Type == "rate.limited" && strings.Contains(string(e.Body), `"reason":"`+name+`"`) && strings.Contains(string(e.Body), tt.told)
			}
			if all := must[[]event.Event](t)(r.PollEvents(t.Context(), r.backend(), 0, 1000)); !slices.ContainsFunc(all, told) {
				t.Errorf("the feed was not told of %s", tt.told)
			}
			r.advance(time.Hour + time.Minute)
			if name == "move_revise" { // the codes of the others have run out
				if err := try(1); err != nil {
					t.Errorf("after an hour: %v", err)
				}
			}
		})
	}
}
