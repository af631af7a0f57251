package passkey_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// flags clears and sets bits of an answer.
func flags(clear, set byte) passkeytest.Change {
	return func(d *passkeytest.Draft) { d.Flags = d.Flags&^clear | set }
}

// both runs one change against a creation and against a sign-in: each answer is
// good but for that, and is signed again.
func both(t *testing.T, want error, change passkeytest.Change) {
	t.Helper()
	w := newWorld(t, &passkeytest.Options{})
	c, response := w.created(change)
	if _, err := w.rp.VerifyCreation(c, response, now); !errors.Is(err, want) {
		t.Errorf("creation: %v, want %v", err, want)
	}
	w = newWorld(t, &passkeytest.Options{})
	stored := w.registered()
	c, response = w.asserted(change)
	if a, err := w.rp.VerifyAssertion(c, w.user, stored, response, now); !errors.Is(err, want) || a != nil && want != nil {
		t.Errorf("assertion: %v, want %v", err, want)
	}
}

func TestGoodOnes(t *testing.T) { both(t, nil, func(*passkeytest.Draft) {}) }

func TestUserPresenceZero(t *testing.T) {
	both(t, passkey.ErrNotVerified, flags(passkeytest.UserPresent, 0))
}

func TestUserVerificationZero(t *testing.T) {
	both(t, passkey.ErrNotVerified, flags(passkeytest.UserVerified, 0))
}

func TestBackupStateWithoutEligible(t *testing.T) {
	both(t, passkey.ErrRefused, flags(passkeytest.BackupEligible, passkeytest.BackupState))
}

func TestCrossOriginRefused(t *testing.T) {
	both(t, passkey.ErrRefused, func(d *passkeytest.Draft) { d.CrossOrigin = true })
}

func TestTopOriginRefused(t *testing.T) {
	for _, top := range []string{"https://evil.example", page} {
		both(t, passkey.ErrRefused, func(d *passkeytest.Draft) { d.CrossOrigin, d.TopOrigin = true, top })
		both(t, passkey.ErrRefused, func(d *passkeytest.Draft) { d.TopOrigin = top })
	}
}

func TestOtherRPID(t *testing.T) {
	both(t, passkey.ErrRefused, func(d *passkeytest.Draft) { d.RPID = "accounts.example.org" })
}

func TestOtherChallenge(t *testing.T) {
	both(t, passkey.ErrRefused, func(d *passkeytest.Draft) { d.Challenge = passkeytest.Flip(d.Challenge) })
}

func TestUnaskedExtension(t *testing.T) {
	both(t, passkey.ErrRefused, func(d *passkeytest.Draft) { d.ClientExtensions = map[string]any{"uvm": true} })
	both(t, passkey.ErrRefused, func(d *passkeytest.Draft) {
		d.ClientExtensions = map[string]any{"largeBlob": map[string]any{"blob": "AA"}}
	})
}

// TestOrigins: a page's ceremony is finished on that page, an app's in an app or
// on any page; and bytes are compared.
func TestOrigins(t *testing.T) {
	tests := []struct {
		dialog, origin string
		good           bool
	}{
		{page, page, true},
		{page, otherPage, false},
		{page, androidApp, false}, // the library takes app origins everywhere
		{page, "https://evil.example", false},
		{page, page + "/", false},
		{page, page + "/path", false},
		{page, page + ":443", false},
		{page, "https://ACCOUNTS.example.org", false},
		{page, "", false},
		{"", page, true},
		{"", otherPage, true},
		{"", androidApp, true},
		{"", androidApp + "x", false},
		{"", "https://evil.example", false},
		{"", otherPage + "/path", false},
		{"", "", false},
	}
	for _, tt := range tests {
		w := newWorld(t, &passkeytest.Options{})
		rp, err := w.rp.For(passkey.Dialog{Origin: tt.dialog})
		must(t, err)
		want := passkey.ErrRefused
		if tt.good {
			want = nil
		}
		c, opts, err := rp.Create(passkey.Enrol, w.user, nil, now)
		must(t, err)
		response, err := w.device.Create(opts, tt.origin)
		must(t, err)
		if _, err := w.rp.VerifyCreation(c, response, now); !errors.Is(err, want) {
			t.Errorf("creation begun at %q, made at %q: %v", tt.dialog, tt.origin, err)
		}
		stored := w.registered()
		c, opts, err = rp.Request(passkey.StepUp, []passkey.Record{stored.Record}, nil, now)
		must(t, err)
		response, err = w.device.Get(opts, tt.origin)
		must(t, err)
		if _, err := w.rp.VerifyAssertion(c, w.user, stored, response, now); !errors.Is(err, want) {
			t.Errorf("request begun at %q, answered at %q: %v", tt.dialog, tt.origin, err)
		}
	}
}

