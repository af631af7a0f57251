package passkey_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// secret is what must not show up in an error.
const secret = "c2VjcmV0IG9mIHRoZSBwcmYgZXh0ZW5zaW9u"

func TestSecretSent(t *testing.T) {
	tests := []struct {
		name, response string
		want           error // of UnverifiedCredentialID
	}{
		{"none", `{"id":"AQID"}`, nil},
		{"prf is enabled", `{"id":"AQID","clientExtensionResults":{"prf":{"enabled":true}}}`, nil},
		{"results are null", `{"id":"AQID","clientExtensionResults":{"prf":{"results":null}}}`, nil},
		{"results of another", `{"id":"AQID","results":{"first":"x"},"prf":{},"y":{"results":1}}`, nil},
		{"results", `{"id":"AQID","clientExtensionResults":{"prf":{"results":{"first":"` + secret + `"}}}}`, passkey.ErrSecretSent},
		{"results are empty", `{"id":"AQID","clientExtensionResults":{"prf":{"enabled":true,"results":{}}}}`, passkey.ErrSecretSent},
		{"anywhere", `{"id":"AQID","response":{"x":[{"prf":[{"results":"` + secret + `"}]}]}}`, passkey.ErrSecretSent},
		{"below", `{"id":"AQID","prf":{"x":{"results":"` + secret + `"}}}`, passkey.ErrSecretSent},
		{"other case", `{"id":"AQID","clientExtensionResults":{"PRF":{"Results":"` + secret + `"}}}`, passkey.ErrSecretSent},
		{"escaped", `{"id":"AQID","clientExtensionResults":{"p\u0072f":{"result\u0073":"` + secret + `"}}}`, passkey.ErrSecretSent},
		{"folded", `{"id":"AQID","clientExtensionResults":{"prf":{"reſults":"` + secret + `"}}}`, passkey.ErrSecretSent},
		{"then no JSON", `{"clientExtensionResults":{"prf":{"results":{"first":"` + secret + `"}}},`, passkey.ErrSecretSent},
		{"of CTAP", `{"id":"AQID","clientExtensionResults":{"hmacGetSecret":{"output1":"` + secret + `"}}}`, passkey.ErrSecretSent},
		{"of CTAP, other case", `{"id":"AQID","clientExtensionResults":{"HMACGETSECRET":{"output1":"` + secret + `"}}}`, passkey.ErrSecretSent},
		{"of CTAP, folded", `{"id":"AQID","clientExtensionResults":{"hmacGetſecret":{"output1":"` + secret + `"}}}`, passkey.ErrSecretSent},
		{"of CTAP, null", `{"id":"AQID","clientExtensionResults":{"hmacGetSecret":null}}`, nil},
		{"no JSON", `prf results`, passkey.ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, &passkeytest.Options{})
			stored := w.registered()
			_, err := passkey.UnverifiedCredentialID([]byte(tt.response))
			if !errors.Is(err, tt.want) {
				t.Errorf("UnverifiedCredentialID: %v, want %v", err, tt.want)
			}
			c, _, err2 := w.page.Create(passkey.Enrol, w.user, nil, now)
			must(t, err2)
			_, err2 = w.rp.VerifyCreation(c, []byte(tt.response), now)
			r, _, err3 := w.page.Request(passkey.SignIn, nil, nil, now)
			must(t, err3)
			_, err3 = w.rp.VerifyAssertion(r, w.user, stored, []byte(tt.response), now)
			for _, err := range []error{err, err2, err3} {
				if errors.Is(err, passkey.ErrSecretSent) != errors.Is(tt.want, passkey.ErrSecretSent) {
					t.Errorf("%v, want %v", err, tt.want)
				}
				if strings.Contains(fmt.Sprint(err), secret) {
					t.Errorf("the secret is in the error: %v", err)
				}
			}
		})
	}
}

// TestSecretBeforeAll: a secret is refused as one even when the ceremony is over.
func TestSecretBeforeAll(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	leak := func(d *passkeytest.Draft) {
		d.ClientExtensions = map[string]any{"prf": map[string]any{"results": map[string]any{"first": secret}}}
	}
	c, response := w.created(leak)
	c.ExpiresAt = now
	if _, err := w.rp.VerifyCreation(c, response, now); !errors.Is(err, passkey.ErrSecretSent) {
		t.Errorf("creation: %v", err)
	}
	stored := w.registered()
	c, response = w.asserted(leak)
	c.ExpiresAt = now
	if _, err := w.rp.VerifyAssertion(c, w.user, stored, response, now); !errors.Is(err, passkey.ErrSecretSent) {
		t.Errorf("assertion: %v", err)
	}
}

