package passkey_test

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

const (
	page       = "https://accounts.example.org"
	otherPage  = "https://example.org"
	androidApp = "android:apk-key-hash:7HA_UlPHuHPHqUNtVL3RBmSKxHiYlEUvvXn9UVvDQPg"
)

// now is the time of all tests.
var now = time.Date(2026, 8, 1, 12, 0, 0, 123456000, time.UTC)

func options() *passkey.Options {
	return &passkey.Options{
		App: "demo", RPID: "example.org", Name: "Demo",
		Origins: []string{page, otherPage}, AppOrigins: []string{androidApp},
	}
}

// world is one app, one person and his authenticator.
type world struct {
	testing.TB
	rp     *passkey.RelyingParty // as an app asks
	page   *passkey.RelyingParty // as a page asks
	user   passkey.User
	device *passkeytest.Authenticator
}

func newWorld(t testing.TB, o *passkeytest.Options, change ...func(*passkey.Options)) *world {
	t.Helper()
	opts := options()
	for _, c := range change {
		c(opts)
	}
	rp, err := passkey.New(opts)
	must(t, err)
	bound, err := rp.For(passkey.Dialog{Origin: page})
	must(t, err)
	device, err := passkeytest.New(o)
	must(t, err)
	handle := make([]byte, 64)
	rand.Read(handle)
	return &world{t, rp, bound, passkey.User{Account: account.NewID(), Handle: handle}, device}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// created lets the device make a passkey on the page.
func (w *world) created(change ...passkeytest.Change) (passkey.Ceremony, []byte) {
	w.Helper()
	c, opts, err := w.page.Create(passkey.Enrol, w.user, nil, now)
	must(w, err)
	response, err := w.device.Create(opts, page, change...)
	must(w, err)
	return c, response
}

// registered is the row of a new passkey.
func (w *world) registered(change ...passkeytest.Change) passkey.Stored {
	w.Helper()
	c, response := w.created(change...)
	r, err := w.rp.VerifyCreation(c, response, now)
	must(w, err)
	return r.Stored()
}

// asserted lets the device sign in on the page.
func (w *world) asserted(change ...passkeytest.Change) (passkey.Ceremony, []byte) {
	w.Helper()
	c, opts, err := w.page.Request(passkey.SignIn, nil, nil, now)
	must(w, err)
	response, err := w.device.Get(opts, page, change...)
	must(w, err)
	return c, response
}

func TestSignIn(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{Count: true})
	stored := w.registered()
	c, response := w.asserted()
	id, err := passkey.UnverifiedCredentialID(response)
	must(t, err)
	if !bytes.Equal(id, stored.Record.ID) {
		t.Fatalf("the response is of %x, not of %x", id, stored.Record.ID)
	}
	a, err := w.rp.VerifyAssertion(c, w.user, stored, response, now.Add(time.Minute))
	must(t, err)
	if effect, found := w.rp.Policy().Appraise(a); effect != passkey.Note || len(found) != 0 {
		t.Errorf("a good sign-in: %s, %v", effect, found)
	}
	if next := a.Next(stored); next.Count <= stored.Count || !bytes.Equal(a.UserHandle, w.user.Handle) {
		t.Errorf("the row after: %+v", next)
	}
}
