package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/request"
)

// verifyRequestBody is the body of a VerifyRequest call in JSON.
type verifyRequestBody struct {
	App            string            `json:"app,omitempty"`
	Method         string            `json:"method"`
	Authority      string            `json:"authority"`
	Path           string            `json:"path"`
	Query          string            `json:"query,omitempty"`
	Fields         map[string]string `json:"fields,omitempty"`
	SignatureInput string            `json:"signatureInput"`
	Signature      string            `json:"signature"`
	HasBody        bool              `json:"hasBody,omitempty"`
	BodySHA256     []byte            `json:"bodySha256,omitempty"`
	BodySHA512     []byte            `json:"bodySha512,omitempty"`
	BodyMembers    []string          `json:"bodyMembers,omitempty"`
	Account        string            `json:"account,omitempty"`
}

// signed prints what a backend sends to VerifyRequest for a request that the
// phone with the key has signed.
func (c *AttestSampleCmd) signed(w io.Writer, now time.Time) error {
	key, err := openSampleKey(c.Key, false)
	if err != nil {
		return &exitError{exitCannot, err}
	}
	r, err := c.unsigned()
	if err != nil {
		return &exitError{exitCannot, err}
	}
	var fields []string
	for name := range r.Header {
		fields = append(fields, name)
	}
	if err := request.Sign(r, &request.Signing{KeyID: key.id(), Sign: key.sign, Created: now, Nonce: c.Nonce, Fields: fields}); err != nil {
		return &exitError{exitCannot, fmt.Errorf("--request: %w", err)}
	}
	m, _, err := request.FromHTTP(r, 1<<20)
	if err != nil {
		return &exitError{exitCannot, fmt.Errorf("--request: %w", err)}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(verifyRequestBody{
		App: c.App, Method: m.Method, Authority: m.Authority, Path: m.Path, Query: m.Query, Fields: m.Fields,
		SignatureInput: m.SignatureInput, Signature: m.Signature,
		HasBody: m.HasBody, BodySHA256: m.BodySHA256, BodySHA512: m.BodySHA512, BodyMembers: m.BodyMembers, Account: c.Account,
	})
}

// unsigned is the request that the flags describe.
func (c *AttestSampleCmd) unsigned() (*http.Request, error) {
	method, url, ok := strings.Cut(c.Request, " ")
	if !ok {
		method, url = http.MethodGet, c.Request
		if c.Body != "" {
			method = http.MethodPost
		}
	}
	r, err := http.NewRequest(method, url, strings.NewReader(c.Body))
	if err != nil || r.URL.Host == "" {
		return nil, fmt.Errorf("--request: %q is no request; write it as 'POST https://pay.example.com/v1/messages'", c.Request)
	}
	if c.Body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, line := range c.Field {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("--field: %q has no colon; write it as 'Idempotency-Key: 1'", line)
		}
		r.Header.Set(name, strings.TrimSpace(value))
	}
	return r, nil
}
