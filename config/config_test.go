package config_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/staunchid/staunch/config"
)

var update = flag.Bool("update", false, "rewrite golden files")

func sampleText(t *testing.T) string {
	t.Helper()
	s, err := config.Sample()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSampleGolden(t *testing.T) {
	got := sampleText(t)
	file := filepath.Join("testdata", "sample.toml")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the sample has changed; look at it, then go test ./config -update\n%s", got)
	}
}

const appleKey = "\n[[attest.apple_key]]\nteam_id = \"T1\"\nkey_id = \"K1\"\nkey_file = \"k.p8\"\n"

func TestSampleParses(t *testing.T) {
	s := sampleText(t)
	if _, err := config.Parse([]byte(s)); err != nil {
		t.Error(err)
	}
	// A key that is commented out is one that the file may have.
	var all []string
	for line := range strings.Lines(s) {
		if key, ok := strings.CutPrefix(line, "# "); ok && (strings.Contains(key, ` = "`) || strings.HasPrefix(key, "[[")) && !strings.HasPrefix(key, "status_list_file") && !strings.HasPrefix(key, "metadata_file") {
			line = key
		}
		all = append(all, line)
	}
	full := strings.Join(all, "")
	for _, key := range []string{"\ntls_key_file =", "\n[[attest.apple_key]]", "\nkey_file =", "\nwebhook_url =", "\ncolour ="} {
		if !strings.Contains(full, key) {
			t.Errorf("the sample lacks %q", key)
		}
	}
	if _, err := config.Parse([]byte(full)); err != nil {
		t.Error(err)
	}
}

func TestSampleDocumentsEveryKey(t *testing.T) {
	lines := strings.Split(sampleText(t), "\n")
	for i, line := range lines {
		key := strings.TrimPrefix(line, "# ")
		if !strings.HasPrefix(key, "[") && !strings.Contains(key, " = ") {
			continue
		}
		if doc := strings.TrimPrefix(lines[i-1], "# "); !strings.HasSuffix(doc, ".") || doc == lines[i-1] {
			t.Errorf("no comment above %q", line)
		}
	}
}

