package passkey_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// recordText is a record as it is stored: the format, word for word.
const recordText = `{"v":1,"rp":"example.org","account":"a_abcdefghijklmnopqrstuvwxy2","id":"AQID","cose":"pQECAyY","alg":-7,"flags":69,"count":0,` +
	`"aaguid":"fbfc3007-154e-4ecc-8c0b-6e020557d7bd","fmt":"none","transports":["internal","hybrid"],"attachment":"platform",` +
	`"rk":true,"prf":true,"evidence":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","at":"2026-08-01T12:00:00.123456Z"}`

func record() passkey.Record {
	r := passkey.Record{
		RPID: "example.org", Account: "a_abcdefghijklmnopqrstuvwxy2", ID: []byte{1, 2, 3}, Key: []byte{0xa5, 1, 2, 3, 0x26}, Algorithm: -7, Flags: 69,
		Format: "none", Transports: []string{"internal", "hybrid"}, Attachment: "platform", ResidentKey: true, PRF: true,
		At: time.Date(2026, 8, 1, 12, 0, 0, 123456000, time.UTC),
	}
	r.AAGUID, _ = passkey.ParseAAGUID("fbfc3007-154e-4ecc-8c0b-6e020557d7bd")
	for i := range r.Evidence {
		r.Evidence[i] = byte(i)
	}
	return r
}

func TestRecord(t *testing.T) {
	line, err := record().Encode()
	must(t, err)
	if string(line) != recordText {
		t.Errorf("have %s\nwant %s", line, recordText)
	}
	got, err := passkey.ParseRecord([]byte(recordText))
	must(t, err)
	if d := cmp.Diff(record(), got); d != "" {
		t.Error(d)
	}
	digest, err := got.Digest()
	must(t, err)
	if digest != sha256.Sum256([]byte(recordText)) {
		t.Error("the digest is not that of the line")
	}
}

func TestParseRecordRefuses(t *testing.T) {
	tests := []struct{ name, old, new string }{
		{"version", `"v":1`, `"v":2`},
		{"no version", `"v":1,`, ``},
		{"member missing", `,"prf":true`, ``},
		{"member twice", `"count":0`, `"count":0,"count":0`},
		{"unknown member", `"rk":true`, `"rk":true,"x":1`},
		{"other order", `"rk":true,"prf":true`, `"prf":true,"rk":true`},
		{"other case", `"prf"`, `"PRF"`},
		{"space", `"v":1`, `"v": 1`},
		{"newline at the end", `Z"}`, "Z\"}\n"},
		{"two lines", `Z"}`, `Z"}{}`},
		{"escape", `example.org`, `ex\u0061mple.org`},
		{"padding", `"AQID"`, `"AQID=="`},
		{"newline in base64", `"AQID"`, `"AQ\nID"`},
		{"bits behind", `"pQECAyY"`, `"pQECAyZ"`},
		{"no ID", `"AQID"`, `""`},
		{"long ID", `"AQID"`, `"` + strings.Repeat("AAAA", 342) + `"`},
		{"no key", `"pQECAyY"`, `""`},
		{"no RP ID", `"example.org"`, `""`},
		{"account", `"a_a`, `"b_a`},
		{"flags", `"flags":69`, `"flags":256`},
		{"count", `"count":0`, `"count":-1`},
		{"count as a float", `"count":0`, `"count":0.0`},
		{"AAGUID in upper case", `fbfc`, `FBFC`},
		{"AAGUID without hyphens", `fbfc3007-154e-`, `fbfc3007154e`},
		{"transports null", `["internal","hybrid"]`, `null`},
		{"short evidence", `GxwdHh8"`, `GxwdHg"`},
		{"time of another zone", `123456Z`, `123456+00:00`},
		{"time of less precision", `00.123456Z`, `00Z`},
		{"time of more precision", `123456Z`, `1234560Z`},
		{"no time", `"2026-08-01T12:00:00.123456Z"`, `""`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			line := strings.Replace(recordText, tt.old, tt.new, 1)
			if line == recordText {
				t.Fatal("nothing changed")
			}
			if r, err := passkey.ParseRecord([]byte(line)); err == nil || !strings.HasPrefix(err.Error(), "passkey: ") {
				t.Errorf("%v, %+v", err, r)
			}
		})
	}
}

