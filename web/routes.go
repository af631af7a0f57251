package web

import (
	"net/http"

	"github.com/staunchid/staunch/web/site"
)

// routes are all there is.
func (s *Site) routes(files http.Handler) http.Handler {
	mux := http.NewServeMux()
	for path, page := range map[string]func(*call) error{
		"/signin":               (*call).signInPage,
		"/freeze":               (*call).freezePage,
		"/join":                 (*call).joinPage,
		"/join/qr/{code}":       (*call).joinQR,
		"/account":              (*call).overviewPage,
		"/account/devices":      (*call).devicesPage,
		"/account/passkeys":     (*call).passkeysPage,
		"/account/alerts":       (*call).alertsPage,
		"/account/approve/{id}": (*call).approvePage,
	} {
		mux.Handle("GET "+path, s.show(page))
	}
	for path, act := range map[string]func(*call) (any, error){
		"/signin/begin":            (*call).signInBegin,
		"/signin/finish":           (*call).signInFinish,
		"/freeze/code":             (*call).freezeByCode,
		"/join/begin":              (*call).joinBegin,
		"/join/wait":               (*call).joinWait,
		"/join/finish":             (*call).joinFinish,
		"/account/step-up/begin":   (*call).stepUpBegin,
		"/account/step-up/finish":  (*call).stepUpFinish,
		"/account/passkeys/begin":  (*call).addBegin,
		"/account/passkeys/finish": (*call).addFinish,
		"/account/propose":         (*call).propose,
		"/account/confirm":         (*call).confirm,
		"/account/deny":            (*call).deny,
		"/account/freeze":          (*call).freeze,
		"/account/veto":            (*call).veto,
		"/account/cancel-move":     (*call).cancelMove,
		"/account/rename":          (*call).rename,
		"/account/seen":            (*call).seen,
		"/account/sign-out":        (*call).signOut,
		"/account/sign-out-others": (*call).signOutOthers,
		"/account/end-session":     (*call).endSession,
	} {
		mux.Handle("POST "+path, s.act(act))
	}
	if s.signUp {
		mux.Handle("GET /signup", s.show((*call).signUpPage))
		mux.Handle("POST /signup/begin", s.act((*call).signUpBegin))
		mux.Handle("POST /signup/finish", s.act((*call).signUpFinish))
	}
	mux.Handle("GET /assets/", files)
	mux.Handle("GET /{$}", http.RedirectHandler("/account", http.StatusSeeOther))
	// WebAuthn L3 §5.11
	if s.related != nil {
		mux.HandleFunc("GET /.well-known/webauthn", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(s.related)
		})
	}
	// W3C, A Well-Known URL for Relying Party Passkey Endpoints: where password
	// managers send people to make and to manage passkeys.
	mux.HandleFunc("GET /.well-known/passkey-endpoints", func(w http.ResponseWriter, r *http.Request) {
		page := s.origins[r.Host] + "/account/passkeys"
		site.Write(w, http.StatusOK, map[string]string{"enroll": page, "manage": page})
	})
	mux.Handle("GET /", s.show((*call).nothing))
	return mux
}

// nothing is the page of an address that has none.
func (c *call) nothing() error {
	return c.problem(http.StatusNotFound, "There is nothing here", "The address may be incomplete, or what was here is over.", "/account", "To your account")
}

func (c *call) problem(status int, title, text, link, label string) error {
	return c.pages.Render(c.w, status, "problem", problemPage{page: c.page("", title, ""), Text: text, Link: link, Label: label})
}

// page is what all pages begin with.
func (c *call) page(script, title, path string) page {
	p := page{App: &c.look, Title: title, Path: path, Data: map[string]any{}}
	if script != "" {
		p.Script = c.script[script+".js"]
	}
	return p
}
