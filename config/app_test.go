package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/staunchid/staunch/config"
)

// TestCheckApp: an app with accounts, and small changes to it.
func TestCheckApp(t *testing.T) {
	sample := sampleText(t)
	six := `origins = ["https://accounts.example.org"`
	for i := range 5 {
		six += fmt.Sprintf(`, "https://other%d.example"`, i)
	}
	origins := `origins = ["https://accounts.example.org", "https://example.org"]`
	with := func(key, value string) string { return "rp_id = \"example.org\"\n" + key + " = " + value + "\n" }
	const rp = "rp_id = \"example.org\"\n"
	tests := []struct {
		name     string
		old, new string
		want     string // in the message; empty: good
	}{
		{"name empty", `name = "Demo"`, `name = ""`, `app[0].name: "" is no name`},
		{"name with a line break", `name = "Demo"`, `name = "De\nmo"`, `app[0].name: "De\nmo" is no name`},
		{"name too long", `name = "Demo"`, `name = "` + strings.Repeat("ä", 65) + `"`, "app[0].name: "},
		{"long name", `name = "Demo"`, `name = "` + strings.Repeat("ä", 64) + `"`, ""},
		{"store in PostgreSQL", `"demo.db"`, `"postgres://db.example/demo"`, "app[0].store: this release stores in SQLite alone"},
		{"store elsewhere", `"demo.db"`, `"../demo.db"`, `app[0].store: "../demo.db" is no file in data_dir`},
		{"store without a name", `"demo.db"`, `".db"`, `app[0].store: ".db" is no file in data_dir`},
		{"store of another kind", `"demo.db"`, `"status-list.json"`, `app[0].store: "status-list.json" is no file in data_dir`},
		{"store of another name", `"demo.db"`, `"people.db"`, ""},
		{"no audit key", `audit_key_file = "audit.key"`, `audit_key_file = ""`, "app[0].audit_key_file: must not be empty"},

		{"rp_id empty", `rp_id = "example.org"`, `rp_id = ""`, `app[0].rp_id: "" is no domain`},
		{"rp_id in capitals", `rp_id = "example.org"`, `rp_id = "Example.org"`, `app[0].rp_id: "Example.org" is no domain`},
		{"rp_id an address", `rp_id = "example.org"`, `rp_id = "127.0.0.1"`, `app[0].rp_id: "127.0.0.1" is no domain`},
		{"rp_id with a port", `rp_id = "example.org"`, `rp_id = "example.org:443"`, `app[0].rp_id: "example.org:443" is no domain`},
		{"rp_id a public suffix", `rp_id = "example.org"`, `rp_id = "co.jp"`, `app[0].rp_id: "co.jp" is a public suffix`},
		{"rp_id a private suffix", `rp_id = "example.org"`, `rp_id = "github.io"`, `app[0].rp_id: "github.io" is a public suffix`},
		{"no hosts", `hosts = ["accounts.example.org"]`, `hosts = []`, "app[0].hosts: at least one host is needed"},
		{"host with a port", `hosts = ["accounts.example.org"]`, `hosts = ["accounts.example.org:443"]`, `app[0].hosts[0]: "accounts.example.org:443" is no host name`},
		{"host elsewhere", `hosts = ["accounts.example.org"]`, `hosts = ["accounts.example.com"]`, `app[0].hosts[0]: "accounts.example.com" is neither the rp_id, "example.org", nor below it`},
		{"host that only ends like the rp_id", `hosts = ["accounts.example.org"]`, `hosts = ["badexample.org"]`, `app[0].hosts[0]: "badexample.org" is neither`},
		{"host without an origin", `hosts = ["accounts.example.org"]`, `hosts = ["id.example.org"]`, `app[0].hosts[0]: none of origins is of the host "id.example.org"`},
		{"host of a related origin", `hosts = ["accounts.example.org"]` + afterHosts(sample), `hosts = ["accounts.example.org", "example.co.jp"]` + strings.Replace(afterHosts(sample), `"https://example.org"`, `"https://example.co.jp"`, 1), ""},
		{"host twice", `hosts = ["accounts.example.org"]`, `hosts = ["accounts.example.org", "accounts.example.org"]`, `app[0].hosts[1]: "accounts.example.org" is a host of app demo already`},
		{"no origins", origins, `origins = []`, "app[0].origins: at least one origin is needed"},
		{"origin with a path", origins, `origins = ["https://accounts.example.org/"]`, `app[0].origins[0]: "https://accounts.example.org/" is no origin`},
		{"origin with its usual port", origins, `origins = ["https://accounts.example.org:443"]`, "app[0].origins[0]: "},
		{"origin with another port", origins, `origins = ["https://accounts.example.org:8443"]`, ""},
		{"origin in capitals", origins, `origins = ["https://Accounts.example.org"]`, "app[0].origins[0]: "},
		{"origin with a user", origins, `origins = ["https://me@accounts.example.org"]`, "app[0].origins[0]: "},
		{"origin without TLS", origins, `origins = ["https://accounts.example.org", "http://example.org"]`, `app[0].origins[1]: "http://example.org" is not https`},
		{"origin on localhost", origins, `origins = ["https://accounts.example.org", "http://localhost:8080"]`, ""},
		{"origin twice", origins, `origins = ["https://accounts.example.org", "https://accounts.example.org"]`, `app[0].origins[1]: "https://accounts.example.org" occurs twice`},
		{"six labels", origins, six + "]", `app[0].origins[5]: "https://other4.example" is of another organisation's name`},
		{"five labels", origins, strings.Replace(six, `, "https://other4.example"`, "]", 1), ""},
		{"one label under six suffixes", origins, `origins = ["https://accounts.example.org", "https://example.com", "https://example.co.jp", "https://example.fr", "https://example.de", "https://example.es"]`, ""},
		{"Android origin", "android_origins = []", `android_origins = ["android:apk-key-hash:` + strings.Repeat("A", 43) + `"]`, ""},
		{"Android origin too short", "android_origins = []", `android_origins = ["android:apk-key-hash:AAAA"]`, "app[0].android_origins[0]: "},

		{"synced_ok with blanks", `synced_ok = ["all"]`, `synced_ok = ["all", "sign in"]`, `app[0].synced_ok[1]: "sign in" is no action`},
		{"no synced passkeys", `synced_ok = ["all"]`, "synced_ok = []", ""},
		{"synced_new_device", `synced_new_device = "hold"`, `synced_new_device = "allow"`, `app[0].synced_new_device: "allow" is none of`},
		{"webhook in the clear", rp, with("webhook_url", `"http://api.example.org/"`), `app[0].webhook_url: "http://api.example.org/": use https`},
		{"webhook on this machine", rp, with("webhook_url", `"http://127.0.0.1:1/"`), ""},
		{"webhook with a password", rp, with("webhook_url", `"https://a:b@api.example.org/"`), "app[0].webhook_url: is no URL"},
		{"colour by name", rp, with("colour", `"red"`), `app[0].colour: "red" is no colour`},
		{"colour in capitals", rp, with("colour", `"#1F5FD0"`), `app[0].colour: "#1F5FD0" is no colour`},
		{"colour with more behind", rp, with("colour", `"#1f5fd0;x"`), "app[0].colour: "},
		{"colour", rp, with("colour", `"#1f5fd0"`), ""},

		{"short hold", `add = "24h"`, `add = "59m"`, "app[0].hold.add: 59m0s is under an hour"},
		{"hold of an hour", `add = "24h"`, `add = "1h"`, ""},
		{"short hold of a recovery", `[app.hold]` + after(sample, "[app.hold]"), strings.Replace(`[app.hold]`+after(sample, "[app.hold]"), `recovery = "3d"`, `recovery = "1m"`, 1), "app[0].hold.recovery: 1m0s is under an hour"},
		{"short wait", `delete = "7d"`, `delete = "30s"`, "app[0].wait.delete: 30s is under an hour"},
		{"no wait", `unfreeze = "24h"`, `unfreeze = "0s"`, "app[0].wait.unfreeze: must be longer than zero"},
		{"short window", `person = "24h"`, `person = "30m"`, "app[0].session.person: 30m0s is under an hour"},
		{"no fresh window", `fresh = "5m"`, `fresh = "0s"`, "app[0].session.fresh: must be longer than zero"},
		{"fresh longer than person", `fresh = "5m"`, `fresh = "25h"`, "app[0].session.fresh: is longer than session.person"},
		{"risky longer than fresh", `risky = "1m"`, `risky = "6m"`, "app[0].session.risky: is longer than session.fresh"},
		{"long cookie", `browser = "30d"`, `browser = "31d"`, "app[0].session.browser: is longer than"},
		{"assisted recovery", `assisted = "0s"`, `assisted = "14d"`, `app[0].wait.assisted: must be "0s"`},

		{"effect", `prf_missing = "note"`, `prf_missing = "ignore"`, `app[0].passkey.prf_missing: "ignore" is none of`},
		{"attestation", `attestation = "none"`, `attestation = "indirect"`, `app[0].passkey.attestation: "indirect" is neither`},
		{"attestation for nothing", `attestation = "none"`, `attestation = "direct"`, `app[0].passkey.attestation: is "direct", and nothing`},
		{"models without attestation", "deny_models = []", `deny_models = ["ee882879-721c-4913-9775-3dfcce97072a"]`, `app[0].passkey.attestation: is "none"`},
		{"no AAGUID", "attestation = \"none\"" + after(sample, `attestation = "none"`), "attestation = \"direct\"" + strings.Replace(after(sample, `attestation = "none"`), "deny_models = []", `deny_models = ["YubiKey"]`, 1), `app[0].passkey.deny_models[0]: "YubiKey" is no AAGUID`},
		{"limit", `join = "10 per 1h"`, `join = "10/h"`, `app[0].limit.join: "10/h" is no limit`},

		{"a misspelt key", `by_handle = false`, `by_handel = false`, "app[0].by_handel: unknown key; did you mean by_handle?"},
		{"webhook of an app without accounts", "\n[[app]]", "\n[[app]]\nid = \"two\"\nroot_secret_file = \"r\"\nwebhook_url = \"https://x.example\"\n[[app]]", "app[0].webhook_url: is of no use without rp_id"},
		{"attestation alone, sealed", "\n[[app]]", "\n[[app]]\nid = \"two\"\nroot_secret_file = \"r\"\naudit_key_file = \"k\"\n[[app]]", ""},
		{"two apps with one store", "\n[[app]]", "\n[[app]]\nid = \"two\"\nroot_secret_file = \"r\"\n[[app]]" + strings.Replace(after(sample, "\n[[app]]"), `"demo.db"`, `"two.db"`, 1) + "\x00", `app[1].store: "two.db" is the store of app two too`},
		{"two apps with one host", "\n[[app]]", "\n[[app]]" + strings.NewReplacer(`"demo"`, `"two"`, `"demo.db"`, `"two.db"`).Replace(after(sample, "\n[[app]]")) + "\n[[app]]", `app[1].hosts[0]: "accounts.example.org" is a host of app two already`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(sample, tt.old) {
				t.Fatalf("%q is not in the sample", tt.old)
			}
			text, cut, isCut := strings.Cut(strings.Replace(sample, tt.old, tt.new, 1), "\x00")
			if !isCut {
				text += cut
			}
			_, err := config.Parse([]byte(text))
			if (err == nil) != (tt.want == "") || err != nil && (!errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("err = %v, want %q", err, tt.want)
			}
			var e *config.Error
			if errors.As(err, &e) && e.Line == 0 {
				t.Errorf("%v names no line", err)
			}
		})
	}
}

