package integrity_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// TestTwoAnswers: of two answers to one ceremony that come at the same time, both
// of which have been verified, one opens a session.
func TestTwoAnswers(t *testing.T) {
	r := newRig(t)
	b := r.signUp()
	answer := b.assertion()
	var both sync.WaitGroup // are through with what comes before the transaction
	both.Add(2)
	r.reopen(func(o *integrity.Options) {
		update := o.Update
		o.Update = func(ctx context.Context, fn func(integrity.Tx) error) error {
			both.Done()
			both.Wait()
			return update(ctx, fn)
		}
	})
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := r.FinishSignIn(t.Context(), r.anonymous(), answer)
			errs <- err
		}()
	}
	first, second := <-errs, <-errs
	if first == nil {
		first, second = second, first
	}
	if !errors.Is(first, integrity.ErrCeremonyUsed) || second != nil {
		t.Errorf("%v and %v, want %v and success", first, second, integrity.ErrCeremonyUsed)
	}
	r.checked()
}

// TestGuestStepUp: a guest cannot step up, whatever passkey is at hand.
func TestGuestStepUp(t *testing.T) {
	r := newRig(t)
	b := r.signUp()
	guest := r.newBrowser()
	guest.token = make(integrity.Token, 32)
	guest.token[0] = 1
	sess := account.Session{
		ID: account.NewSessionID(), Account: b.account, Kind: account.GuestSession, CreatedAt: r.clock(), Until: r.clock().Add(time.Hour),
		Proofs: []account.Proof{{Method: account.ByApproval, At: r.clock()}},
	}
	sess.TokenHash = sha256.Sum256(guest.token)
	sess.MAC = sess.Seal(r.opts.RowKey)
	err := r.opts.Update(t.Context(), func(tx integrity.Tx) error { return tx.AddSession(t.Context(), sess, sess.TokenHash) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.BeginStepUp(t.Context(), guest.caller(), guest.at); !errors.Is(err, integrity.ErrNotAllowed) {
		t.Errorf("%v, want %v", err, integrity.ErrNotAllowed)
	}
	must[*integrity.Ended](t)(r.SignOut(t.Context(), guest.caller()))
}
