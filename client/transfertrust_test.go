package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/client"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
)

// TestAnotherAccount: the new phone takes the account that the old one has signed for,
// and no other that the server gives it.
func TestAnotherAccount(t *testing.T) {
	t.Parallel()
	const another = "a_zzzzzzzzzzzzzzzzzzzzzzzzzz"
	p := newPair(t, map[string]string{"f": "1"})
	p.relay.signed = func(m *accountv1.Signed) { m.Account = another }
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	n, _ := p.run(ctx)
	if !errors.Is(n.err, client.ErrMoveCheck) || strings.Contains(p.n.state, another) || strings.Contains(p.n.said(), client.EventCommitted) {
		t.Errorf("%v; said %s", n.err, p.n.said())
	}
}

// TestRecallIsNotCutShort: the old phone keeps what it needs to take the account back
// for as long as its app says, however short a time the server tells it.
func TestRecallIsNotCutShort(t *testing.T) {
	for name, tt := range map[string]struct {
		told  int64
		least time.Duration
		want  time.Duration // 0: it is wiped at once
	}{
		"the app's":              {1, 0, 72 * time.Hour},
		"none":                   {0, 0, 72 * time.Hour},
		"before it has begun":    {-1 << 40, client.NoLeastRecall, 0},
		"longer than time lasts": {1 << 62, client.NoLeastRecall, (1 << 31) * time.Second},
		"the server's":           {3600, client.NoLeastRecall, time.Hour},
		"longer than the app's":  {7200, time.Hour, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, map[string]string{"f": "1"})
			p.c.least = tt.least
			p.relay.claimed = func(m *transferv1.ClaimResponse) { m.RecallSeconds = tt.told }
			n, c := p.run(t.Context())
			p.complete(n, c)
			p.relay.tell(func(v *transferv1.View, _ bool) { v.State = transferv1.TransferState_TRANSFER_STATE_FINAL })
			_, err := p.c.start().MoveStatus(t.Context(), moving(p.c))
			wiped := strings.Contains(strings.Join(p.c.did, " "), "wipe")
			if wiped != (tt.want == 0) || err != nil {
				t.Errorf("%v, did %v", err, p.c.did)
			}
			if left := time.Until(c.moved.RecallUntil); tt.want > 0 && (left > tt.want || left < tt.want-time.Minute) {
				t.Errorf("it can be recalled for %s, not %s", left, tt.want)
			}
		})
	}
}