// TestOriginFromRequestIgnored: an origin that comes from anywhere but the
// config binds nothing, neither at the begin nor in the row.
func TestOriginFromRequestIgnored(t *testing.T) {
	const evil = "https://evil.example"
	w := newWorld(t, &passkeytest.Options{})
	if _, err := w.rp.For(passkey.Dialog{Origin: evil}); err == nil {
		t.Error("a page that is not configured can be bound to")
	}
	stored := w.registered()
	c, opts, err := w.rp.Request(passkey.SignIn, nil, nil, now)
	must(t, err)
	response, err := w.device.Get(opts, evil)
	must(t, err)
	c.Origin = evil
	if _, err := w.rp.VerifyAssertion(c, w.user, stored, response, now); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("a row with an origin that is not configured: %v", err)
	}
}

// request asks the person of w, who has the passkey of stored and others.
func (w *world) request(p passkey.Purpose, stored passkey.Stored, change ...passkeytest.Change) (passkey.Ceremony, []byte) {
	w.Helper()
	var challenge []byte
	if p == passkey.Approve {
		challenge = bytes.Repeat([]byte{7}, 32)
	}
	allow := []passkey.Record{w.other(), stored.Record}
	if p == passkey.SignIn {
		allow = nil
	}
	c, opts, err := w.page.Request(p, allow, challenge, now)
	must(w, err)
	response, err := w.device.Get(opts, page, change...)
	must(w, err)
	return c, response
}

