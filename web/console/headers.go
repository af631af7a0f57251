package console

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"time"

	"github.com/staunchid/staunch/operator"
)

// policy lets a page load its own files and talk to its own server, and nothing
// else. Nothing is inline, and no text becomes markup (Trusted Types).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// headers are set on every answer.
func headers(h http.Header, secure bool) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "publickey-credentials-get=(self), publickey-credentials-create=(self)")
	h.Set("X-Robots-Tag", "noindex")
	if secure {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// guard lets a request pass to next only if no other site can have sent it. What
// http.CrossOriginProtection cannot tell are requests of which no browser says
// anything: they may only come from programs, which have no cookie.
func guard(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
				write(w, http.StatusUnsupportedMediaType, problem{"REQUEST_MALFORMED", "The request must be JSON, with Content-Type: application/json."})
				return
			}
			if r.Header.Get("Cookie") != "" && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
				write(w, http.StatusForbidden, problem{"REQUEST_MALFORMED", "A request with a cookie must say where it comes from: Sec-Fetch-Site or Origin is missing."})
				return
			}
		}
		next.ServeHTTP(w, r)
	}))
}

// problem is the body of an answer that is not the one asked for.
type problem struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func write(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// The cookies. The prefix __Host- makes browsers refuse one that another host of
// the domain has set, or that is not Secure (RFC 6265bis, Section 4.1.3.2).
const (
	sessionCookie  = "__Host-staunch-console"
	ceremonyCookie = "__Host-staunch-console-c"

	ceremonyLife = 10 * time.Minute
	secretSize   = 32
)

// cookieSecret is the content of a cookie, nil if there is none of our form.
func cookieSecret(r *http.Request, name string) operator.Secret {
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

func setCookie(w http.ResponseWriter, name string, secret operator.Secret, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: secret.Text(), Path: "/", MaxAge: int(life / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

func dropSession(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// openCeremony gives the secret that binds a ceremony to this browser. One that is
// there stays, so that two tabs do not undo each other's.
func openCeremony(w http.ResponseWriter, r *http.Request) operator.Secret {
	secret := cookieSecret(r, ceremonyCookie)
	if secret == nil {
		secret = make(operator.Secret, secretSize)
		rand.Read(secret) // never returns an error
	}
	setCookie(w, ceremonyCookie, secret, ceremonyLife)
	return secret
}
