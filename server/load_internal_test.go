package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
)

func secretOf(text string) rootSecret {
	return rootSecret{func() []byte { return []byte(text) }}
}

func TestRootSecretRedacted(t *testing.T) {
	s := secretOf("very secret")
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s)
	data, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{log.String(), string(data)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		texts = append(texts, fmt.Sprintf(verb, s), fmt.Sprintf(verb, &loaded{roots: map[string]rootSecret{"demo": s}}))
	}
	for _, text := range texts {
		if strings.Contains(text, "very") || strings.Contains(text, "118 101 114 121") {
			t.Error(text)
		}
	}
}

func TestHashKey(t *testing.T) {
	a, err := hashKey(secretOf("r"), "demo")
	if err != nil || len(a) != 32 {
		t.Fatalf("%d bytes, %v", len(a), err)
	}
	for _, other := range []struct{ root, app string }{{"r2", "demo"}, {"r", "demo2"}} {
		b, err := hashKey(secretOf(other.root), account.AppID(other.app))
		if err != nil || bytes.Equal(a, b) {
			t.Errorf("%v has the same key, %v", other, err)
		}
	}
}

func TestStatusListAge(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list.json")
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, text string
		want       time.Time
	}{
		{"the vendor's is as old as its file", `{"entries":{}}`, at},
		{"a snapshot says", `{"fetched_at":"2026-10-01T00:00:00Z","list":{"entries":{}}}`, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
		list, err := loadStatusList(file)
		if err != nil || !list.FetchedAt.Equal(tt.want) {
			t.Errorf("%s: %v, %v", tt.name, list, err)
		}
	}
}
