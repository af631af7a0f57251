package android_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

func parseList(t testing.TB, text string) *android.StatusList {
	t.Helper()
	l, err := android.ParseStatusList([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// entries is the vendor's list with these members of entries.
func entries(members string) string { return `{"entries": {` + members + `}}` }

func TestStatusList(t *testing.T) {
	const revoked, suspended = `{"status": "REVOKED", "reason": "KEY_COMPROMISE", "comment": "x", "expires": "2030-11-13"}`, `{"status": "SUSPENDED"}`
	for _, c := range []struct{ name, key, serial string }{
		{"1", "1", "1"}, {"leading zeros", "0000000a", "a"}, {"upper case", "AbCd", "abcd"}, {"looks decimal", "100", "100"},
		{"odd number of digits", "abc", "abc"}, {"zero", "0", "0"}, {"zeros", "0000", "0"}, {"long", strings.Repeat("ab", 40), strings.Repeat("ab", 40)},
	} {
		l := parseList(t, entries(`"`+c.key+`": `+revoked))
		if l.Lookup(c.serial) != android.StatusRevoked || l.Len() != 1 || l.Lookup(c.serial+"0") != "" || l.Lookup("") != "" {
			t.Errorf("%s: %s is %q", c.name, c.serial, l.Lookup(c.serial))
		}
	}
	for _, c := range []struct{ name, members, want string }{
		{"suspended", `"a": ` + suspended, "SUSPENDED"},
		{"another text", `"a": {"status": "WATCHED"}`, "WATCHED"},
		{"lower case is another text", `"a": {"status": "revoked"}`, "revoked"},
		{"twice, the worse first", `"a": ` + revoked + `, "0A": ` + suspended, "REVOKED"},
		{"twice, the worse last", `"a": ` + suspended + `, "0a": ` + revoked, "REVOKED"},
		{"suspended and another text", `"a": ` + suspended + `, "A": {"status": "WATCHED"}`, "SUSPENDED"},
		{"another text and suspended", `"a": {"status": "WATCHED"}, "A": ` + suspended, "SUSPENDED"},
	} {
		if l := parseList(t, entries(c.members)); l.Lookup("a") != c.want || l.Len() != 1 {
			t.Errorf("%s: %q of %d", c.name, l.Lookup("a"), l.Len())
		}
	}
	if l := parseList(t, entries("")); l.Len() != 0 { // whether that is plausible is for who fetches it
		t.Errorf("an empty list has %d", l.Len())
	}
	var zero android.StatusList
	if zero.Lookup("1") != "" || zero.Len() != 0 || zero.Age(testNow()) != 0 {
		t.Error("the zero list names somebody")
	}
}

func TestStatusListRefuses(t *testing.T) {
	const revoked = `{"status": "REVOKED"}`
	for name, text := range map[string]string{
		"nothing":                     "",
		"no JSON":                     "<html>",
		"an array":                    "[]",
		"null":                        "null",
		"a number":                    "1",
		"an empty object":             "{}",
		"entries null":                `{"entries": null}`,
		"entries an array":            `{"entries": []}`,
		"entries a text":              `{"entries": "1"}`,
		"something behind it":         entries("") + "x",
		"two documents":               entries("") + entries(""),
		"cut short":                   entries(`"a": ` + revoked)[:30],
		"one key that is not hex":     entries(`"a": ` + revoked + `, "xyz": ` + revoked),
		"a key with 0x":               entries(`"0x1a": ` + revoked),
		"a key with a sign":           entries(`"-1": ` + revoked),
		"a key with spaces":           entries(`" a": ` + revoked),
		"an empty key":                entries(`"": ` + revoked),
		"an entry without status":     entries(`"a": {"reason": "KEY_COMPROMISE"}`),
		"an empty status":             entries(`"a": {"status": ""}`),
		"a status that is no text":    entries(`"a": {"status": 1}`),
		"an entry that is text":       entries(`"a": "REVOKED"`),
		"an entry that is null":       entries(`"a": null`),
		"a snapshot without time":     `{"list": ` + entries("") + `}`,
		"a snapshot with a bad time":  `{"fetched_at": "yesterday", "list": ` + entries("") + `}`,
		"a snapshot without entries":  `{"fetched_at": "2026-11-21T00:00:00Z", "list": {}}`,
		"a snapshot of null":          `{"fetched_at": "2026-11-21T00:00:00Z", "list": null}`,
		"a snapshot inside a list":    `{"fetched_at": "2026-11-21T00:00:00Z", "list": {"fetched_at": "2026-11-21T00:00:00Z", "list": ` + entries("") + `}}`,
		"a snapshot with a bad key":   `{"fetched_at": "2026-11-21T00:00:00Z", "list": ` + entries(`"g": `+revoked) + `}`,
		"ten thousand levels of JSON": entries(`"a": {"status": "REVOKED", "x": ` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`),
	} {
		if l, err := android.ParseStatusList([]byte(text)); !errors.Is(err, android.ErrStatusList) || l != nil {
			t.Errorf("%s: %v, %v", name, l, err)
		}
	}
}

// TestSnapshot: the vendor's list has age 0, a snapshot its own; the digest is
// that of the list in both.
func TestSnapshot(t *testing.T) {
	list := entries(`"a": {"status": "REVOKED"}`)
	bare := parseList(t, " "+list+"\n")
	sum := sha256.Sum256([]byte(list))
	if bare.Digest != "sha256:"+hex.EncodeToString(sum[:]) || !bare.FetchedAt.IsZero() || bare.Age(testNow()) != 0 {
		t.Errorf("%s, fetched at %s, age %s", bare.Digest, bare.FetchedAt, bare.Age(testNow()))
	}
	snapshot := parseList(t, `{"fetched_at": "2026-11-21T20:00:00+09:00", "list": `+list+`}`)
	if snapshot.Digest != bare.Digest || snapshot.Age(testNow()) != time.Hour || snapshot.FetchedAt.Location() != time.UTC || snapshot.Lookup("a") != android.StatusRevoked {
		t.Errorf("%s, age %s", snapshot.Digest, snapshot.Age(testNow()))
	}
	at := testNow()
	some := android.NewStatusList("sha256:x", &at, 99, map[string]string{"a": "SUSPENDED"})
	if some.Len() != 99 || some.Lookup("a") != "SUSPENDED" || some.Lookup("b") != "" || some.Age(at.Add(time.Minute)) != time.Minute || some.Digest != "sha256:x" {
		t.Errorf("%+v", some)
	}
}

// TestRevocation: step 8, of every certificate but the leaf, by canonical
// serials on both sides.
func TestRevocation(t *testing.T) {
	padded := func(position int, serial ...byte) attesttest.AndroidOption {
		return at(position, func(c *attesttest.Certificate) { c.DER, c.Serial = nil, serial })
	}
	for _, c := range []struct {
		name   string
		kind   attesttest.Provisioning
		opt    attesttest.AndroidOption
		key    string
		status string
		want   string
		at     int
		listed []android.Listed
	}{
		{"batch", attesttest.Factory, padded(1, 0x57, 0xa0), "57a0", "REVOKED", android.CodeRevoked, 1, nil},
		{"batch, negative serial", attesttest.Factory, padded(1, 0xd7, 0xa0), "D7A0", "REVOKED", android.CodeRevoked, 1, nil},
		{"batch, padded serial", attesttest.Factory, padded(1, 0, 0, 0x05), "0005", "REVOKED", android.CodeRevoked, 1, nil},
		{"batch, a serial of 40 octets", attesttest.Factory, padded(1, slices.Repeat([]byte{0x11}, 40)...), strings.Repeat("11", 40), "REVOKED", android.CodeRevoked, 1, nil},
		{"serial 0", attesttest.Factory, padded(1, 0), "00", "REVOKED", android.CodeRevoked, 1, nil},
		{"issuer", attesttest.RKP, padded(3, 0x57, 0xa0), "57a0", "REVOKED", android.CodeRevoked, 3, nil},
		{"root", attesttest.Factory, padded(3, 0x57, 0xa0), "57a0", "REVOKED", android.CodeRevoked, 3, nil},
		{"leaf: every leaf has serial 1", attesttest.RKP, padded(0, 1), "1", "REVOKED", "", -1, nil},
		{"entry 1 and a batch of serial 1", attesttest.Factory, padded(1, 1), "1", "REVOKED", android.CodeRevoked, 1, nil},
		{"decimal is not meant", attesttest.Factory, padded(1, 100), "100", "REVOKED", "", -1, nil},
		{"hex that looks decimal", attesttest.Factory, padded(1, 0x01, 0x00), "100", "REVOKED", android.CodeRevoked, 1, nil},
		{"a prefix", attesttest.Factory, padded(1, 0x57, 0xa0), "57", "REVOKED", "", -1, nil},
		{"suspended", attesttest.Factory, padded(2, 0x57, 0xa0), "57a0", "SUSPENDED", "", -1, []android.Listed{{Position: 2, Status: "SUSPENDED"}}},
		{"another text", attesttest.RKP, padded(4, 0x57, 0xa0), "57a0", "WATCHED", "", -1, []android.Listed{{Position: 4, Status: "WATCHED"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := trusting(t)
			o.Status = parseList(t, entries(`"`+c.key+`": {"status": "`+c.status+`"}`))
			a, err := android.Verify(attested(t, c.kind, c.opt), o, testNow())
			if code(t, err) != c.want || position(err) != c.at {
				t.Fatalf("%v, want %q at %d", err, c.want, c.at)
			}
			if err == nil && !slices.Equal(a.Listed, c.listed) {
				t.Errorf("listed %v, want %v", a.Listed, c.listed)
			}
		})
	}
}
