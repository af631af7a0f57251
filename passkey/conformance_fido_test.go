package passkey_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// kind is the call that answers: create or get.
func (g fidoGroup) kind() string {
	if strings.HasPrefix(g.name, "Assertion-") {
		return "get"
	}
	return "create"
}

// play plays one item: for an assertion, after a good registration and a good
// assertion with the same authenticator.
func (g fidoGroup) play(t testing.TB, i fidoItem) (*fidoClient, *exchange) {
	t.Helper()
	auth, err := passkeytest.New(&i.opts)
	if err != nil {
		t.Fatal(err)
	}
	var models *passkey.Models
	if i.blob != nil {
		models = i.blob.models(t, auth)
	}
	c := &fidoClient{t: t, server: newFIDOServer(t, models), auth: auth}
	var changes []passkeytest.Change
	if i.change != nil {
		changes = append(changes, i.change)
	}
	if g.kind() == "get" {
		if x := c.run("create", "alice"); x.err != nil {
			t.Fatalf("the good registration: %v", x.err)
		}
		if x := c.run("get", "alice"); x.err != nil {
			t.Fatalf("the good assertion: %v", x.err)
		}
	}
	return c, c.run(g.kind(), "alice", changes...)
}

// TestFIDO plays our items of the list. Each is a good answer with one change,
// signed again: without the change it is accepted, which is tested too.
func TestFIDO(t *testing.T) {
	for _, g := range fidoList() {
		t.Run(g.name, func(t *testing.T) {
			for _, i := range g.items {
				t.Run(i.id, func(t *testing.T) {
					_, x := g.play(t, i)
					if i.want == nil && x.err != nil {
						t.Fatalf("%s: refused: %v", i.what, x.err)
					}
					if !errors.Is(x.err, i.want) {
						t.Fatalf("%s: %v, want %v", i.what, x.err, i.want)
					}
					if i.want != nil && i.change != nil {
						good := i
						good.change = nil
						if _, x := g.play(t, good); x.err != nil {
							t.Fatalf("without the change: %v", x.err)
						}
					}
				})
			}
		})
	}
}

// TestFIDOOptions is Creation-Req-1, Request-Req-1, and P-1 of
// Attestation-Resp-1: what the options hold.
func TestFIDOOptions(t *testing.T) {
	auth, err := passkeytest.New(&passkeytest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &fidoClient{t: t, server: newFIDOServer(t, nil), auth: auth}
	type options struct {
		RP               struct{ ID, Name string }
		User             struct{ ID, Name, DisplayName string }
		Challenge, RPID  string
		Timeout          int
		Attestation      string
		UserVerification string
		Extensions       map[string]any
		PubKeyCredParams []struct {
			Type string
			Alg  int
		}
		ExcludeCredentials []struct{ Type, ID string }
		AllowCredentials   []struct{ Type, ID string }
	}
	ask := func(path string) options {
		var o options
		if err := json.Unmarshal(c.ask(path, "alice"), &o); err != nil {
			t.Fatal(err)
		}
		if len(o.Challenge) != 43 || o.Timeout <= 0 {
			t.Errorf("%s: challenge %q, timeout %d", path, o.Challenge, o.Timeout)
		}
		if _, echoed := o.Extensions["example.extension"]; echoed {
			t.Errorf("%s: an extension that the client wished for", path)
		}
		return o
	}
	first, second := ask("/attestation/options"), ask("/attestation/options")
	if first.Challenge == second.Challenge {
		t.Error("Creation-Req-1 P-3: the same challenge twice")
	}
	if first.RP.ID != fidoRPID || first.RP.Name == "" || len(first.User.ID) != 86 || first.User.Name == "" || first.User.DisplayName == "" || first.Attestation != "none" {
		t.Errorf("Creation-Req-1 P-1, P-2: %+v", first)
	}
	var algs []int
	for _, p := range first.PubKeyCredParams {
		algs = append(algs, p.Alg)
		if p.Type != "public-key" {
			t.Errorf("pubKeyCredParams %+v", p)
		}
	}
	if !slices.Equal(algs, []int{-8, -7, -257}) {
		t.Errorf("algorithms %d", algs)
	}
	x := c.run("create", "alice")
	if x.err != nil {
		t.Fatal(x.err)
	}
	id := base64url(auth.Credentials()[0].ID)
	if e := ask("/attestation/options").ExcludeCredentials; len(e) != 1 || e[0].ID != id || e[0].Type != "public-key" {
		t.Errorf("Attestation-Resp-1 P-1: excludeCredentials %+v, want %s", e, id)
	}
	first, second = ask("/assertion/options"), ask("/assertion/options")
	if first.Challenge == second.Challenge {
		t.Error("Request-Req-1 P-2: the same challenge twice")
	}
	if a := first.AllowCredentials; len(a) != 1 || a[0].ID != id || a[0].Type != "public-key" || first.RPID != fidoRPID || first.UserVerification != "required" {
		t.Errorf("Request-Req-1 P-1: %+v", first)
	}
}
