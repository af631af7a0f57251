package account_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
)

func TestNewID(t *testing.T) {
	pattern := regexp.MustCompile(`^[a-z]_[a-z2-7]{26}$`)
	seen := map[account.ID]bool{}
	for range 1000 {
		id := account.NewID()
		if !pattern.MatchString(string(id)) || id.Validate() != nil {
			t.Fatalf("NewID() = %q", id)
		}
		if seen[id] {
			t.Fatalf("NewID gave %q twice", id)
		}
		seen[id] = true
	}
}

func TestParseID(t *testing.T) {
	const good = "a_abcdefghijklmnopqrstuvwxy2"
	tests := []struct {
		name, text string
		want       error
	}{
		{"good", good, nil},
		{"empty", "", account.ErrMalformed},
		{"prefix only", "a_", account.ErrMalformed},
		{"no prefix", good[2:], account.ErrMalformed},
		{"another kind", "d" + good[1:], account.ErrMalformed},
		{"upper case", strings.ToUpper(good), account.ErrMalformed},
		{"upper case rest", "a_" + strings.ToUpper(good[2:]), account.ErrMalformed},
		{"digit outside base32", good[:27] + "1", account.ErrMalformed},
		{"outside base32 in the middle", good[:10] + "/" + good[11:], account.ErrMalformed},
		{"25 characters", good[:27], account.ErrMalformed},
		{"27 characters", good + "a", account.ErrMalformed},
		{"padding", good[:27] + "=", account.ErrMalformed},
		{"space", " " + good, account.ErrMalformed},
		{"newline", good + "\n", account.ErrMalformed},
		{"NUL", good[:27] + "\x00", account.ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := account.ParseID(tt.text)
			if !errors.Is(err, tt.want) {
				t.Fatalf("ParseID(%q): %v, want %v", tt.text, err, tt.want)
			}
			if err == nil && string(id) != tt.text || err != nil && id != "" {
				t.Errorf("ParseID(%q) = %q, %v", tt.text, id, err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "account: ") {
				t.Errorf("error %q does not name its package", err)
			}
		})
	}
	_, err := account.ParseID(strings.Repeat("x", 1<<20))
	if len(err.Error()) > 200 {
		t.Errorf("a hostile text makes an error of %d bytes", len(err.Error()))
	}
}

func TestAppID(t *testing.T) {
	for text, ok := range map[account.AppID]bool{
		"demo": true, "a1": true, "chat-prod": true, account.AppID("a" + strings.Repeat("b", 30)): true,
		"": false, "a": false, "1a": false, "-a": false, "Demo": false, "de mo": false, "de_mo": false, "démo": false,
		account.AppID("a" + strings.Repeat("b", 31)): false, "ab\n": false,
	} {
		if err := text.Validate(); (err == nil) != ok || err != nil && !errors.Is(err, account.ErrMalformed) {
			t.Errorf("AppID(%q).Validate() = %v", text, err)
		}
	}
}

func TestCallerIn(t *testing.T) {
	tests := []struct {
		name   string
		caller account.Caller
		app    account.AppID
		want   bool
	}{
		{"zero", account.Caller{}, "demo", false},
		{"zero, no app", account.Caller{}, "", false},
		{"backend", account.Caller{Kind: account.Backend, App: "demo"}, "demo", true},
		{"anonymous", account.Caller{Kind: account.Anonymous, App: "demo"}, "demo", true},
		{"another app", account.Caller{Kind: account.Backend, App: "other"}, "demo", false},
		{"no app", account.Caller{Kind: account.System}, "", false},
		{"unknown kind", account.Caller{Kind: "root", App: "demo"}, "demo", false},
	}
	for _, tt := range tests {
		if got := tt.caller.In(tt.app); got != tt.want {
			t.Errorf("%s: In = %v", tt.name, got)
		}
	}
}
