package web_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/web"
)

// placed notes from where its callers come.
type placed struct {
	*fake
	places []string
}

func (p *placed) BrowserCaller(ctx context.Context, t integrity.Token, network, place string) (account.Caller, error) {
	p.places = append(p.places, place)
	return p.fake.BrowserCaller(ctx, t, network, place)
}

func (p *placed) BeginSignIn(ctx context.Context, c account.Caller, in *integrity.SignInStart) (*integrity.Begun, error) {
	p.places = append(p.places, c.Place)
	return p.fake.BeginSignIn(ctx, c, in)
}

// TestPlaceOfBrowser: who signs in, and who is signed in, is where the server says.
func TestPlaceOfBrowser(t *testing.T) {
	for country, want := range map[string][]string{"DE": {"DE", "DE"}, "": {"", ""}} {
		p := &placed{fake: newFake()}
		s := newSite(t, p.fake, func(o *web.Options) {
			o.Service = p
			if country != "" {
				o.Country = func(*http.Request) string { return country }
			}
		})
		ask(t, s, http.MethodPost, "/signin/begin", "{}")
		ask(t, s, http.MethodPost, "/account/freeze", "{}", signedIn)
		if !slices.Equal(p.places, want) {
			t.Errorf("%q: %q", country, p.places)
		}
	}
}
