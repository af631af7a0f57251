package transfer_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/transfer"
)

// want is a command and the error that it gives; nil: it is done.
type want struct {
	command string
	err     error
}

// walk runs commands in order.
func (r *rig) walk(all ...want) {
	r.Helper()
	for _, w := range all {
		words2 := strings.Fields(w.command)
		if _, err := r.do(words2[0], words(words2[1:])); !errors.Is(err, w.err) || (err == nil) != (w.err == nil) {
			r.Fatalf("%s: %v, want %v", w.command, err, w.err)
		}
	}
}

// to brings a transfer to a state on the straight path, in a class.
func to(t *testing.T, state transfer.State, class string) *rig {
	r := newRig(t)
	for _, command := range []string{"offer", "claim", "hello class=" + class, "answer", "matched", "confirm", "after 13h", "put first=0", "flush", "grant", "receipt", "ack", "final"} {
		if r.row("t").State == state {
			return r
		}
		if class != "none" && strings.HasPrefix(command, "after") {
			continue
		}
		r.walk(want{command, nil})
		if command == "after 13h" { // only then is it stored
			r.walk(want{"settle", nil})
		}
	}
	if r.row("t").State != state {
		t.Fatalf("it is %s, want %s", r.row("t").State, state)
	}
	return r
}

// TestOldPhoneInChargeUntilReceipt: nothing before N's receipt takes the account from
// C, and no share is out before.
func TestOldPhoneInChargeUntilReceipt(t *testing.T) {
	for _, state := range []transfer.State{transfer.Offered, transfer.Claimed, transfer.Held, transfer.Streaming, transfer.Sealed} {
		r := to(t, state, "none")
		r.walk(want{"receipt root=wrong", func() error {
			if state == transfer.Sealed {
				return transfer.ErrMalformed
			}
			return transfer.ErrState
		}()}, want{"ack", transfer.ErrState}, want{"after 9000h", nil}, want{"sweep", nil})
		if got := r.row("t"); got.State != transfer.Aborted || !got.CommittedAt.IsZero() || got.NewDevice != "" {
			t.Errorf("from %s: it is %s", state, got.State)
		}
		for _, e := range r.store.data.events {
			if e.Type == "transfer.committed" {
				t.Errorf("from %s: %s", state, e.Type)
			}
		}
	}
}

// TestShareBeforeCommit, TestHeldCannotOpen: N gets each share when it is time, and
// nobody else ever.
func TestShareBeforeCommit(t *testing.T) {
	for _, state := range []transfer.State{
		transfer.Offered, transfer.Claimed, transfer.Held, transfer.Streaming, transfer.Sealed, transfer.Committed, transfer.Acked, transfer.Final,
	} {
		r := to(t, state, "none")
		for _, by := range []string{"n", "c", "alice"} {
			v, err := r.doTx("look", args{"by": by})
			if by != "n" && state == transfer.Offered {
				continue // nobody's yet
			}
			r.must(err)
			open := by == "n" && (state == transfer.Streaming || state == transfer.Sealed || state == transfer.Committed)
			if got := len(v.HoldShare) > 0; got != open {
				t.Errorf("%s, %s: hold share %t", state, by, got)
			}
			if got, want := len(v.Sealed) > 0, by == "n" && (state == transfer.Sealed || state == transfer.Committed); got != want {
				t.Errorf("%s, %s: sealed secrets %t", state, by, got)
			}
			if got, want := len(v.CommitShare) > 0, by == "n" && state == transfer.Committed; got != want {
				t.Errorf("%s, %s: commit share %t", state, by, got)
			}
		}
		if row := r.row("t"); !row.Live() && state != transfer.Committed && len(row.HoldShare)+len(row.CommitShare)+len(row.SealedKeys)+len(row.Passkey) > 0 {
			t.Errorf("%s: the row has shares still", state)
		}
	}
}

func TestHeldCannotOpen(t *testing.T) {
	r := to(t, transfer.Held, "none")
	r.walk(want{"put first=0", nil}, want{"received 1", nil}, want{"flush", nil}, want{"grant", transfer.ErrTooEarly}, want{"after 11h59m59s", nil}, want{"grant", transfer.ErrTooEarly})
	var early *transfer.EarlyError
	if _, err := r.do("grant", nil); !errors.As(err, &early) || !early.OpensAt.Equal(epoch.Add(12*time.Hour)) {
		t.Errorf("%v", err)
	}
}

