package site

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"time"
)

// SecretSize is the size in bytes of what a Cookie holds.
const SecretSize = 32

// Cookie is a cookie that holds a secret. Its name begins with __Host-, which makes
// browsers refuse one that another host of the domain has set, or that is not Secure
// (RFC 6265bis, Section 4.1.3.2). Scripts do not read it.
type Cookie struct {
	Name string
	Lax  bool // links of other sites bring it along; else none do
}

// Secret is what a request's cookie holds, nil if there is none of our form.
func (c Cookie) Secret(r *http.Request) []byte {
	all := r.CookiesNamed(c.Name)
	if len(all) != 1 { // two of one name: somebody plays with them
		return nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(all[0].Value)
	if err != nil || len(b) != SecretSize {
		return nil
	}
	return b
}

// Put keeps a secret in the browser for so long.
func (c Cookie) Put(w http.ResponseWriter, secret []byte, life time.Duration) {
	c.write(w, base64.RawURLEncoding.EncodeToString(secret), int(life/time.Second))
}

// Drop takes it out of the browser.
func (c Cookie) Drop(w http.ResponseWriter) { c.write(w, "", -1) }

func (c Cookie) write(w http.ResponseWriter, value string, age int) {
	from := http.SameSiteStrictMode
	if c.Lax {
		from = http.SameSiteLaxMode
	}
	http.SetCookie(w, &http.Cookie{Name: c.Name, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: from})
}

// Bind gives the secret that binds what begins now to this browser. One that is there
// stays, so that two tabs do not undo each other's; its time begins anew.
func (c Cookie) Bind(w http.ResponseWriter, r *http.Request, life time.Duration) []byte {
	secret := c.Secret(r)
	if secret == nil {
		secret = make([]byte, SecretSize)
		rand.Read(secret) // never returns an error
	}
	c.Put(w, secret, life)
	return secret
}
