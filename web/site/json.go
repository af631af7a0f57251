package site

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// ErrRequest: what a page sent cannot be read, and the text says why. It is a fault
// of the page, or of whoever writes to the server without one: send one JSON value
// of the members that the page knows.
var ErrRequest = errors.New("site: the request cannot be read")

// malformed is the API's reason for that.
const malformed = "REQUEST_MALFORMED"

// Problem is the body of an answer that is not the one asked for.
type Problem struct {
	Reason  string `json:"reason"`         // of the API
	Message string `json:"message"`        // for the person
	Need    string `json:"need,omitempty"` // of STEP_UP_REQUIRED: the class that is missing
}

// Read decodes a body of at most so many bytes, strictly.
func Read(w http.ResponseWriter, r *http.Request, most int64, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRequest, err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one value", ErrRequest)
	}
	return nil
}

// Refuse answers with a problem.
func Refuse(w http.ResponseWriter, code int, reason, message string) {
	Write(w, code, Problem{Reason: reason, Message: message})
}

// Write answers with JSON, which nobody keeps.
func Write(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
