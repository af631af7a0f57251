package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/staunchid/staunch/config"
)

// TestCheckConsole: the sample's console, and small changes to it.
func TestCheckConsole(t *testing.T) {
	sample := sampleText(t)
	console := sample[strings.Index(sample, "[app.console]"):]
	const host, origin, rp = `host = "console.example.org"`, `origin = "https://console.example.org"`, `rp_id = "console.example.org"`
	tests := []struct {
		name string
		edit []string // old, new, old, new
		want string   // in the message; empty: good
	}{
		{"as in the sample", nil, ""},
		{"with a port", []string{origin, `origin = "https://console.example.org:8443"`}, ""},
		{"a domain above the host", []string{host, `host = "c.ops.example.org"`, origin, `origin = "https://c.ops.example.org"`, rp, `rp_id = "ops.example.org"`}, ""},
		{"on this machine", []string{host, `host = "console.localhost"`, origin, `origin = "http://console.localhost:8080"`, rp, `rp_id = "console.localhost"`}, ""},
		{"synced passkeys", []string{"# dangerous_synced_passkeys = false", "dangerous_synced_passkeys = true"}, ""},

		{"host with a port", []string{host, `host = "console.example.org:443"`}, `app[0].console.host: "console.example.org:443" is no host name`},
		{"host of the pages", []string{host, `host = "accounts.example.org"`, origin, `origin = "https://accounts.example.org"`, rp, `rp_id = "accounts.example.org"`}, `app[0].console.host: "accounts.example.org" has pages of app demo`},
		{"host of pages elsewhere", []string{host, `host = "example.org"`, origin, `origin = "https://example.org"`, rp, `rp_id = "example.org"`}, `app[0].console.host: "example.org" has pages of app demo`},
		{"origin of another host", []string{origin, `origin = "https://other.example.org"`}, `app[0].console.origin: "https://other.example.org" is no origin of the host "console.example.org"`},
		{"origin with a path", []string{origin, `origin = "https://console.example.org/"`}, "app[0].console.origin: "},
		{"origin with its usual port", []string{origin, `origin = "https://console.example.org:443"`}, "app[0].console.origin: "},
		{"origin without TLS", []string{origin, `origin = "http://console.example.org"`}, `app[0].console.origin: "http://console.example.org" is not https`},
		{"domain of the people's pages", []string{rp, `rp_id = "example.org"`}, `app[0].console.rp_id: "example.org" is also the domain of "accounts.example.org"`},
		{"domain elsewhere", []string{rp, `rp_id = "console.example.com"`}, `app[0].console.rp_id: "console.example.com" is neither the host`},
		{"domain below the host", []string{rp, `rp_id = "a.console.example.org"`}, `app[0].console.rp_id: "a.console.example.org" is neither the host`},
		{"public suffix", []string{host, `host = "console.co.jp"`, origin, `origin = "https://console.co.jp"`, rp, `rp_id = "co.jp"`}, `app[0].console.rp_id: "co.jp" is a public suffix`},
		{"no host", []string{host + "\n", ""}, "app[0].console.host: missing"},
		{"misspelt", []string{host, host + "\nhots = \"x\""}, "app[0].console.hots: unknown key; did you mean host?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i := 0; i < len(tt.edit); i += 2 {
				if strings.Count(console, tt.edit[i]) != 1 {
					t.Fatalf("%q is not once in the console's table", tt.edit[i])
				}
			}
			checkText(t, strings.Replace(sample, console, strings.NewReplacer(tt.edit...).Replace(console), 1), tt.want)
		})
	}
	two := func(edit ...string) string {
		app := "[[app]]\nid = \"two\"\nroot_secret_file = \"two.secret\"\n\n" + console
		return sample + "\n" + strings.NewReplacer(edit...).Replace(app)
	}
	t.Run("of an app without accounts", func(t *testing.T) {
		checkText(t, two("console.example.org", "two.example.org"), "")
	})
	t.Run("two on one host", func(t *testing.T) {
		checkText(t, two(), `app[1].console.host: "console.example.org" is the console of app demo already`)
	})
	t.Run("two with one domain", func(t *testing.T) {
		checkText(t, two(host, `host = "two.console.example.org"`, origin, `origin = "https://two.console.example.org"`), `app[1].console.rp_id: "console.example.org" is that of the console of app demo already`)
	})
	t.Run("without the table", func(t *testing.T) {
		c, err := config.Parse([]byte(strings.Replace(sample, console, "", 1)))
		if err != nil || c.Apps[0].Console != nil {
			t.Errorf("%v, %v", c, err)
		}
	})
}

func checkText(t *testing.T, text, want string) {
	t.Helper()
	_, err := config.Parse([]byte(text))
	if (err == nil) != (want == "") || err != nil && (!errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), want)) {
		t.Fatalf("err = %v, want %q", err, want)
	}
}
