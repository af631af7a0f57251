package passkey_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

const (
	fidoRPID   = "example.org"
	fidoOrigin = "https://example.org"
)

// errFinding is how the adapter says that the policy refuses what verifies.
var errFinding = errors.New("finding")

// fidoServer gives passkey the REST shape of the FIDO conformance tools
// (fido-alliance/conformance-test-tools-resources,
// docs/FIDO2/Server/Conformance-Test-API.md). Users and ceremonies live in
// memory; a cookie ties the result to the options.
type fidoServer struct {
	rp  *passkey.RelyingParty
	now time.Time

	mu         sync.Mutex
	users      map[string]*fidoUser    // by name
	ceremonies map[string]fidoCeremony // by cookie, taken once
	last       *exchange               // what was decided last
}

type fidoUser struct {
	user  passkey.User
	creds []passkey.Stored
}

type fidoCeremony struct {
	passkey.Ceremony
	name string
}

// exchange is one decision, for the second opinion.
type exchange struct {
	kind     string // create, get
	ceremony passkey.Ceremony
	response []byte
	stored   passkey.Stored // get
	foreign  bool           // by rules that are not ours, see passkey.Foreign
	err      error
}

func newFIDOServer(t testing.TB, models *passkey.Models) *fidoServer {
	t.Helper()
	rp, err := passkey.New(&passkey.Options{
		App: "demo", RPID: fidoRPID, Name: "Demo", Origins: []string{fidoOrigin},
		Policy: passkey.Policy{BackupStateChanged: passkey.Raise, PRFMissing: passkey.Note},
		Models: models,
	})
	if err == nil {
		rp, err = rp.For(passkey.Dialog{Origin: fidoOrigin})
	}
	if err != nil {
		t.Fatal(err)
	}
	return &fidoServer{
		rp: rp, now: time.Now(), // attestation certificates are checked at the wall clock
		users: map[string]*fidoUser{}, ceremonies: map[string]fidoCeremony{},
	}
}

func (s *fidoServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := new(bytes.Buffer)
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<20)); err != nil {
		fail(w, err)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /attestation/options":
		s.options(w, body.Bytes(), s.createOptions)
	case "POST /assertion/options":
		s.options(w, body.Bytes(), s.getOptions)
	case "POST /attestation/result":
		s.result(w, r, "create", body.Bytes(), s.created)
	case "POST /assertion/result":
		s.result(w, r, "get", body.Bytes(), s.asserted)
	default:
		http.NotFound(w, r)
	}
}

// options answers with the options and ServerResponse in one object.
func (s *fidoServer) options(w http.ResponseWriter, body []byte, begin func(name string) (passkey.Ceremony, []byte, error)) {
	var request struct {
		Username string `json:"username"`
	}
	if err := json.Unmarshal(body, &request); err != nil || request.Username == "" {
		fail(w, errors.New("no username"))
		return
	}
	c, options, err := begin(request.Username)
	if err != nil {
		fail(w, err)
		return
	}
	answer := map[string]any{}
	if err := json.Unmarshal(options, &answer); err != nil {
		fail(w, err)
		return
	}
	answer["status"], answer["errorMessage"] = "ok", ""
	cookie := rand.Text()
	s.ceremonies[cookie] = fidoCeremony{c, request.Username}
	http.SetCookie(w, &http.Cookie{Name: "ceremony", Value: cookie})
	reply(w, http.StatusOK, answer)
}

func (s *fidoServer) createOptions(name string) (passkey.Ceremony, []byte, error) {
	u, ok := s.users[name]
	if !ok {
		handle := make([]byte, 64)
		rand.Read(handle)
		u = &fidoUser{user: passkey.User{Account: account.ID("a_" + strings.ToLower(rand.Text())), Handle: handle, Name: name}}
		s.users[name] = u
	}
	var exclude []passkey.Record
	for _, c := range u.creds {
		exclude = append(exclude, c.Record)
	}
	return s.rp.Create(passkey.Enrol, u.user, exclude, s.now)
}

func (s *fidoServer) getOptions(name string) (passkey.Ceremony, []byte, error) {
	u, ok := s.users[name]
	if !ok {
		return passkey.Ceremony{}, nil, errors.New("no such user")
	}
	var allow []passkey.Record
	for _, c := range u.creds {
		allow = append(allow, c.Record)
	}
	return s.rp.Request(passkey.StepUp, allow, nil, s.now)
}