func TestCheck(t *testing.T) {
	sample := sampleText(t)
	tests := []struct {
		name     string
		old, new string
		want     string // in the message; empty: good
	}{
		{"sample", "", "", ""},
		{"typo", "shutdown_grace =", "shutdown_graze =", "shutdown_graze: unknown key; did you mean shutdown_grace?"},
		{"all addresses", `"127.0.0.1:8080"`, `":8080"`, `listen: "" is not a loopback address`},
		{"public address", `"127.0.0.1:8080"`, `"192.0.2.1:8080"`, `listen: "192.0.2.1" is not a loopback address`},
		{"public address with TLS", `listen = "127.0.0.1:8080"`, "listen = \"192.0.2.1:443\"\ntls_cert_file = \"c\"\ntls_key_file = \"k\"", ""},
		{"localhost", `"127.0.0.1:8080"`, `"localhost:8080"`, ""},
		{"IPv6 loopback", `"127.0.0.1:8080"`, `"[::1]:8080"`, ""},
		{"no port", `"127.0.0.1:8080"`, `"127.0.0.1"`, "listen: "},
		{"certificate without key", `# tls_cert_file = ""`, `tls_cert_file = "c"`, "tls_cert_file: tls_key_file is missing"},
		{"key without certificate", `# tls_key_file = ""`, `tls_key_file = "k"`, "tls_key_file: tls_cert_file is missing"},
		{"proxies", "trusted_proxies = []", `trusted_proxies = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]`, ""},
		{"a proxy by name", "trusted_proxies = []", `trusted_proxies = ["127.0.0.1", "proxy.example"]`, `trusted_proxies[1]: "proxy.example" is no address`},
		{"all the world as proxies", "trusted_proxies = []", `trusted_proxies = ["0.0.0.0/0"]`, `trusted_proxies[0]: "0.0.0.0/0" is no address`},
		{"a prefix with more behind it", "trusted_proxies = []", `trusted_proxies = ["10.0.0.1/8"]`, `trusted_proxies[0]: "10.0.0.1/8" is no address`},
		{"a country by a proxy", "trusted_proxies = []\n", "trusted_proxies = [\"10.0.0.0/8\"]\ncountry_header = \"CF-IPCountry\"\n", ""},
		{"a country by nobody", "trusted_proxies = []\n", "trusted_proxies = []\ncountry_header = \"CF-IPCountry\"\n", "country_header: it is believed from trusted_proxies alone, and there are none"},
		{"a header that is none", "trusted_proxies = []\n", "trusted_proxies = [\"10.0.0.0/8\"]\ncountry_header = \"CF-IPCountry: DE\"\n", `country_header: "CF-IPCountry: DE" is no name of a header`},
		{"no data_dir", `data_dir = "data"`, `data_dir = ""`, "data_dir: must not be empty"},
		{"no grace", `"20s"`, `"0s"`, "shutdown_grace: must be longer than zero"},
		{"level", `level = "info"`, `level = "loud"`, `log.level: "loud" is no level`},
		{"format", `format = "text"`, `format = "xml"`, `log.format: "xml" is no format`},
		{"no policy", `policy_file = "policy.toml"`, `policy_file = ""`, "attest.policy_file: must not be empty"},
		{"list from a file", `# status_list_file = ""`, `status_list_file = "list.json"`, ""},
		{"list from two places", `# status_list_file = ""`, "status_list_url = \"https://mirror.example/list\"\nstatus_list_file = \"list.json\"", "attest.status_list_url: status_list_file is given too"},
		{"list from nowhere", `# status_list_url = "https://android.googleapis.com/attestation/status"`, `status_list_url = ""`, ""},
		{"list from a mirror", `# status_list_url = "https://android.googleapis.com/attestation/status"`, `status_list_url = "https://mirror.example/list"`, ""},
		{"list from this machine", `# status_list_url = "https://android.googleapis.com/attestation/status"`, `status_list_url = "http://127.0.0.1:1/list"`, ""},
		{"list in the clear", `# status_list_url = "https://android.googleapis.com/attestation/status"`, `status_list_url = "http://mirror.example/list"`, "attest.status_list_url: \"http://mirror.example/list\": use https"},
		{"list by another scheme", `# status_list_url = "https://android.googleapis.com/attestation/status"`, `status_list_url = "ftp://127.0.0.1/list"`, "attest.status_list_url: \"ftp://127.0.0.1/list\": use https"},
		{"list with a password", `# status_list_url = "https://android.`, `status_list_url = "https://a:b@android.`, "attest.status_list_url: is no URL such as"},
		{"list without a host", `# status_list_url = "https://android.googleapis.com/attestation/status"`, `status_list_url = "list.json"`, "attest.status_list_url: is no URL such as"},
		{"Apple key", "\n[[app]]", appleKey + "\n[[app]]", ""},
		{"Apple key without a team", "\n[[app]]", strings.Replace(appleKey, `"T1"`, `""`, 1) + "\n[[app]]", `attest.apple_key[0].team_id: "" is no id`},
		{"Apple key with a path for an id", "\n[[app]]", strings.Replace(appleKey, `"K1"`, `"../K1"`, 1) + "\n[[app]]", `attest.apple_key[0].key_id: "../K1" is no id`},
		{"Apple key without a file", "\n[[app]]", strings.Replace(appleKey, `"k.p8"`, `""`, 1) + "\n[[app]]", "attest.apple_key[0].key_file: must not be empty"},
		{"two Apple keys of one team", "\n[[app]]", appleKey + appleKey + "\n[[app]]", `attest.apple_key[1].team_id: the team "T1" occurs twice`},
		{"app id", `id = "demo"`, `id = "../demo"`, `app[0].id: "../demo" is no id`},
		{"short app id", `id = "demo"`, `id = "d"`, `app[0].id: "d" is no id`},
		{"no root secret", `root_secret_file = "root.secret"`, `root_secret_file = ""`, "app[0].root_secret_file: must not be empty"},
		{"no app id", `id = "demo"`, "", "app[0].id: missing"},
		{"no app", sample[strings.Index(sample, "[[app]]"):], "", "app: missing; the key is required"},
		{"two apps of one id", "\n[[app]]", "\n[[app]]\nid = \"demo\"\nroot_secret_file = \"r\"\n[[app]]", `app[1].id: the id "demo" occurs twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(sample, tt.old) {
				t.Fatalf("%q is not in the sample", tt.old)
			}
			text := strings.Replace(sample, tt.old, tt.new, 1)
			_, err := config.Parse([]byte(text))
			if (err == nil) != (tt.want == "") || err != nil && (!errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("err = %v, want %q", err, tt.want)
			}
			var e *config.Error
			if errors.As(err, &e) && e.Line == 0 && tt.name != "no app" {
				t.Errorf("%v names no line", err)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "staunch.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(sampleText(t), `"policy.toml"`, `"/etc/policy.toml"`, 1))
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if c.DataDir != filepath.Join(dir, "data") || c.Attest.PolicyFile != "/etc/policy.toml" ||
		c.Apps[0].ServiceTokenFile != filepath.Join(dir, "service.token") || c.Apps[0].RootSecretFile != filepath.Join(dir, "root.secret") ||
		c.Attest.StatusListFile != "" {
		t.Errorf("paths: %+v", c)
	}
	for text, want := range map[string]string{"": "https://android.googleapis.com/attestation/status", `status_list_file = "l"`: ""} {
		write("listen = \"localhost:1\"\ndata_dir = \"d\"\n[attest]\npolicy_file = \"p\"\n" + text + "\n" + appleKey + "[[app]]\nid = \"demo\"\nroot_secret_file = \"r\"\n")
		c, err := config.Load(file)
		if err != nil || c.Attest.StatusListURL != want || c.Attest.AppleKeys[0].KeyFile != filepath.Join(dir, "k.p8") {
			t.Errorf("with %q: %+v, %v", text, c.Attest, err)
		}
	}
	above, _, _ := strings.Cut(sampleText(t), "\nid = ")
	want := fmt.Sprintf("config: %s: line %d: app[0].id: is so", file, strings.Count(above, "\n")+2)
	if err := c.Wrong("app[0].id", "is %s", "so"); !errors.Is(err, config.ErrInvalid) || err.Error() != want {
		t.Errorf("Wrong: %v", err)
	}
	if err := new(config.Config).Wrong("listen", "is so"); err.Error() != "config: listen: is so" {
		t.Errorf("Wrong without a file: %v", err)
	}
	write("listen = 1\n")
	var e *config.Error
	if _, err := config.Load(file); !errors.As(err, &e) || !strings.Contains(err.Error(), file+": line 1: listen: want a string") {
		t.Errorf("err = %v", err)
	}
	if _, err := config.Load(filepath.Join(dir, "none.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	write(strings.Repeat("#\n", config.MaxFile))
	if _, err := config.Load(file); err == nil || errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), file+": larger than 1 MiB") {
		t.Errorf("large file, of which nothing is known: %v", err)
	}
}
