package registry_test

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
)

// TestAnonymousReplacesNothing: a phone that nobody has vouched for may
// register a key; that another one is replaced is for those who know whose
// phone it is.
func TestAnonymousReplacesNothing(t *testing.T) {
	r := newRig(t)
	out := r.mustAllow(r.androidRegistration())
	anonymous := account.Caller{Kind: account.Anonymous, App: "demo"}
	in := r.androidRegistration()
	in.Replaces = out.KeyID
	if _, err := r.Register(t.Context(), anonymous, in); !errors.Is(err, registry.ErrNotAllowed) {
		t.Errorf("with replaces: %v", err)
	}
	in.Replaces = "" // the challenge is still open
	if got, err := r.Register(t.Context(), anonymous, in); err != nil || got.Decision != registry.Allow {
		t.Errorf("without: %v, %v", got, err)
	}
}
