package demo

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/staunchid/staunch/account"
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

// errRequest is a request that says nothing that could be done.
var errRequest = errors.New("demo: the request cannot be read")

// read decodes the body, strictly.
func (c *call) read(into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if err != nil {
		return fmt.Errorf("%w: %w", errRequest, err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", errRequest, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one value", errRequest)
	}
	return nil
}

// accountID is an account that the page names.
func accountID(text string) (account.ID, error) {
	id := account.ID(text)
	if err := id.Validate(); err != nil {
		return "", fmt.Errorf("%w: account: %w", errRequest, err)
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
			write(w, http.StatusOK, out)
		case errors.Is(err, errRequest):
			refuse(w, http.StatusBadRequest, "REQUEST_MALFORMED", err.Error())
		case errors.Is(err, ErrNoRecord):
			refuse(w, http.StatusNotFound, "NOT_FOUND", err.Error())
		default:
			if r.Context().Err() == nil {
				s.log.Error("demo failed", "pattern", r.Pattern, "app", s.app, "error", err)
			}
			refuse(w, http.StatusInternalServerError, "INTERNAL", "The demo has failed; the terminal of staunch dev says why.")
		}
	})
}

func refuse(w http.ResponseWriter, code int, reason, message string) {
	write(w, code, map[string]string{"reason": reason, "message": message})
}

func write(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