func TestTooLarge(t *testing.T) {
	long := func(size int) passkeytest.Change {
		return passkeytest.Edit(passkeytest.Response, func(b []byte) []byte {
			return append(b, strings.Repeat(" ", size-len(b))...)
		})
	}
	for size, want := range map[int]error{64 << 10: nil, 64<<10 + 1: passkey.ErrMalformed} {
		w := newWorld(t, &passkeytest.Options{})
		stored := w.registered()
		c, response := w.asserted(long(size))
		if _, err := w.rp.VerifyAssertion(c, w.user, stored, response, now); !errors.Is(err, want) {
			t.Errorf("assertion of %d bytes: %v", size, err)
		}
		if _, err := passkey.UnverifiedCredentialID(response); !errors.Is(err, want) {
			t.Errorf("ID of %d bytes: %v", size, err)
		}
		c, response = w.created(long(size))
		if _, err := w.rp.VerifyCreation(c, response, now); !errors.Is(err, want) {
			t.Errorf("creation of %d bytes: %v", size, err)
		}
	}
}

func TestCredentialIDLength(t *testing.T) {
	id := func(n int) string { return b64(make([]byte, n)) }
	for n, want := range map[int]error{0: passkey.ErrMalformed, 1: nil, 1023: nil, 1024: passkey.ErrMalformed} {
		if _, err := passkey.UnverifiedCredentialID([]byte(`{"id":"` + id(n) + `"}`)); !errors.Is(err, want) {
			t.Errorf("ID of %d bytes: %v, want %v", n, err, want)
		}
		w := newWorld(t, &passkeytest.Options{})
		c, response := w.created(func(d *passkeytest.Draft) { d.CredentialID = make([]byte, n) })
		if _, err := w.rp.VerifyCreation(c, response, now); !errors.Is(err, want) {
			t.Errorf("creation with an ID of %d bytes: %v, want %v", n, err, want)
		}
	}
	for _, response := range []string{``, `{}`, `[]`, `{"id":7}`, `{"id":"+/"}`, `{"id":"AQI="}`, `{"id":"AQID"}x`} {
		if _, err := passkey.UnverifiedCredentialID([]byte(response)); !errors.Is(err, passkey.ErrMalformed) {
			t.Errorf("%q: %v", response, err)
		}
	}
}

// TestPRFSalt: the value was computed apart from this code, with
// printf 'staunch/prf/v1\0\0\0\0\4demo\0\0\0\7sealing' | sha256sum
func TestPRFSalt(t *testing.T) {
	salt := passkey.PRFSalt("demo", "sealing")
	const want = "068f45ec176b3e1e55963f8384981e54ed36d9641d96c34254325f51e2da504c"
	if got := hex.EncodeToString(salt[:]); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if passkey.PRFSalt("demos", "ealing") == salt || passkey.PRFSalt("demo", "backup") == salt {
		t.Error("two purposes, one salt")
	}
}

func TestSignals(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	all, err := w.rp.AllAccepted(w.user, []passkey.Record{w.other()})
	must(t, err)
	none, err := w.rp.AllAccepted(w.user, nil)
	must(t, err)
	user := w.user
	user.Name = "mika"
	details, err := w.rp.CurrentUser(user)
	must(t, err)
	handle := b64(w.user.Handle)
	for _, tt := range []struct {
		got  any
		want string
	}{
		{all, `{"rpId":"example.org","userId":"` + handle + `","allAcceptedCredentialIds":["c2Vjb25k"]}`},
		{none, `{"rpId":"example.org","userId":"` + handle + `","allAcceptedCredentialIds":[]}`},
		{details, `{"rpId":"example.org","userId":"` + handle + `","name":"mika","displayName":"mika"}`},
		{w.rp.Unknown([]byte("second")), `{"rpId":"example.org","credentialId":"c2Vjb25k"}`},
	} {
		sameJSON(t, marshal(t, tt.got), tt.want)
	}
	if _, err := w.rp.AllAccepted(passkey.User{}, nil); err == nil {
		t.Error("AllAccepted for nobody")
	}
	if _, err := w.rp.CurrentUser(passkey.User{}); err == nil {
		t.Error("CurrentUser for nobody")
	}
}
