package android_test

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/attest/android"
)

// TestStatusListMembers: members count by their exact names, once; what a
// reader of another kind might take for the list is refused.
func TestStatusListMembers(t *testing.T) {
	for name, text := range map[string]string{
		"entries twice":              `{"entries":{"a":{"status":"REVOKED"}},"entries":{}}`,
		"an entry's status twice":    `{"entries":{"a":{"status":"REVOKED","status":"OK"}}}`,
		"status in another case":     `{"entries":{"a":{"Status":"REVOKED"}}}`,
		"entries in another case":    `{"Entries":{}}`,
		"a snapshot without list":    `{"fetched_at":"2026-11-01T00:00:00Z","entries":{}}`,
		"a snapshot with entries":    `{"fetched_at":"2026-11-01T00:00:00Z","list":{"entries":{}},"entries":{}}`,
		"a snapshot of no time":      `{"fetched_at":"yesterday","list":{"entries":{}}}`,
		"a snapshot of a zero time":  `{"fetched_at":"0001-01-01T00:00:00Z","list":{"entries":{}}}`,
		"a snapshot of no list":      `{"fetched_at":"2026-11-01T00:00:00Z","list":[]}`,
		"a snapshot without entries": `{"fetched_at":"2026-11-01T00:00:00Z","list":{}}`,
	} {
		if l, err := android.ParseStatusList([]byte(text)); !errors.Is(err, android.ErrStatusList) || l != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	l, err := android.ParseStatusList([]byte(`{"Entries":{},"entries":{"a":{"status":"REVOKED","Status":"OK"}}}`))
	if err != nil || l.Lookup("a") != android.StatusRevoked {
		t.Errorf("names in another case are other names: %v", err)
	}
}
