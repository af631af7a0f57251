package demo

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/web/site"
)

// maxBody is for a chain of ten certificates, and what is around it.
const maxBody = 256 << 10

// octets are bytes as the page writes them: base64url without padding.
type octets []byte

// MarshalText writes them.
func (o octets) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, o), nil
}

// UnmarshalText reads them, strictly.
func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	return err
}

// call is one request to the demo.
type call struct {
	*Site
	w http.ResponseWriter
	r *http.Request
}

// read decodes the body, strictly.
func (c *call) read(into any) error { return site.Read(c.w, c.r, maxBody, into) }

// accountID is an account that the page names.
func accountID(text string) (account.ID, error) {
	id := account.ID(text)
	if err := id.Validate(); err != nil {
		return "", fmt.Errorf("%w: account: %w", site.ErrRequest, err)
	}
	return id, nil
}

// answer serves one call. What it refuses names the field, for who reads it writes
// the page.
func (s *Site) answer(do func(*call) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := do(&call{s, w, r})
		switch {
		case err == nil:
			site.Write(w, http.StatusOK, out)
		case errors.Is(err, site.ErrRequest):
			site.Refuse(w, http.StatusBadRequest, "REQUEST_MALFORMED", err.Error())
		case errors.Is(err, ErrNoRecord):
			site.Refuse(w, http.StatusNotFound, "NOT_FOUND", err.Error())
		default:
			if r.Context().Err() == nil {
				s.log.Error("demo failed", "pattern", r.Pattern, "app", s.app, "error", err)
			}
			site.Refuse(w, http.StatusInternalServerError, "INTERNAL", "The demo has failed; the terminal of staunch dev says why.")
		}
	})
}