// TestRegisteredRecord: what is recorded is what the authenticator sent.
func TestRegisteredRecord(t *testing.T) {
	model := [16]byte{0xea, 0x9b}
	w := newWorld(t, &passkeytest.Options{Algorithm: -7, Synced: true, AAGUID: model})
	c, response := w.created(passkeytest.Edit(passkeytest.CredentialKey, reordered))
	r, err := w.rp.VerifyCreation(c, response, now)
	must(t, err)
	got := r.Record
	if got.RPID != "example.org" || got.Account != w.user.Account || got.AAGUID != passkey.AAGUID(model) || got.Format != "none" ||
		got.Flags != 0x5d || got.Algorithm != -7 || !got.At.Equal(now) || !got.BackupEligible() || !r.BackupEligible || !r.BackupState {
		t.Errorf("%+v", got)
	}
	if !bytes.HasPrefix(got.Key, []byte{0xa5, 3, 0x26, 1, 2}) || !bytes.Contains(r.Evidence.AttestationObject, got.Key) {
		t.Error("the key is not recorded as it was sent")
	}
	var client struct{ Challenge string }
	must(t, json.Unmarshal(r.Evidence.ClientData, &client))
	if client.Challenge != b64(c.Challenge) || got.Evidence != r.Evidence.Sum() {
		t.Error("the evidence is not that of the ceremony")
	}
	line, err := got.Encode()
	must(t, err)
	again, err := passkey.ParseRecord(line)
	must(t, err)
	c, response = w.asserted()
	if _, err := w.rp.VerifyAssertion(c, w.user, passkey.Stored{Record: again, Flags: again.Flags}, response, now); err != nil {
		t.Errorf("sign-in with the record as stored: %v", err)
	}
}

// reordered is an ES256 key with alg before kty, which is not how CTAP sorts:
// the library sorts what it hands out.
func reordered(key []byte) []byte {
	return append([]byte{0xa5, 3, 0x26, 1, 2}, key[5:]...)
}

func TestEvidence(t *testing.T) {
	e := passkey.Evidence{AttestationObject: []byte("object"), ClientData: []byte("{}")}
	b := e.Encode()
	got, err := passkey.ParseEvidence(b)
	must(t, err)
	if d := cmp.Diff(e, got); d != "" || e.Sum() != sha256.Sum256(b) {
		t.Errorf("%s; sum %x", d, e.Sum())
	}
	for i := range b {
		if _, err := passkey.ParseEvidence(b[:i]); err == nil {
			t.Errorf("taken after %d bytes", i)
		}
	}
	if _, err := passkey.ParseEvidence(append(b, 0)); err == nil {
		t.Error("taken with a rest")
	}
}

func TestTransports(t *testing.T) {
	for name, list := range map[string][]string{
		"empty name": {""}, "space": {"us b"}, "upper case": {"USB"}, "long": {strings.Repeat("a", 33)}, "many": make([]string, 17), "markup": {"<b>"},
	} {
		w := newWorld(t, &passkeytest.Options{})
		c, response := w.created(func(d *passkeytest.Draft) { d.Transports = list })
		if _, err := w.rp.VerifyCreation(c, response, now); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	w := newWorld(t, &passkeytest.Options{})
	if s := w.registered(func(d *passkeytest.Draft) { d.Transports = []string{"usb", "smart-card", "of-tomorrow"} }); len(s.Record.Transports) != 3 {
		t.Errorf("transports %q", s.Record.Transports)
	}
	if s := w.registered(func(d *passkeytest.Draft) { d.Transports = nil }); len(s.Record.Transports) != 0 {
		t.Errorf("transports %q", s.Record.Transports)
	}
}

func TestAAGUID(t *testing.T) {
	const text = "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"
	a, err := passkey.ParseAAGUID(text)
	must(t, err)
	if a.String() != text {
		t.Errorf("%s", a)
	}
	for _, bad := range []string{"", text[1:], text + "0", strings.ToUpper(text), strings.ReplaceAll(text, "-", ""), "ea9b8d664-d01-1d21-3ce4-b6b48cb575d4", "{" + text + "}"} {
		if _, err := passkey.ParseAAGUID(bad); err == nil {
			t.Errorf("%q taken", bad)
		}
	}
	if got := passkey.Provider(a, false); got != "Google Password Manager (unverified)" {
		t.Error(got)
	}
	if got := passkey.Provider(a, true); got != "Google Password Manager" {
		t.Error(got)
	}
	if got := passkey.Provider(passkey.AAGUID{1}, false); got != "" {
		t.Error(got)
	}
}