// after is what comes behind text in all.
func after(all, text string) string {
	_, rest, _ := strings.Cut(all, text)
	return rest
}

func afterHosts(sample string) string {
	rest := after(sample, `hosts = ["accounts.example.org"]`)
	return rest[:strings.Index(rest, "accounts_without_device")]
}

// TestShortWaits: a demo may have them, when it says so.
func TestShortWaits(t *testing.T) {
	text := strings.NewReplacer(`evidence_max_age = "24h"`, `evidence_max_age = "24h"`, `dangerous_short_waits = false`, `dangerous_short_waits = true`, `"24h"`, `"30s"`, `fresh = "5m"`, `fresh = "20s"`, `risky = "1m"`, `risky = "20s"`).Replace(sampleText(t))
	if _, err := config.Parse([]byte(text)); err != nil {
		t.Error(err)
	}
}

// TestEveryValueIsWritten: each key of the policy of accounts is missed by name,
// at the line of the nearest table, and every one that is missing is told.
func TestEveryValueIsWritten(t *testing.T) {
	sample := sampleText(t)
	_, app, _ := strings.Cut(sample, "rp_id = ")
	keys, optional, table := 0, 0, ""
	for line := range strings.Lines(app) {
		name, _, isKey := strings.Cut(line, " = ")
		if strings.HasPrefix(line, "[") {
			table = strings.Trim(line, "[]\n")
			table = strings.TrimPrefix(table, "app.") + "."
		}
		if !isKey || strings.HasPrefix(line, "#") || line == "\"example.org\"\n" {
			continue
		}
		if table == "limit." && strings.HasPrefix(name, "move_") { // files from before there were any: TestMoveLimitsLeftOut
			continue
		}
		keys++
		if table == "transfer." || table == "console." { // tables that may be left out
			optional++
		}
		key := "app[0]." + table + name
		at := strings.Index(sample, line)
		if table != "" {
			at = strings.Index(sample, "[app."+table[:len(table)-1]+"]")
			at += strings.Index(sample[at:], "\n"+line) + 1
		}
		text := sample[:at] + sample[at+len(line):]
		_, err := config.Parse([]byte(text))
		var e *config.Error
		if !errors.As(err, &e) || e.Key != key || e.Line == 0 || !strings.Contains(e.Reason, "missing; ") {
			t.Errorf("without %s: %v", key, err)
		}
	}
	if keys < 45 {
		t.Errorf("the sample shows %d values for accounts", keys)
	}
	_, err := config.Parse([]byte(strings.Split(sample, "\n[[app]]")[0] + "\n[[app]]\nid = \"demo\"\nroot_secret_file = \"r\"\nrp_id = \"example.org\"\n"))
	if err == nil {
		t.Fatal("an app with nothing but an rp_id is good")
	}
	if n := strings.Count(err.Error(), "missing; "); n != keys-optional+1 { // and audit_key_file, which stands above rp_id
		t.Errorf("%d missing keys are told, of %d", n, keys-optional+1)
	}
}