func (s *fidoServer) result(w http.ResponseWriter, r *http.Request, kind string, body []byte, finish func(fidoCeremony, *exchange) error) {
	cookie, err := r.Cookie("ceremony")
	if err != nil {
		fail(w, err)
		return
	}
	c, ok := s.ceremonies[cookie.Value]
	delete(s.ceremonies, cookie.Value)
	if !ok {
		fail(w, errors.New("no such ceremony"))
		return
	}
	s.last = &exchange{kind: kind, ceremony: c.Ceremony, response: body}
	if s.last.err = finish(c, s.last); s.last.err != nil {
		fail(w, s.last.err)
		return
	}
	reply(w, http.StatusOK, map[string]string{"status": "ok", "errorMessage": ""})
}

func (s *fidoServer) created(c fidoCeremony, x *exchange) error {
	reg, err := s.rp.VerifyCreation(c.Ceremony, x.response, s.now)
	if err != nil {
		return err
	}
	if effect, _ := s.rp.Policy().AppraiseRegistration(reg); effect == passkey.Refuse {
		return errFinding
	}
	u := s.users[c.name]
	u.creds = append(u.creds, reg.Stored())
	return nil
}

func (s *fidoServer) asserted(c fidoCeremony, x *exchange) error {
	id, err := passkey.UnverifiedCredentialID(x.response)
	if err != nil {
		// The other library is asked about the one that was meant.
		x.stored = s.users[c.name].creds[0]
		return err
	}
	u := s.users[c.name]
	for i := range u.creds {
		if !bytes.Equal(u.creds[i].Record.ID, id) {
			continue
		}
		x.stored = u.creds[i]
		a, err := s.rp.VerifyAssertion(c.Ceremony, u.user, u.creds[i], x.response, s.now)
		if err != nil {
			return err
		}
		if effect, _ := s.rp.Policy().Appraise(a); effect == passkey.Refuse {
			return errFinding
		}
		u.creds[i] = a.Next(u.creds[i])
		return nil
	}
	return passkey.ErrUnknown
}

func fail(w http.ResponseWriter, err error) {
	reply(w, http.StatusBadRequest, map[string]string{"status": "failed", "errorMessage": err.Error()})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// fidoClient is the tools' side: an authenticator, and the cookie.
type fidoClient struct {
	t      testing.TB
	server *fidoServer
	auth   *passkeytest.Authenticator
	cookie *http.Cookie
}

// post returns the body; ok is what its status says.
func (c *fidoClient) post(path string, body []byte) (answer []byte, ok bool) {
	c.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	if c.cookie != nil {
		r.AddCookie(c.cookie)
	}
	w := httptest.NewRecorder()
	c.server.ServeHTTP(w, r)
	for _, cookie := range w.Result().Cookies() {
		c.cookie = cookie
	}
	var status struct{ Status, ErrorMessage string }
	if err := json.Unmarshal(w.Body.Bytes(), &status); err != nil {
		c.t.Fatalf("%s: %v", path, err)
	}
	if (status.Status == "ok") != (w.Code == http.StatusOK) || (status.ErrorMessage == "") != (w.Code == http.StatusOK) {
		c.t.Errorf("%s: HTTP status %d, %s", path, w.Code, w.Body)
	}
	return w.Body.Bytes(), w.Code == http.StatusOK
}

// ask gets options of either kind for a user.
func (c *fidoClient) ask(path, name string) []byte {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{
		"username": name, "displayName": name, "attestation": "direct", "userVerification": "discouraged",
		"extensions":             map[string]string{"example.extension": "x"},
		"authenticatorSelection": map[string]any{"requireResidentKey": false, "authenticatorAttachment": "cross-platform", "userVerification": "preferred"},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	options, ok := c.post(path, body)
	if !ok {
		c.t.Fatalf("%s: %s", path, options)
	}
	return options
}

// run makes one answer and sends it.
func (c *fidoClient) run(kind, name string, changes ...passkeytest.Change) *exchange {
	c.t.Helper()
	path, answer := "/attestation", c.auth.Create
	if kind == "get" {
		path, answer = "/assertion", c.auth.Get
	}
	response, err := answer(c.ask(path+"/options", name), fidoOrigin, changes...)
	if err != nil {
		c.t.Fatal(err)
	}
	_, ok := c.post(path+"/result", response)
	if x := c.server.last; ok != (x.err == nil) {
		c.t.Errorf("HTTP says %t, the Relying Party %v", ok, x.err)
	}
	return c.server.last
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
