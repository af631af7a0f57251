package web

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/staunchid/staunch/integrity"
)

// The cookies. The prefix __Host- makes browsers refuse one that another host
// of the domain has set, or that is not Secure (RFC 6265bis, Section 4.1.3.2).
const (
	sessionCookie  = "__Host-staunch"
	ceremonyCookie = "__Host-staunch-c"

	sessionMost  = 30 * 24 * time.Hour
	ceremonyLife = 10 * time.Minute
	secretSize   = 32
)

// cookieSecret is the content of a cookie, nil if there is none of our form.
func cookieSecret(r *http.Request, name string) []byte {
	all := r.CookiesNamed(name)
	if len(all) != 1 { // two of one name: somebody plays with them
		return nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(all[0].Value)
	if err != nil || len(b) != secretSize {
		return nil
	}
	return b
}

func setCookie(w http.ResponseWriter, name string, secret []byte, life time.Duration, site http.SameSite) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: base64.RawURLEncoding.EncodeToString(secret), Path: "/", MaxAge: int(life / time.Second),
		Secure: true, HttpOnly: true, SameSite: site,
	})
}

// setSession keeps the token of a session in the browser, as long as the
// session lives and 30 days at most.
func setSession(w http.ResponseWriter, token integrity.Token, until, now time.Time) {
	if life := min(until.Sub(now), sessionMost); len(token) > 0 && life > 0 {
		setCookie(w, sessionCookie, token, life, http.SameSiteLaxMode)
	}
}

func dropSession(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// openCeremony gives the secret that binds a ceremony to this browser. One that
// is there stays, so that two tabs do not undo each other's; its time begins
// anew.
func openCeremony(w http.ResponseWriter, r *http.Request) []byte {
	secret := cookieSecret(r, ceremonyCookie)
	if secret == nil {
		secret = make([]byte, secretSize)
		rand.Read(secret) // never returns an error
	}
	setCookie(w, ceremonyCookie, secret, ceremonyLife, http.SameSiteStrictMode)
	return secret
}