// TestQRJackingIsHeld: a code that was shown from afar, and each reason of the risk,
// gives the owner's other devices half a day to see it and to end it.
func TestQRJackingIsHeld(t *testing.T) {
	for _, tt := range []struct{ class, risks string }{
		{"none", ""}, {"lan", "new_network"}, {"near", "new_country"}, {"near", "recent_recovery"}, {"none", "device_warning"},
	} {
		r := newRig(t)
		claim := "claim"
		if tt.risks != "" {
			claim += " risks=" + tt.risks
		}
		r.walk(want{"offer", nil}, want{claim, nil}, want{"hello class=" + tt.class, nil}, want{"answer", nil}, want{"matched", nil}, want{"confirm", nil},
			want{"after 11h59m", nil}, want{"grant", transfer.ErrTooEarly}, want{"look by=alice", nil}, want{"cancel by=alice", nil}, want{"put first=0", transfer.ErrEnded})
	}
}

// TestPhisherCannotFinalize: it would do so at once.
func TestPhisherCannotFinalize(t *testing.T) {
	for class, err := range map[string]error{"none": transfer.ErrState, "lan": transfer.ErrState, "near": nil} {
		to(t, transfer.Acked, class).walk(want{"final by=n", err})
	}
}

// TestFirstToScanDoesNotWin, whichever of the two is the owner.
func TestFirstToScanDoesNotWin(t *testing.T) {
	for _, first := range []string{"eve", "c"} {
		r := newRig(t)
		second := map[string]string{"eve": "c", "c": "eve"}[first]
		r.walk(want{"offer", nil}, want{"claim by=" + first, nil}, want{"claim by=" + second, transfer.ErrEnded}, want{"claim by=" + second, transfer.ErrEnded})
		if got := r.row("t"); got.State != transfer.Aborted || got.Reason != transfer.Contended {
			t.Errorf("after %s and %s: %s %s", first, second, got.State, got.Reason)
		}
	}
}

// TestReplayedQR, TestExpiredQR, TestSessionIDTwice: a code is good for one transfer,
// while it lives.
func TestReplayedQR(t *testing.T) {
	for _, state := range []transfer.State{transfer.Streaming, transfer.Committed, transfer.Final} {
		to(t, state, "lan").walk(want{"claim by=other", transfer.ErrState}, want{"claim by=eve", transfer.ErrNotFound}, want{"offer by=x", transfer.ErrConflict})
	}
}

func TestExpiredQR(t *testing.T) {
	newRig(t).walk(want{"offer", nil}, want{"after 2m", nil}, want{"claim", transfer.ErrEnded}, want{"offer by=x", transfer.ErrConflict})
}

func TestSessionIDTwice(t *testing.T) {
	newRig(t).walk(want{"offer", nil}, want{"offer", nil}, want{"offer model=other", transfer.ErrConflict}, want{"offer by=x", transfer.ErrConflict})
}

// TestSecondReceiver: another phone, with a token of another transfer, or of none, is
// no party of this one.
func TestSecondReceiver(t *testing.T) {
	r := to(t, transfer.Streaming, "lan")
	r.walk(want{"offer in=second", nil})
	r.second()
	for _, command := range []string{"look", "get 0", "received 1", "receipt", "answer", "matched", "cancel reason=user_cancelled"} {
		r.walk(want{command + " by=x", transfer.ErrNotFound}, want{command + " by=n2", transfer.ErrNotFound})
	}
}

// second lets "n2" name the token of the second transfer's N.
func (r *rig) second() {
	hash := sha256.Sum256(tokenOf("n of second"))
	k := r.store.data.tokens[hash]
	if k.Transfer != idOf("second") {
		r.Fatal("there is no second transfer")
	}
	k.Hash = sha256.Sum256(tokenOf("n2"))
	r.store.data.tokens[k.Hash] = k
}

func tokenOf(who string) []byte {
	k := token(who)
	return k[:]
}

// TestSecondHello: no second try at anything.
func TestSecondHello(t *testing.T) {
	to(t, transfer.Claimed, "lan").walk(want{"hello", nil}, want{"hello label=x", transfer.ErrConflict}, want{"answer", nil}, want{"answer nonce=x", transfer.ErrConflict},
		want{"hello class=near", transfer.ErrConflict}, want{"matched", nil}, want{"matched passkey=x", transfer.ErrConflict})
}

// TestReasonOnBothSides: whoever ends it, and why, both phones are told.
func TestReasonOnBothSides(t *testing.T) {
	for command, reason := range map[string]transfer.Reason{
		"cancel by=n reason=user_cancelled": transfer.UserCancelled, "cancel by=c reason=user_cancelled": transfer.UserCancelled,
		"cancel by=n reason=number_mismatch": transfer.NumberMismatch, "cancel by=c reason=device_rejected": transfer.DeviceRejected,
		"cancel by=c reason=schema_too_new": transfer.SchemaTooNew, "cancel by=n reason=no_space": transfer.NoSpace,
		"cancel by=n reason=integrity": transfer.Integrity, "cancel by=alice": transfer.CancelledElsewhere, "after 24h": transfer.Expired,
		"end reason=frozen": transfer.Frozen, "gone device=old": transfer.AccountChanged,
	} {
		r := to(t, transfer.Streaming, "lan")
		r.walk(want{command, nil})
		for _, by := range []string{"n", "c"} {
			v, err := r.doTx("look", args{"by": by})
			if err != nil || v.State != transfer.Aborted || v.Reason != reason {
				t.Errorf("%s: %s hears %s %s, %v", command, by, v.State, v.Reason, err)
			}
		}
	}
}

