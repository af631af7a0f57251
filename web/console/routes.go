package console

import "net/http"

// routes are all there is. Pages want a session; see show.
func (s *Site) routes(files http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /signin", s.open((*call).signInPage))
	mux.Handle("GET /enrol", s.open((*call).enrolPage))
	for path, page := range map[string]func(*call) error{
		"/{$}":               (*call).homePage,
		"/vaults":            (*call).vaultsPage,
		"/queue":             (*call).queuePage,
		"/health":            (*call).healthPage,
		"/health/suspects":   (*call).suspectsPage,
		"/health/exceptions": (*call).exceptionsPage,
		"/health/stages":     (*call).stagesPage,
		"/accounts":          (*call).accountsPage,
		"/accounts/{id}":     (*call).accountPage,
		"/audit":             (*call).auditPage,
	} {
		mux.Handle("GET "+path, s.show(page))
	}
	for path, act := range map[string]func(*call) (any, error){
		"/signin/begin":  (*call).signInBegin,
		"/signin/finish": (*call).signInFinish,
		"/enrol/begin":   (*call).enrolBegin,
		"/enrol/finish":  (*call).enrolFinish,
		"/sign-out":      (*call).signOut,
	} {
		mux.Handle("POST "+path, s.act(act))
	}
	mux.Handle("GET /assets/", files)
	mux.Handle("GET /", s.show((*call).nothing))
	return mux
}

// sections are the entries of the navigation.
func sections() []section {
	return []section{
		{"/", "Overview"}, {"/health", "Attestation"}, {"/accounts", "Accounts"}, {"/vaults", "Vaults"}, {"/queue", "Retry queue"}, {"/audit", "Audit"},
	}
}

type section struct{ Path, Label string }

// nothing is the page of an address that has none.
func (c *call) nothing() error {
	return c.problem(http.StatusNotFound, "There is nothing here", "The address may be incomplete, or what was here is gone.")
}
