package integrity_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// descriptor is one of allowCredentials.
type descriptor struct {
	ID         string
	Transports []string
}

// handled is an app that takes handles, and an account in a browser with one.
func handled(t testing.TB) (*rig, *browser) {
	r := newRig(t, func(o *integrity.Options) {
		o.Policy.ByHandle, o.Policy.Limits.BeginNetwork = true, integrity.Limit{N: 1 << 30, Per: time.Minute}
	})
	b := r.signUp()
	r.name(b.account, "Alice")
	return r, b
}

// name gives an account a handle, without an entry.
func (r *rig) name(id account.ID, handle string) {
	r.t.Helper()
	err := r.opts.Update(r.t.Context(), func(tx integrity.Tx) error {
		a, _, err := tx.Account(r.t.Context(), id)
		if err != nil {
			return err
		}
		shown, key, err := account.ParseHandle(handle)
		if err != nil {
			return err
		}
		a.Handle = shown
		a.MAC = a.Seal(r.opts.RowKey)
		return tx.PutAccount(r.t.Context(), a, key)
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// asked is the list that a browser gets for a handle.
func (b *browser) asked(handle string) (*integrity.Begun, []descriptor) {
	b.r.t.Helper()
	begun := must[*integrity.Begun](b.r.t)(b.r.BeginSignIn(b.r.t.Context(), b.r.anonymous(), &integrity.SignInStart{Browser: b.at, Handle: handle}))
	var options struct{ AllowCredentials []descriptor }
	if err := json.Unmarshal(begun.Options, &options); err != nil {
		b.r.t.Fatal(err)
	}
	return begun, options.AllowCredentials
}

// TestNoEnumerationByAllowCredentials: whoever asks for a handle that nobody has
// gets a list like that of a real one, always the same, and a failure like that
// of a wrong passkey (line/line-fido2-server#73, #83).
func TestNoEnumerationByAllowCredentials(t *testing.T) {
	r, b := handled(t)
	_, real := b.asked("alice")
	id := base64.RawURLEncoding.EncodeToString(b.passkey.Credentials()[0].ID)
	if len(real) != 1 || real[0].ID != id {
		t.Fatalf("the list of a real handle is %v", real)
	}
	begun, fake := b.asked("bob")
	if len(fake) != 1 || len(fake[0].ID) != len(real[0].ID) || !slices.Equal(fake[0].Transports, real[0].Transports) || fake[0].ID == real[0].ID {
		t.Errorf("the list for nobody is %v, and a real one %v", fake, real)
	}
	for _, handle := range []string{"bob", "BOB", "Bob"} {
		if _, again := b.asked(handle); !reflect.DeepEqual(again, fake) {
			t.Errorf("%s: %v, and before %v", handle, again, fake)
		}
	}
	if _, other := b.asked("carol"); other[0].ID == fake[0].ID {
		t.Error("two handles have one list")
	}

	// An answer with a passkey of the list, made up or real, that is not the right
	// one; and with one that is not of the list.
	answers := map[string][2]error{}
	for name, change := range map[string]func(*passkeytest.Draft){
		"of the list":       func(*passkeytest.Draft) {},
		"user not verified": func(d *passkeytest.Draft) { d.Flags &^= passkeytest.UserVerified },
		"wrong origin":      func(d *passkeytest.Draft) { d.Origin = "https://example.com" },
		"not of the list":   func(d *passkeytest.Draft) { d.CredentialID = []byte("0123456789abcdef") },
	} {
		var got [2]error
		for i, handle := range []string{"alice", "bob"} {
			begun, list := b.asked(handle)
			raw := must[[]byte](t)(base64.RawURLEncoding.DecodeString(list[0].ID))
			forger := r.newBrowser().passkey
			must[[]byte](t)(forger.Create(must[*integrity.Begun](t)(r.BeginEnrol(t.Context(), r.anonymous(), b.at)).Options, origin))
			cred := forger.Credentials()[0]
			cred.ID = raw
			response := must[[]byte](t)(forger.Get(begun.Options, origin, passkeytest.Use(cred), change))
			_, got[i] = r.FinishSignIn(t.Context(), elsewhere(r.anonymous()), &integrity.SignInAnswer{Ceremony: begun.Ceremony, Response: response, Browser: b.at})
		}
		answers[name] = got
	}
	for name, want := range map[string]error{
		"of the list": passkey.ErrRefused, "user not verified": passkey.ErrNotVerified, "wrong origin": passkey.ErrRefused, "not of the list": passkey.ErrUnknown,
	} {
		for i, who := range []string{"somebody", "nobody"} {
			if !errors.Is(answers[name][i], want) {
				t.Errorf("%s, %s: %v, want %v", name, who, answers[name][i], want)
			}
		}
	}

	// The real one still works, and not for the list of nobody.
	response := must[[]byte](t)(b.passkey.Get(begun.Options, origin, passkeytest.Use(b.passkey.Credentials()[0])))
	if _, err := r.FinishSignIn(t.Context(), r.anonymous(), &integrity.SignInAnswer{Ceremony: begun.Ceremony, Response: response, Browser: b.at}); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("a real passkey for the list of nobody: %v", err)
	}
	begun, _ = b.asked("alice")
	response = must[[]byte](t)(b.passkey.Get(begun.Options, origin))
	must[*integrity.SignInResult](t)(r.FinishSignIn(t.Context(), r.anonymous(), &integrity.SignInAnswer{Ceremony: begun.Ceremony, Response: response, Browser: b.at}))
}

// TestFakeListShape: the made-up lists have the shapes of real ones.
func TestFakeListShape(t *testing.T) {
	r, b := handled(t)
	for n := range 4 { // accounts with one to four passkeys
		p := r.enrol()
		r.name(p.account, fmt.Sprintf("owner%d", n))
		p.stepUp()
		for range n {
			must[*integrity.Added](t)(r.FinishAdd(t.Context(), p.caller(), p.adding()))
		}
	}
	seen := map[int]int{}
	for n := range 60 {
		_, list := b.asked(fmt.Sprintf("nobody%d", n))
		seen[len(list)]++
	}
	for n := range seen {
		if n < 1 || n > 4 {
			t.Errorf("a list of %d", n)
		}
	}
	if len(seen) < 3 {
		t.Errorf("numbers of passkeys: %v; five accounts have one to four", seen)
	}
}

// TestHandles: where the app takes none, what is none, and where nobody has one.
func TestHandles(t *testing.T) {
	r := newRig(t)
	b := r.newBrowser()
	start := &integrity.SignInStart{Browser: b.at, Handle: "alice"}
	if _, err := r.BeginSignIn(t.Context(), r.anonymous(), start); !errors.Is(err, integrity.ErrNotAllowed) {
		t.Errorf("an app without handles: %v", err)
	}
	r = newRig(t, func(o *integrity.Options) { o.Policy.ByHandle = true })
	b = r.newBrowser()
	if _, list := b.asked("alice"); len(list) != 1 {
		t.Errorf("no account has a handle: %v", list)
	}
	if _, err := r.BeginSignIn(t.Context(), r.anonymous(), &integrity.SignInStart{Browser: b.at, Handle: strings.Repeat("a", 65)}); !errors.Is(err, account.ErrHandle) {
		t.Errorf("no handle: %v", err)
	}
}

// TestHandleTiming: a beginning takes as long for nobody as for somebody. Medians
// of interleaved rounds are compared, and a noisy machine may try again.
func TestHandleTiming(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	_, b := handled(t)
	var ratio float64
	for range 5 {
		const rounds = 300
		times := [2][]time.Duration{}
		for n := range rounds {
			for i := range times {
				i = (i + n) % 2
				start := time.Now()
				b.asked([]string{"alice", "bob"}[i])
				times[i] = append(times[i], time.Since(start))
			}
		}
		for i := range times {
			slices.Sort(times[i])
		}
		ratio = float64(times[0][rounds/2]) / float64(times[1][rounds/2])
		if ratio > 0.9 && ratio < 1.1 {
			return
		}
	}
	t.Errorf("somebody's median is %.2f of nobody's", ratio)
}