// TestAttestationAlone: without rp_id nothing of accounts may be there, so that no
// one believes to have switched on what is not.
func TestAttestationAlone(t *testing.T) {
	sample := sampleText(t)
	_, err := config.Parse([]byte(strings.Replace(sample, "rp_id = \"example.org\"\n", "", 1)))
	if err == nil || !strings.Contains(err.Error(), "app[0].hosts: is of no use without rp_id") || !strings.Contains(err.Error(), "app[0].limit: is of no use without rp_id") {
		t.Errorf("without rp_id: %v", err)
	}
	c, err := config.Parse([]byte(strings.Split(sample, "\n[[app]]")[0] + "\n[[app]]\nid = \"demo\"\nroot_secret_file = \"r\"\n"))
	if err != nil || c.Apps[0].HasAccounts() || c.Apps[0].StoreFile() != "demo.db" {
		t.Errorf("attestation alone: %+v, %v", c, err)
	}
}

// TestLimit: what is written is read, and written again.
func TestLimit(t *testing.T) {
	for _, text := range []string{"600 per 1m, burst 1200", "30 per 1m", "5 per 24h", "1 per 30d", "10 per 1m30s"} {
		var l config.Limit
		err := l.UnmarshalText([]byte(text))
		back, errBack := l.MarshalText()
		if err != nil || errBack != nil || string(back) != text {
			t.Errorf("%q: %+v, %v; written as %q, %v", text, l, err, back, errBack)
		}
	}
	for _, text := range []string{
		"", "30", "0 per 1m", "30 per 0s", "30 per", "30per 1m", " 30 per 1m", "30 per 1m ", "-1 per 1m", "+1 per 1m", "1.5 per 1m", "030 per 1m",
		"30 per 1m burst 60", "30 per 1m, burst 0", "30 per 1m, burst", "30 per 1m, burst 60, burst 60", "30 per minute", "2000000000 per 1m",
	} {
		if err := new(config.Limit).UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "is no limit") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