func TestUserHandleMismatch(t *testing.T) {
	for _, p := range []passkey.Purpose{passkey.SignIn, passkey.StepUp, passkey.Approve} {
		w := newWorld(t, &passkeytest.Options{})
		stored := w.registered()
		c, response := w.request(p, stored, func(d *passkeytest.Draft) { d.UserHandle = passkeytest.Flip(w.user.Handle) })
		if _, err := w.rp.VerifyAssertion(c, w.user, stored, response, now); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

// TestUserHandleMissing: a sign-in that names no account needs it; where the
// credentials are named, it may be left out.
func TestUserHandleMissing(t *testing.T) {
	for p, want := range map[passkey.Purpose]error{passkey.SignIn: passkey.ErrRefused, passkey.StepUp: nil, passkey.Approve: nil} {
		for _, handle := range [][]byte{nil, {}} {
			w := newWorld(t, &passkeytest.Options{})
			stored := w.registered()
			c, response := w.request(p, stored, func(d *passkeytest.Draft) { d.UserHandle = handle })
			if _, err := w.rp.VerifyAssertion(c, w.user, stored, response, now); !errors.Is(err, want) {
				t.Errorf("%s, user handle %v: %v", p, handle, err)
			}
		}
	}
}

// TestBelongsTogether: row, account, ceremony and response are of one another.
func TestBelongsTogether(t *testing.T) {
	stranger := passkey.User{Account: account.NewID(), Handle: make([]byte, 64)}
	rand.Read(stranger.Handle)
	type all struct {
		c passkey.Ceremony
		u passkey.User
		s passkey.Stored
	}
	tests := []struct {
		name   string
		change func(*all)
		want   error
	}{
		{"good", func(*all) {}, nil},
		{"ceremony of the account", func(a *all) { a.c.Account = a.u.Account }, nil},
		{"no row", func(a *all) { a.s = passkey.Stored{} }, passkey.ErrUnknown},
		{"another person", func(a *all) { a.u = stranger }, passkey.ErrRefused},
		{"another person with the same user handle", func(a *all) { a.u.Account = stranger.Account }, passkey.ErrRefused},
		{"row of another account", func(a *all) { a.s.Record.Account = stranger.Account }, passkey.ErrRefused},
		{"row of another RP ID", func(a *all) { a.s.Record.RPID = "example.com" }, passkey.ErrRefused},
		{"row of another credential", func(a *all) { a.s.Record.ID = []byte("second") }, passkey.ErrRefused},
		{"another key", func(a *all) { a.s.Record.Key = passkeytest.Flip(a.s.Record.Key) }, passkey.ErrRefused},
		{"no key", func(a *all) { a.s.Record.Key = nil }, passkey.ErrRefused},
		{"ceremony of another account", func(a *all) { a.c.Account = stranger.Account }, passkey.ErrRefused},
		{"ceremony of another RP ID", func(a *all) { a.c.RPID = "example.com" }, passkey.ErrRefused},
		{"ceremony without RP ID", func(a *all) { a.c.RPID = "" }, passkey.ErrRefused},
		{"ceremony without challenge", func(a *all) { a.c.Challenge = nil }, passkey.ErrRefused},
		{"ceremony with a short challenge", func(a *all) { a.c.Challenge = a.c.Challenge[:31] }, passkey.ErrRefused},
		{"ceremony that makes a passkey", func(a *all) { a.c.Purpose, a.c.Allow = passkey.Add, [][]byte{a.s.Record.ID} }, passkey.ErrRefused},
		{"ceremony for nothing", func(a *all) { a.c.Purpose, a.c.Allow = "", [][]byte{a.s.Record.ID} }, passkey.ErrRefused},
		{"ceremony with other extensions", func(a *all) { a.c.Extensions = "credProps prf" }, passkey.ErrRefused},
		{"ceremony for others", func(a *all) { a.c.Allow = [][]byte{[]byte("second")} }, passkey.ErrRefused},
		{"step-up for anybody", func(a *all) { a.c.Purpose, a.c.Allow = passkey.StepUp, nil }, passkey.ErrRefused},
		{"used", func(a *all) { a.c.UsedAt = now }, passkey.ErrUsed},
		{"expired", func(a *all) { a.c.ExpiresAt = now }, passkey.ErrExpired},
		{"never to expire", func(a *all) { a.c.ExpiresAt = time.Time{} }, passkey.ErrExpired},
		{"last moment", func(a *all) { a.c.ExpiresAt = now.Add(1) }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, &passkeytest.Options{})
			stored := w.registered()
			c, response := w.asserted()
			a := all{c, w.user, stored}
			tt.change(&a)
			if _, err := w.rp.VerifyAssertion(a.c, a.u, a.s, response, now); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func TestCreationCeremony(t *testing.T) {
	tests := []struct {
		name   string
		change func(*passkey.Ceremony)
		want   error
	}{
		{"good", func(*passkey.Ceremony) {}, nil},
		{"to sign in", func(c *passkey.Ceremony) { c.Purpose = passkey.SignIn }, passkey.ErrRefused},
		{"for nothing", func(c *passkey.Ceremony) { c.Purpose = "" }, passkey.ErrRefused},
		{"for nobody", func(c *passkey.Ceremony) { c.Account = "" }, passkey.ErrRefused},
		{"without user handle", func(c *passkey.Ceremony) { c.UserHandle = nil }, passkey.ErrRefused},
		{"without extensions", func(c *passkey.Ceremony) { c.Extensions = "" }, passkey.ErrRefused},
		{"of another RP ID", func(c *passkey.Ceremony) { c.RPID = "example.com" }, passkey.ErrRefused},
		{"without challenge", func(c *passkey.Ceremony) { c.Challenge = nil }, passkey.ErrRefused},
		{"used", func(c *passkey.Ceremony) { c.UsedAt = now }, passkey.ErrUsed},
		{"expired", func(c *passkey.Ceremony) { c.ExpiresAt = now }, passkey.ErrExpired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, &passkeytest.Options{})
			c, response := w.created()
			tt.change(&c)
			if _, err := w.rp.VerifyCreation(c, response, now); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

// TestOnePurposeForAnother: an answer to one question is none to another.
func TestOnePurposeForAnother(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	stored := w.registered()
	one, _ := w.request(passkey.StepUp, stored)
	_, other := w.request(passkey.StepUp, stored)
	if _, err := w.rp.VerifyAssertion(one, w.user, stored, other, now); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("the answer of another ceremony: %v", err)
	}
	c, response := w.created()
	if _, err := w.rp.VerifyAssertion(one, w.user, stored, response, now); err == nil {
		t.Error("a creation is taken as an assertion")
	}
	if _, err := w.rp.VerifyCreation(c, other, now); err == nil {
		t.Error("an assertion is taken as a creation")
	}
}

// TestShortChallenge: a row with less than 32 bytes is damaged, even if they
// were signed.
func TestShortChallenge(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	stored := w.registered()
	c, response := w.asserted(func(d *passkeytest.Draft) { d.Challenge = d.Challenge[:31] })
	c.Challenge = c.Challenge[:31]
	if _, err := w.rp.VerifyAssertion(c, w.user, stored, response, now); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("%v", err)
	}
}

// TestAllowList: only a named credential may answer, though the account has more.
func TestAllowList(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	stored := w.registered()
	c, response := w.request(passkey.StepUp, stored)
	c.Allow = c.Allow[:1] // the other one
	if _, err := w.rp.VerifyAssertion(c, w.user, stored, response, now); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("a credential that was not named: %v", err)
	}
}

func TestAlgorithms(t *testing.T) {
	for alg, want := range map[int]error{
		-7: nil, -8: nil, -257: nil,
		-35: passkey.ErrRefused, -36: passkey.ErrRefused, -37: passkey.ErrRefused, -258: passkey.ErrRefused, -65535: passkey.ErrRefused,
	} {
		w := newWorld(t, &passkeytest.Options{Algorithm: alg})
		c, response := w.created()
		r, err := w.rp.VerifyCreation(c, response, now)
		if !errors.Is(err, want) {
			t.Errorf("algorithm %d: %v, want %v", alg, err, want)
		}
		if err == nil && r.Record.Algorithm != int64(alg) {
			t.Errorf("algorithm %d: recorded as %d", alg, r.Record.Algorithm)
		}
	}
}
