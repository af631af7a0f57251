package account_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
)

func TestFreezeCode(t *testing.T) {
	code := account.NewFreezeCode()
	text := code.Reveal()
	if len(text) != 19 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz234567-") != "" || strings.Count(text, "-") != 3 {
		t.Fatalf("a code of the form %q", text)
	}
	if code == account.NewFreezeCode() {
		t.Fatal("the same code twice")
	}
	bare := strings.ReplaceAll(text, "-", "")
	for _, typed := range []string{text, strings.ToUpper(text), bare, " " + bare[:8] + " " + bare[8:] + " ", strings.ReplaceAll(text, "-", " - ")} {
		if read, err := account.ParseFreezeCode(typed); err != nil || read != code {
			t.Errorf("typed in another way it is not read: %v", err)
		}
	}
	for name, typed := range map[string]string{
		"empty": "", "short": bare[:15], "long": bare + "a", "a digit outside base32": "1" + bare[1:], "a line": bare + "\n" + "x",
		"long with dashes": text + strings.Repeat("-", 100), "padding": bare[:14] + "==", "too much": strings.Repeat("a", 1<<16),
	} {
		read, err := account.ParseFreezeCode(typed)
		if !errors.Is(err, account.ErrMalformed) || read != (account.FreezeCode{}) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && typed != "" && strings.Contains(err.Error(), typed) {
			t.Errorf("%s: the error repeats the code", name)
		}
	}
}

func TestFreezeCodeOpens(t *testing.T) {
	code, zero := account.NewFreezeCode(), account.FreezeCode{}
	sum, none := code.Hash(), zero.Hash()
	for _, tt := range []struct {
		name string
		code account.FreezeCode
		a    account.Account
		ok   bool
	}{
		{"its own", code, account.Account{State: account.Active, FreezeCode: sum[:]}, true},
		{"another", account.NewFreezeCode(), account.Account{State: account.Active, FreezeCode: sum[:]}, false},
		{"the account has none", code, account.Account{State: account.Active}, false},
		{"none, and the account has none", zero, account.Account{State: account.Active}, false},
		{"none, as if it were one", zero, account.Account{State: account.Active, FreezeCode: none[:]}, false},
		{"deleted", code, account.Account{State: account.Deleted, FreezeCode: sum[:]}, false},
	} {
		if tt.code.Opens(tt.a) != tt.ok {
			t.Errorf("%s: opens %v", tt.name, !tt.ok)
		}
	}
}

// TestRedacted walks the ways in which a secret gets into a log.
func TestRedacted(t *testing.T) {
	code := account.NewFreezeCode()
	in := struct{ Code account.FreezeCode }{code}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "code", code)
	for name, out := range map[string]string{
		"%v": fmt.Sprintf("%v", in), "%+v": fmt.Sprintf("%+v", in), "%#v": fmt.Sprintf("%#v", in), "%s": fmt.Sprintf("%s", in),
		"%x": fmt.Sprintf("%x", code), "JSON": string(text), "log": log.String(),
	} {
		hexed := fmt.Sprintf("%x", "[redacted]")
		if !strings.Contains(out, "[redacted]") && !strings.Contains(out, hexed) {
			t.Errorf("%s gives %s", name, out)
		}
		if strings.Contains(out, code.Reveal()) || strings.Contains(out, strings.ReplaceAll(code.Reveal(), "-", "")) {
			t.Errorf("%s gives the code", name)
		}
	}
}

func TestParseHandle(t *testing.T) {
	for _, tt := range []struct {
		name, text, shown, key string
	}{
		{"as it is", "ada", "ada", "ada"},
		{"case", "Ada.Lovelace", "Ada.Lovelace", "ada.lovelace"},
		{"two characters", "ab", "ab", "ab"},
		{"64 characters", strings.Repeat("ж", 64), strings.Repeat("ж", 64), strings.Repeat("ж", 64)},
		{"full width", "\uff21\uff44\uff41", "Ada", "ada"},
		{"composed", "Ame\u0301lie", "Am\u00e9lie", "am\u00e9lie"},
		{"sharp s stays", "Stra\u00dfe", "Stra\u00dfe", "stra\u00dfe"},
		{"final sigma like any", "\u03a3\u0391\u03a3", "\u03a3\u0391\u03a3", "\u03c3\u03b1\u03c3"},
		{"script from right to left", "\u05d0\u05d1", "\u05d0\u05d1", "\u05d0\u05d1"},

		{"empty", "", "", ""},
		{"one character", "a", "", ""},
		{"two that are one", "a\u0301", "", ""},
		{"65 characters", strings.Repeat("ж", 65), "", ""},
		{"long", strings.Repeat("a", 1<<16), "", ""},
		{"space", "ada lovelace", "", ""},
		{"control character", "ada\x00", "", ""},
		{"newline", "ada\n", "", ""},
		{"not UTF-8", "ada\xff", "", ""},
		{"zero width", "ad\u200ba", "", ""},
		{"override of direction", "ada\u202e", "", ""},
		{"two directions", "a\u05d0", "", ""},
		{"ligature", "\ufb01n", "", ""},
		{"emoji", "ada\U0001f600", "", ""},
		{"an account's ID", string(mine), "", ""},
		{"an account's ID, folded", strings.ToUpper(string(mine)), "", ""},
		{"a device's ID", string(d1), "", ""},
	} {
		shown, key, err := account.ParseHandle(tt.text)
		if shown != tt.shown || key != tt.key || (err == nil) != (tt.key != "") {
			t.Errorf("%s: %q, %q, %v", tt.name, shown, key, err)
		}
		if err != nil && (!errors.Is(err, account.ErrHandle) || len(err.Error()) > 300 || !strings.HasPrefix(err.Error(), "account: ")) {
			t.Errorf("%s: error %v", tt.name, err)
		}
	}
}

// FuzzParseHandle: what is read can be read again and is the same, in any case.
func FuzzParseHandle(f *testing.F) {
	for _, s := range []string{"ada", "Ada.Lovelace", "\uff21da", "Ame\u0301lie", "\u0130stanbul", "\u03a3\u0391\u03a3", "a\u05d0", "A\u0301", string(mine)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown, key, err := account.ParseHandle(text)
		if err != nil {
			if shown != "" || key != "" || !errors.Is(err, account.ErrHandle) {
				t.Fatalf("%q: %q, %q, %v", text, shown, key, err)
			}
			return
		}
		if again, same, err := account.ParseHandle(shown); err != nil || again != shown || same != key {
			t.Fatalf("%q is shown as %q, which gives %q and %q instead of %q: %v", text, shown, again, same, key, err)
		}
		if id := account.ID(key); id.Validate() == nil {
			t.Fatalf("%q is an account's ID", key)
		}
	})
}
