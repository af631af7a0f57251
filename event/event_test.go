package event_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
)

func TestValidate(t *testing.T) {
	id := account.NewID()
	tests := []struct {
		name   string
		change func(*event.Event)
		want   error
	}{
		{"good", func(*event.Event) {}, nil},
		{"no account", func(e *event.Event) { e.Account = "" }, nil},
		{"not an account", func(e *event.Event) { e.Account = "bob" }, event.ErrInvalid},
		{"no type", func(e *event.Event) { e.Type = "" }, event.ErrInvalid},
		{"one word", func(e *event.Event) { e.Type = "attest" }, event.ErrInvalid},
		{"no pillar", func(e *event.Event) { e.Type = ".key" }, event.ErrInvalid},
		{"nothing happened", func(e *event.Event) { e.Type = "attest." }, event.ErrInvalid},
		{"three words", func(e *event.Event) { e.Type = "attest.key.new" }, event.ErrInvalid},
		{"upper case", func(e *event.Event) { e.Type = "attest.Key" }, event.ErrInvalid},
		{"no time", func(e *event.Event) { e.At = time.Time{} }, event.ErrInvalid},
		{"no body", func(e *event.Event) { e.Body = nil }, event.ErrInvalid},
		{"body a list", func(e *event.Event) { e.Body = json.RawMessage(`[]`) }, event.ErrInvalid},
		{"body cut off", func(e *event.Event) { e.Body = json.RawMessage(`{"a":`) }, event.ErrInvalid},
		{"body twice", func(e *event.Event) { e.Body = json.RawMessage(`{}{}`) }, event.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := event.Event{Type: "attest.key_registered", Account: id, Body: json.RawMessage(`{"key":"k"}`), At: time.Unix(1, 0)}
			tt.change(&e)
			if err := e.Validate(); !errors.Is(err, tt.want) {
				t.Errorf("Validate() = %v, want %v", err, tt.want)
			}
		})
	}
}
