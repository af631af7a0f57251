package web_test

import (
	"errors"
	"html"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
)

// TestMoves: each page of the account tells of a move, in each state that it can
// have, and offers to cancel it while that is possible.
func TestMoves(t *testing.T) {
	now := time.Now()
	leaving := integrity.HeldDevice{Device: device, Name: "Old Pixel", Hold: account.Hold{Reason: account.HoldLeaving, Since: now}}
	tests := []struct {
		name    string
		move    transfer.View
		account account.State
		held    []integrity.HeldDevice
		want    []string
		cancel  bool
		clock   bool
	}{
		{"claimed", transfer.View{State: transfer.Claimed}, account.Active, nil, []string{"about to move to a new phone", "Nothing has been sent yet"}, true, false},
		{
			"held", transfer.View{State: transfer.Held, Opens: now.Add(12 * time.Hour), HoldReasons: []string{"class", "recent_recovery"}}, account.Active, nil,
			[]string{"is waiting", "nothing can be opened there", "did not find each other nearby, and because your account was recovered lately", "Opens in"}, true, true,
		},
		{
			"held for a reason of a later release", transfer.View{State: transfer.Held, Opens: now.Add(time.Hour), HoldReasons: []string{"moonlight"}}, account.Active, nil,
			[]string{"It waits for your safety."}, true, true,
		},
		{"streaming", transfer.View{State: transfer.Streaming}, account.Active, nil, []string{"is moving to a new phone", "stays on your old phone"}, true, false},
		{"sealed", transfer.View{State: transfer.Sealed}, account.Active, nil, []string{"is moving to a new phone", "Everything is sent"}, true, false},
		{
			"committed", transfer.View{State: transfer.Committed}, account.Active, []integrity.HeldDevice{leaving},
			[]string{"has moved to a new phone", "Old Pixel is signed out. It can take the account back", "or remove the new one"}, false, false,
		},
		{
			"opened", transfer.View{State: transfer.Acked, RecallUntil: now.Add(72 * time.Hour)}, account.Active, []integrity.HeldDevice{leaving},
			[]string{"has moved to a new phone", "Until then it can take the account back", "Ends in"}, false, true,
		},
		{
			"opened, then frozen", transfer.View{State: transfer.Acked, RecallUntil: now.Add(72 * time.Hour)}, account.Frozen, nil,
			[]string{"Your old phone is signed out", "stands still"}, false, false,
		},
		{
			"opened, and the old phone is frozen", transfer.View{State: transfer.Acked, RecallUntil: now.Add(-time.Hour)}, account.Active, nil,
			[]string{"stands still"}, false, false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake()
			m := tt.move
			m.ID, m.Peer, m.Place, m.CreatedAt, m.At = moveID, "Pixel 9", "203.0.113.0/24", now, now
			f.moves = []*transfer.View{&m}
			f.status.AccountState, f.status.Rest.OthersHeld = tt.account, tt.held
			page := html.UnescapeString(text(t, ask(t, newSite(t, f), http.MethodGet, "/account", "", signedIn)))
			_, notice, found := strings.Cut(page, `data-move="`+moveID+`"`)
			notice, _, _ = strings.Cut(notice, "</section>")
			if !found {
				t.Fatalf("the page does not tell of it:\n%s", page)
			}
			for _, want := range append(tt.want, "New phone: Pixel 9", "Seen at 203.0.113.0/24") {
				if !strings.Contains(notice, want) {
					t.Errorf("%q is not in\n%s", want, notice)
				}
			}
			if got := strings.Contains(notice, `data-act="cancel-move"`); got != tt.cancel {
				t.Errorf("it can be cancelled: %t", got)
			}
			if got := strings.Contains(notice, "data-countdown"); got != tt.clock {
				t.Errorf("it has a clock: %t\n%s", got, notice)
			}
			if strings.Contains(page, "is leaving your account") {
				t.Error("it tells twice that the old phone is leaving")
			}
		})
	}
}

// TestLeavingAfterMove: a phone from which the account has moved may take it back,
// and one that leaves otherwise may not.
func TestLeavingAfterMove(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name string
		hold account.Hold
		back bool
	}{
		{"by a move", account.Hold{Reason: account.HoldLeaving, Since: now}, true},
		{"after a recovery", account.Hold{Reason: account.HoldLeaving, Since: now, Until: now.Add(time.Hour)}, false},
		{"after a recovery, frozen", account.Hold{Reason: account.HoldLeaving, Since: now, Left: time.Hour}, false},
	} {
		f := newFake()
		f.status.Rest.OthersHeld = []integrity.HeldDevice{{Device: device, Name: "Old Pixel", Hold: tt.hold}}
		page := text(t, ask(t, newSite(t, f), http.MethodGet, "/account", "", signedIn))
		if !strings.Contains(page, "Old Pixel is leaving your account") || strings.Contains(page, "take the account back") != tt.back {
			t.Errorf("%s:\n%s", tt.name, page)
		}
	}
}

// TestMovesUnknown: where nobody can tell whether the account is moving, no page
// looks as if it were not. A server without moves has none.
func TestMovesUnknown(t *testing.T) {
	f := newFake()
	f.away = integrity.ErrNoMoves
	if res := ask(t, newSite(t, f), http.MethodGet, "/account", "", signedIn); res.StatusCode != http.StatusOK {
		t.Errorf("without moves: %d", res.StatusCode)
	}
	f.away = errors.New("sqlite: disk I/O error")
	res := ask(t, newSite(t, f), http.MethodGet, "/account", "", signedIn)
	if page := text(t, res); res.StatusCode != http.StatusInternalServerError || strings.Contains(page, "Freeze now") {
		t.Errorf("%d:\n%s", res.StatusCode, page)
	}
}

// TestCancelMove: as a session of the account, without the token of a phone, and
// of nothing but a transfer.
func TestCancelMove(t *testing.T) {
	tests := []struct {
		name, body string
		change     func(*http.Request)
		err        error
		status     int
		called     bool
		want       string
	}{
		{"good", `{"move":"` + moveID + `"}`, signedIn, nil, http.StatusOK, true, "The move is cancelled"},
		{"signed out", `{"move":"` + moveID + `"}`, func(*http.Request) {}, nil, http.StatusUnauthorized, false, "SESSION_REQUIRED"},
		{"another thing", `{"move":"` + device + `"}`, signedIn, nil, http.StatusBadRequest, false, "REQUEST_MALFORMED"},
		{"nothing", `{}`, signedIn, nil, http.StatusBadRequest, false, "REQUEST_MALFORMED"},
		{"of another account", `{"move":"` + moveID + `"}`, signedIn, transfer.ErrNotFound, http.StatusNotFound, true, "TRANSFER_NOT_FOUND"},
		{"too late", `{"move":"` + moveID + `"}`, signedIn, &transfer.StateError{State: transfer.Committed}, http.StatusPreconditionFailed, true, "too late to cancel"},
		{"long over", `{"move":"` + moveID + `"}`, signedIn, &transfer.EndedError{State: transfer.Final}, http.StatusPreconditionFailed, true, "TRANSFER_ENDED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake()
			f.err = tt.err
			res := ask(t, newSite(t, f), http.MethodPost, "/account/cancel-move", tt.body, tt.change)
			if body := text(t, res); res.StatusCode != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			var want []string
			if tt.called {
				want = []string{"CancelMove " + session + " " + moveID + " true cancelled_elsewhere"}
			}
			if !slices.Equal(f.calls, want) {
				t.Errorf("calls %q, want %q", f.calls, want)
			}
		})
	}
}
