package integrity_test

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// TestAddedPasskeyIsNotBoundAtOnce: a synced passkey, of which a thief may have a
// copy, adds one that says it is device-bound. That counts as such only when the
// owner has had the time in which a new device cools off.
func TestAddedPasskeyIsNotBoundAtOnce(t *testing.T) {
	r := newRig(t)
	owner := r.newPhone(&passkeytest.Options{Synced: true})
	owner.enrolled(must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), owner.enrolment())))
	r.advance(time.Hour)
	thief := r.newBrowser()
	thief.passkey = owner.passkey
	thief.signIn()
	own := must[*passkeytest.Authenticator](t)(passkeytest.New(&passkeytest.Options{}))
	begun := must[*integrity.Begun](t)(r.BeginAdd(t.Context(), thief.caller(), &integrity.AddStart{Browser: thief.at}))
	must[*integrity.Added](t)(r.FinishAdd(t.Context(), thief.caller(), &integrity.AddAnswer{
		Ceremony: begun.Ceremony, Browser: thief.at, Response: must[[]byte](t)(own.Create(begun.Options, origin)),
	}))
	thief.passkey = own
	if _, err := thief.do(account.DeleteAccount); err == nil {
		t.Error("what a synced passkey has added minutes ago is Bound")
	}
	r.advance(demoPolicy().Holds.Add)
	thief.signIn()
	if _, err := thief.do(account.DeleteAccount); err != nil {
		t.Errorf("a passkey that has been there for as long as a new device cools off is not Bound: %v", err)
	}
}
