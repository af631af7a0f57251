package request_test

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/attest/request"
)

// TestDemandJSON: the members of a body are worth something when the handler
// cannot be brought to read it as anything but JSON.
func TestDemandJSON(t *testing.T) {
	const demanded = `"content-digest" "content-type"`
	tests := []struct {
		name   string
		change func(*request.Message)
		code   string
	}{
		{"JSON", func(*request.Message) {}, ""},
		{"in upper case", func(m *request.Message) { m.Fields["content-type"] = "Application/JSON" }, ""},
		{"of another suffix", func(m *request.Message) { m.Fields["content-type"] = "application/vnd.pay.v1+json" }, ""},
		{"UTF-8", func(m *request.Message) { m.Fields["content-type"] = "application/json; charset=UTF-8" }, ""},
		{"UTF-8 in quotation marks", func(m *request.Message) { m.Fields["content-type"] = `application/json ;charset="utf-8"` }, ""},
		{"encoded as it is", func(m *request.Message) {
			m.Fields["content-encoding"] = "identity"
			with(m, demanded, demanded+` "content-encoding"`)
		}, ""},

		{"no type", func(m *request.Message) {
			delete(m.Fields, "content-type")
			with(m, demanded, `"content-digest"`)
		}, request.CodeComponents},
		{"a type that nobody signed", func(m *request.Message) { with(m, demanded, `"content-digest"`) }, request.CodeComponents},
		{"form", func(m *request.Message) { m.Fields["content-type"] = "application/x-www-form-urlencoded" }, request.CodeParams},
		{"parts", func(m *request.Message) { m.Fields["content-type"] = "multipart/form-data; boundary=amount" }, request.CodeParams},
		{"text", func(m *request.Message) { m.Fields["content-type"] = "text/json" }, request.CodeParams},
		{"empty type", func(m *request.Message) { m.Fields["content-type"] = "" }, request.CodeParams},
		{"two types", func(m *request.Message) { m.Fields["content-type"] = "application/json, text/plain" }, request.CodeParams},
		{"two types, JSON last", func(m *request.Message) {
			m.Fields["content-type"] = "application/x-www-form-urlencoded, application/json"
		}, request.CodeParams},
		{"almost JSON", func(m *request.Message) { m.Fields["content-type"] = "application/jsonp" }, request.CodeParams},
		{"no token", func(m *request.Message) { m.Fields["content-type"] = "application/x/y+json" }, request.CodeParams},
		{"UTF-16", func(m *request.Message) { m.Fields["content-type"] = "application/json; charset=utf-16" }, request.CodeParams},
		{"UTF-7 beside UTF-8", func(m *request.Message) { m.Fields["content-type"] = "application/json; charset=utf-8; charset=utf-7" }, request.CodeParams},
		{"another parameter", func(m *request.Message) { m.Fields["content-type"] = "application/json; boundary=a" }, request.CodeParams},
		{"no parameter", func(m *request.Message) { m.Fields["content-type"] = "application/json;" }, request.CodeParams},
		{"signed encoding", func(m *request.Message) {
			m.Fields["content-encoding"] = "gzip"
			with(m, demanded, demanded+` "content-encoding"`)
		}, request.CodeParams},
	}
	for _, tt := range tests {
		m := good()
		m.Fields["content-type"] = "application/json"
		with(m, `"content-digest"`, demanded)
		tt.change(m)
		p, err := request.Parse(m)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		f := p.Demand(nil, []string{"amount"})
		if (f == nil) != (tt.code == "") || f != nil && f.Code != tt.code {
			t.Errorf("%s: %v, want %s", tt.name, f, tt.code)
		}
		if f := p.Demand(nil, nil); f != nil {
			t.Errorf("%s: no members are demanded, and %v", tt.name, f)
		}
	}
}

// TestContentEncoding: nobody but the phone says that a body is to be decoded.
func TestContentEncoding(t *testing.T) {
	m := good()
	m.Fields["content-encoding"] = "gzip"
	var f *request.Failure
	if _, err := request.Parse(m); !errors.As(err, &f) || f.Code != request.CodeComponents {
		t.Errorf("nobody signed it: %v", err)
	}
	with(m, `"content-digest"`, `"content-digest" "content-encoding"`)
	if _, err := request.Parse(m); err != nil {
		t.Errorf("signed: %v", err)
	}
	m = get()
	m.Fields["content-encoding"] = "gzip"
	if _, err := request.Parse(m); err != nil {
		t.Errorf("there is nothing to decode: %v", err)
	}
}
