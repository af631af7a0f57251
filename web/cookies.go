package web

import (
	"net/http"
	"time"

	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/web/site"
)

const (
	sessionMost  = 30 * 24 * time.Hour
	ceremonyLife = 10 * time.Minute
)

// session holds the token of a session. Links of other sites bring it along, so that
// the link of an alert does not end at the sign-in.
func session() site.Cookie { return site.Cookie{Name: "__Host-staunch", Lax: true} }

// ceremonies binds a ceremony to the browser that has begun it.
func ceremonies() site.Cookie { return site.Cookie{Name: "__Host-staunch-c"} }

// setSession keeps the token of a session in the browser, as long as the session
// lives and 30 days at most.
func setSession(w http.ResponseWriter, token integrity.Token, until, now time.Time) {
	if life := min(until.Sub(now), sessionMost); len(token) > 0 && life > 0 {
		session().Put(w, token, life)
	}
}
