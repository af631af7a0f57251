package attesttest

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// The identity of the demo app, which the software phones run unless they are
// told otherwise and which DemoPolicy accepts.
const (
	DemoApp         = "demo"                                                             // id of the [[app]] in the policy
	DemoPackage     = "com.example.demo"                                                 // Android package name
	DemoVersionCode = 26010000                                                           // Android version code
	DemoSigner      = "9620f683c5c0d2e2e0a1eca5a9b684f95d3fb5c123a51d973d1bcc5da0e5df01" // SHA-256 of the signing certificate, hex
	DemoTeamID      = "DEMO123456"
	DemoBundleID    = "com.example.demo"
	DemoRPID        = "demo.example.com" // of android-key objects
)

// What the software Android phone says of itself.
const (
	DemoManufacturer = "Staunch"
	DemoModel        = "Software Phone 1"
)

// demoBootKey is the key of the operating system that the phone was sold with;
// demoOwnBootKey that of one its owner has built and signed.
func demoBootKey() []byte { sum := sha256.Sum256([]byte("staunch demo boot key")); return sum[:] }
func demoOwnBootKey() []byte {
	sum := sha256.Sum256([]byte("staunch demo own boot key"))
	return sum[:]
}
func demoBootHash() []byte { sum := sha256.Sum256([]byte("staunch demo boot hash")); return sum[:] }

func demoSigner() []byte {
	b, err := hex.DecodeString(DemoSigner)
	if err != nil {
		panic("attesttest: DemoSigner is not hex") // a constant
	}
	return b
}

// DemoPolicy returns a complete policy file (TOML) for the demo app on phones
// of the test CAs. `staunch dev` runs with it. It is strict where the software
// phones are good, so that every departure of Deviations shows.
func DemoPolicy() string { return policyText(nil) }

// policyText is DemoPolicy with some values replaced: the key is the key of the
// file, with its table in front where the name alone is ambiguous.
func policyText(set map[string]string) string {
	android, apple := TestRootsPEM()
	values := map[string]string{
		"android.dangerous_extra_roots": pemList(android),
		"apple.dangerous_extra_roots":   pemList(apple),
		"suspended":                     `"warn"`,
		"profile":                       `"google"`,
		"min_level":                     `"tee"`,
		"boot":                          `"verified"`,
		"boot_keys":                     `[]`,
		"min_os_version":                `"none"`,
		"patch_floor":                   `{ os = "none", vendor = "none", boot = "none", max_age = "none" }`,
		"rp_ids":                        `["` + DemoRPID + `"]`,
		"packages":                      `[ { name = "` + DemoPackage + `", signers = ["` + DemoSigner + `"], min_version_code = ` + strconv.Itoa(DemoVersionCode) + `, shared_uid = false } ]`,
		"apple.platform":                `"ios"`,
		"environments":                  `["production"]`,
		"client_data":                   `"hashed"`,
		"categories":                    `[4]`,
		"missing_category":              `"note"`,
		"bundle_versions":               `[]`,
		"receipt":                       `"warn"`,
		"risk":                          `[]`,
		"app.android":                   demoAndroid,
		"app.apple":                     demoApple,
	}
	for k, v := range set {
		values[k] = v
	}
	var pairs []string
	for k, v := range values {
		pairs = append(pairs, "{{"+k+"}}", v)
	}
	replacer := strings.NewReplacer(pairs...)
	return replacer.Replace(replacer.Replace(demoPolicy)) // the tables of the platforms hold values themselves
}

// pemList is a TOML array of multi-line literal strings.
func pemList(texts []string) string {
	var b strings.Builder
	b.WriteString("[\n")
	for _, t := range texts {
		b.WriteString("'''\n" + t + "''',\n")
	}
	b.WriteString("]")
	return b.String()
}

const demoPolicy = `# Policy of the demo app. It trusts the test roots of attest/attesttest, whose
# private keys are public: anybody can make a phone that this policy accepts.
# Take it as a pattern, and take the two dangerous_extra_roots out.
# docs/policy.md explains every key.
version = 1
name = "demo"

# Google's revocation list: how old it may be, and what SUSPENDED entries do.
android.revocation = { max_age = "72h", warn_age = "12h", suspended = {{suspended}} }

# Roots beside Google's and Apple's. For test rigs only.
android.dangerous_extra_roots = {{android.dangerous_extra_roots}}
apple.dangerous_extra_roots = {{apple.dangerous_extra_roots}}

# Signed requests: how old, how far ahead of our clock, and for which hosts of
# the app's backend. A host of Staunch itself must not be among them.
request = { max_age = "120s", future_skew = "30s", authorities = ["pay.example.com"] }

# What a path demands of a signed request beyond the signature. This one would
# want the amount and the payee exactly once in the body, a header covered, and a
# nonce of ours.
# route = [ { path = "/v1/remit", methods = ["POST"], params = ["amount", "payee"], headers = ["idempotency-key"], server_nonce = true } ]

# Hints, not proof: begin with the effect "warn".
risk = {{risk}}

# Everything is enforced from the first day; a real app begins with "observe".
rollout = [
  { app = "` + DemoApp + `", platform = "any", operation = "any", countries = ["*"], percent = 100, salt = "", mode = "enforce" },
]

[[app]]
id = "` + DemoApp + `"
challenge_lifetime = "5m"
# When a key must be registered anew, and how Android keys may sign requests.
max_key_age = "4320h"
request_algorithms = ["ecdsa-p256-sha256"]
{{app.android}}{{app.apple}}`

const demoAndroid = `
[app.android]
# google: what Google's reference verifier accepts. strict: the path rules of
# RFC 5280 on top, with exceptions for known phones.
profile = {{profile}}
# Where the key must be: tee or strongbox.
min_level = {{min_level}}
# verified: the maker's system on a locked phone. listed: also the systems whose
# verifiedBootKey (hex) is in boot_keys. dangerous_any: unlocked phones too.
boot = {{boot}}
boot_keys = {{boot_keys}}
# "14", "12.1" or "none"; and the oldest patch levels, each may be "none".
min_os_version = {{min_os_version}}
patch_floor = {{patch_floor}}
# Relying Parties of WebAuthn objects (android-key).
rp_ids = {{rp_ids}}
# One entry a package; signers: SHA-256 of every certificate that may sign it.
packages = {{packages}}
`

const demoApple = `
[app.apple]
platform = {{apple.platform}}
team_id = "` + DemoTeamID + `"
bundle_ids = ["` + DemoBundleID + `"]
# production, development or both.
environments = {{environments}}
# hashed: the app hands SHA-256(challenge) to the system. raw: the challenge.
client_data = {{client_data}}
# How the app came to the phone: 4 App Store, 2 TestFlight. iOS 26 and earlier
# do not say; missing_category: note, warn or reject.
categories = {{categories}}
missing_category = {{missing_category}}
# Empty: every version.
bundle_versions = {{bundle_versions}}
# What a missing or wrong receipt does: note, warn or reject.
receipt = {{receipt}}
# 0: each counter of an assertion is greater than the last. Up to 64 for apps that
# send requests in parallel.
counter_window = 0
`