// TestProgressIsDurable: what N has acknowledged never falls within a revision, and
// survives the server.
func TestProgressIsDurable(t *testing.T) {
	r := to(t, transfer.Streaming, "lan")
	var last uint64
	for i := range 4 {
		r.walk(want{fmt.Sprint("put first=", i), nil}, want{fmt.Sprint("received ", i+1), nil}, want{"restart", nil}, want{"received 1", nil})
		v, err := r.doTx("look", args{"by": "c"})
		if err != nil || v.BytesAcked != last+1<<16 || v.RecordAcked != uint64(i+1) {
			t.Fatalf("after %d: %d bytes, record %d, %v", i+1, v.BytesAcked, v.RecordAcked, err)
		}
		last = v.BytesAcked
	}
}

// TestCancelRacesCommit: whichever is first, both phones learn the same.
func TestCancelRacesCommit(t *testing.T) {
	r := to(t, transfer.Sealed, "lan")
	r.walk(want{"receipt", nil}, want{"cancel by=c reason=user_cancelled", transfer.ErrState}, want{"cancel by=alice", transfer.ErrState}, want{"receipt", nil})
	r = to(t, transfer.Sealed, "lan")
	r.walk(want{"cancel by=c reason=user_cancelled", nil}, want{"receipt", transfer.ErrEnded}, want{"cancel by=n reason=integrity", nil})
	r = to(t, transfer.Sealed, "lan")
	r.walk(want{"after 24h", nil}, want{"receipt", transfer.ErrEnded}) // its limit was first
}

// TestSpliced: a segment is stored where its header says, and nowhere else; what is
// another transfer's is not even looked for.
func TestSpliced(t *testing.T) {
	r := to(t, transfer.Streaming, "lan")
	r.walk(want{"put first=0 header=2", transfer.ErrMalformed}, want{"put first=0 path=5", transfer.ErrMalformed}, want{"put first=0 rev=2 header=2", transfer.ErrState},
		want{"put first=0", nil}, want{"put first=0", transfer.ErrConflict}, want{"get 0 rev=2", transfer.ErrState})
}

// TestNothingSecretIsTold walks entries, events and everything that a service takes
// or gives for shares, tokens and sealed secrets.
func TestNothingSecretIsTold(t *testing.T) {
	r := to(t, transfer.Committed, "lan")
	v, err := r.doTx("look", args{})
	r.must(err)
	row := r.row("t")
	if len(row.HoldShare) == 0 || len(v.CommitShare) == 0 {
		t.Fatal("there is nothing to hide")
	}
	turn := transfer.Turn{Token: r.n}
	texts := []string{}
	for _, e := range r.store.data.events {
		texts = append(texts, string(e.Body))
	}
	for _, e := range r.store.data.audit {
		texts = append(texts, fmt.Sprint(e))
	}
	for _, x := range []any{
		row, &row, v, *v, turn, &transfer.Sealing{Turn: turn, CommitShare: share("commit"), Sealed: []byte(secrets)}, transfer.Confirming{Turn: turn, HoldShare: share("hold")},
		transfer.Place{Token: r.n}, transfer.Waiting{Token: r.n}, transfer.Cancelling{Token: r.n}, transfer.Offering{Token: r.n}, transfer.Claiming{Token: r.n},
	} {
		text, err := json.Marshal(x)
		r.must(err)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "x", x)
		texts = append(texts, string(text), log.String(), fmt.Sprintf("%v %+v %#v %s %x", x, x, x, x, x))
	}
	for name, secret := range map[string][]byte{
		"N's token": r.n[:], "C's token": r.c[:], "hold share": row.HoldShare, "commit share": v.CommitShare, "sealed secrets": []byte(secrets), "passkey": []byte("passkey of n"),
	} {
		var decimal []string
		for _, b := range secret[:8] {
			decimal = append(decimal, strconv.Itoa(int(b)))
		}
		b64, _ := json.Marshal(secret[:6])
		for _, form := range []string{string(secret), fmt.Sprintf("%x", secret), strings.Join(decimal, " "), strings.Join(decimal, ", "), strings.Trim(string(b64), `"`)} {
			if i := slices.IndexFunc(texts, func(s string) bool { return strings.Contains(s, form) }); i >= 0 {
				t.Errorf("%s is told: %s", name, texts[i])
			}
		}
	}
}
