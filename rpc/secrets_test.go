package rpc_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestTokenRedacted(t *testing.T) {
	tok := token(t, secretDemo)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", tok, "in", struct{ T any }{tok})
	data, err := json.Marshal(map[string]any{"t": tok, "p": &tok})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{log.String(), string(data)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		texts = append(texts, fmt.Sprintf(verb, tok), fmt.Sprintf(verb, &tok))
	}
	for _, text := range texts {
		if !strings.Contains(text, "[redacted]") || strings.Contains(text, "sum") {
			t.Errorf("%s", text)
		}
	}
}
