package passkey_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sameJSON compares what was emitted, member by member, with what should be.
func sameJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	var g, w any
	must(t, json.Unmarshal(got, &g))
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%v in %s", err, want)
	}
	if d := cmp.Diff(w, g); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// other is a second credential of the person of w.
func (w *world) other() passkey.Record {
	return passkey.Record{RPID: "example.org", Account: w.user.Account, ID: []byte("second"), Key: []byte{1}, Transports: []string{"usb"}}
}

// TestCreationOptions reads every option that can be emitted, but for the
// challenge, which is random.
func TestCreationOptions(t *testing.T) {
	for _, purpose := range []passkey.Purpose{passkey.Enrol, passkey.Add, passkey.Join} {
		for _, hint := range []passkey.Hint{"", passkey.SecurityKey, passkey.ClientDevice, passkey.Hybrid} {
			for _, models := range []bool{false, true} {
				for _, exclude := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s %s models=%v exclude=%v", purpose, hint, models, exclude), func(t *testing.T) {
						creationOptions(t, purpose, hint, models, exclude)
					})
				}
			}
		}
	}
}

func creationOptions(t *testing.T, purpose passkey.Purpose, hint passkey.Hint, models, exclude bool) {
	attestation, hints, excluded := "none", "", ""
	w := newWorld(t, &passkeytest.Options{}, func(o *passkey.Options) {
		if models {
			o.Models, attestation = &passkey.Models{Deny: []passkey.AAGUID{{1}}}, "direct"
		}
	})
	rp, err := w.rp.For(passkey.Dialog{Origin: page, Hint: hint})
	must(t, err)
	var records []passkey.Record
	if exclude {
		records = []passkey.Record{w.other()}
		excluded = `"excludeCredentials": [{"type": "public-key", "id": "` + b64([]byte("second")) + `", "transports": ["usb"]}],`
	}
	if hint != "" {
		hints = `"hints": ["` + string(hint) + `"],`
	}
	c, got, err := rp.Create(purpose, w.user, records, now)
	must(t, err)
	name := "Demo " + string(w.user.Account[2:6])
	sameJSON(t, got, `{
		"rp": {"id": "example.org", "name": "Demo"},
		"user": {"id": "`+b64(w.user.Handle)+`", "name": "`+name+`", "displayName": "`+name+`"},
		"challenge": "`+b64(c.Challenge)+`",
		"timeout": 300000,
		"pubKeyCredParams": [{"type": "public-key", "alg": -8}, {"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -257}],
		"authenticatorSelection": {"residentKey": "required", "requireResidentKey": true, "userVerification": "required"},
		`+hints+excluded+`
		"attestation": "`+attestation+`",
		"extensions": {"credProps": true, "prf": {}}
	}`)
	if len(c.Challenge) != 32 {
		t.Errorf("a challenge of %d bytes", len(c.Challenge))
	}
}

// TestNoAuthenticatorAttachment: given a hint, the library asks for one kind of
// authenticator, which keeps people from theirs.
func TestNoAuthenticatorAttachment(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	for _, hint := range []passkey.Hint{passkey.SecurityKey, passkey.ClientDevice, passkey.Hybrid} {
		rp, err := w.rp.For(passkey.Dialog{Hint: hint})
		must(t, err)
		_, got, err := rp.Create(passkey.Add, w.user, nil, now)
		must(t, err)
		if strings.Contains(string(got), "authenticatorAttachment") {
			t.Errorf("%s: %s", hint, got)
		}
	}
}

func TestRequestOptions(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	own := []passkey.Record{w.other(), {ID: []byte("third")}}
	const list = `"allowCredentials": [{"type": "public-key", "id": "c2Vjb25k", "transports": ["usb"]}, {"type": "public-key", "id": "dGhpcmQ"}],`
	one, two := passkey.PRFSalt("demo", "sealing"), passkey.PRFSalt("demo", "backup")
	challenge := []byte(strings.Repeat("c", 32))
	tests := []struct {
		name      string
		purpose   passkey.Purpose
		prf       []string
		allow     []passkey.Record
		challenge []byte
		want      string
	}{
		{"sign in", passkey.SignIn, nil, nil, nil, ``},
		{"sign in by handle", passkey.SignIn, nil, own, nil, list},
		{"sign in, prf", passkey.SignIn, []string{"sealing"}, nil, nil, `"extensions": {"prf": {"eval": {"first": "` + b64(one[:]) + `"}}},`},
		{"step up", passkey.StepUp, nil, own, nil, list},
		{"step up, prf", passkey.StepUp, []string{"sealing", "backup"}, own, nil,
			list + `"extensions": {"prf": {"eval": {"first": "` + b64(one[:]) + `", "second": "` + b64(two[:]) + `"}}},`},
		{"approval", passkey.Approve, nil, own, challenge, list},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rp, err := w.rp.For(passkey.Dialog{Origin: page, PRF: tt.prf})
			must(t, err)
			c, got, err := rp.Request(tt.purpose, tt.allow, tt.challenge, now)
			must(t, err)
			sameJSON(t, got, `{`+tt.want+`
				"challenge": "`+b64(c.Challenge)+`", "timeout": 300000, "rpId": "example.org", "userVerification": "required"}`)
			if len(c.Challenge) != 32 || tt.challenge != nil && string(c.Challenge) != string(tt.challenge) {
				t.Errorf("challenge %x", c.Challenge)
			}
		})
	}
}

func TestChallengesDiffer(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	seen := map[string]bool{}
	for range 50 {
		a, _, err := w.rp.Create(passkey.Enrol, w.user, nil, now)
		must(t, err)
		b, _, err := w.rp.Request(passkey.SignIn, nil, nil, now)
		must(t, err)
		if seen[string(a.Challenge)] || seen[string(b.Challenge)] || string(a.Challenge) == string(b.Challenge) {
			t.Fatal("a challenge twice")
		}
		seen[string(a.Challenge)], seen[string(b.Challenge)] = true, true
	}
}

func TestBeginRefuses(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	stranger := w.other()
	stranger.Account = "a_abcdefghijklmnopqrstuvwxy2"
	create := func(p passkey.Purpose, u passkey.User, exclude ...passkey.Record) error {
		_, _, err := w.rp.Create(p, u, exclude, now)
		return err
	}
	request := func(p passkey.Purpose, challenge []byte, allow ...passkey.Record) error {
		_, _, err := w.rp.Request(p, allow, challenge, now)
		return err
	}
	short, nobody := w.user, w.user
	short.Handle, nobody.Account = short.Handle[:63], ""
	for name, err := range map[string]error{
		"create for no purpose":           create("", w.user),
		"create to sign in":               create(passkey.SignIn, w.user),
		"create with a short user handle": create(passkey.Enrol, short),
		"create for nobody":               create(passkey.Enrol, nobody),
		"create, another's in the list":   create(passkey.Add, w.user, stranger),
		"request for no purpose":          request("", nil),
		"request to enrol":                request(passkey.Enrol, nil),
		"step-up by any credential":       request(passkey.StepUp, nil),
		"approval by any credential":      request(passkey.Approve, make([]byte, 32)),
		"approval without a challenge":    request(passkey.Approve, nil, w.other()),
		"approval with a short challenge": request(passkey.Approve, make([]byte, 31), w.other()),
		"step-up with a challenge":        request(passkey.StepUp, make([]byte, 32), w.other()),
		"sign-in with a challenge":        request(passkey.SignIn, make([]byte, 32)),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "passkey: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCeremonyRow: what the library gave at the begin is what is made anew of
// the columns, for each purpose.
func TestCeremonyRow(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	for _, d := range []passkey.Dialog{{}, {Origin: page}, {Origin: page, Hint: passkey.Hybrid}, {Origin: otherPage, PRF: []string{"sealing"}}} {
		rp, err := w.rp.For(d)
		must(t, err)
		for _, p := range []passkey.Purpose{passkey.Enrol, passkey.Add, passkey.Join, passkey.SignIn, passkey.StepUp, passkey.Approve} {
			var c passkey.Ceremony
			var records []passkey.Record
			var challenge []byte
			if p != passkey.SignIn {
				records = []passkey.Record{w.other(), {ID: []byte("third"), Account: w.user.Account}}
			}
			if p == passkey.Approve {
				challenge = []byte(strings.Repeat("c", 32))
			}
			if p == passkey.Enrol || p == passkey.Add || p == passkey.Join {
				c, _, err = rp.Create(p, w.user, records, now)
			} else {
				c, _, err = rp.Request(p, records, challenge, now)
			}
			must(t, err)
			row := passkey.Ceremony{ // the columns, and nothing else
				Purpose: c.Purpose, RPID: w.rp.RPID(), Account: c.Account, Challenge: c.Challenge, Origin: c.Origin,
				Extensions: c.Extensions, CreatedAt: c.CreatedAt, ExpiresAt: c.ExpiresAt,
			}
			must(t, row.ParseAllow(c.EncodeAllow()))
			if d := cmp.Diff(c, row); d != "" {
				t.Errorf("%s: the row: %s", p, d)
			}
			if c.ExpiresAt.Sub(now) != 5*time.Minute {
				t.Errorf("%s lives until %s", p, c.ExpiresAt)
			}
			given, made, err := passkey.Sessions(rp, row, w.user, records, challenge)
			must(t, err)
			given.Challenge, made.Challenge = "", "" // random
			if d := cmp.Diff(given, made, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s, %+v: -given +made:\n%s", p, d, d)
			}
		}
	}
}

func TestParseAllow(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty": nil, "short length": {0, 0, 0}, "no value": {0, 0, 0, 1}, "cut": {0, 0, 0, 2, 1}, "rest": {0, 0, 0, 0, 9}, "huge": {255, 255, 255, 255, 1},
	} {
		var c passkey.Ceremony
		if err := c.ParseAllow(b); err == nil {
			t.Errorf("%s: taken as %+v", name, c)
		}
	}
}

func TestNew(t *testing.T) {
	six := []string{"https://a.com", "https://b.com", "https://c.com", "https://d.com", "https://e.com", "https://f.com"}
	tests := []struct {
		name   string
		change func(*passkey.Options)
		want   string // in the error; empty: good
	}{
		{"good", func(*passkey.Options) {}, ""},
		{"five labels", func(o *passkey.Options) { o.AppOrigins, o.Origins = nil, six[:5] }, ""},
		{"one label, many suffixes", func(o *passkey.Options) {
			o.AppOrigins, o.Origins = nil, []string{"https://a.com", "https://a.co.uk", "https://a.com.au", "https://a.de", "https://a.co.jp", "https://a.ne.jp", "https://a.org.uk", "https://a.github.io", "https://x.a.fr"}
		}, ""},
		{"localhost", func(o *passkey.Options) { o.RPID, o.Origins = "localhost", []string{"http://localhost:8080"} }, ""},
		{"six labels", func(o *passkey.Options) { o.AppOrigins, o.Origins = nil, six }, "6 distinct"},
		{"no app", func(o *passkey.Options) { o.App = "" }, "Options.App"},
		{"no name", func(o *passkey.Options) { o.Name = "" }, "Options.Name"},
		{"no RP ID", func(o *passkey.Options) { o.RPID = "" }, "Options.RPID"},
		{"RP ID with a scheme", func(o *passkey.Options) { o.RPID = "https://example.org" }, "RPID"},
		{"RP ID is an address", func(o *passkey.Options) { o.RPID = "127.0.0.1" }, "RPID"},
		{"no origin", func(o *passkey.Options) { o.Origins = nil }, "Options.Origins"},
		{"http", func(o *passkey.Options) { o.Origins = []string{"http://example.org"} }, "not https"},
		{"origin with a path", func(o *passkey.Options) { o.Origins = []string{"https://example.org/"} }, "as browsers do"},
		{"origin in upper case", func(o *passkey.Options) { o.Origins = []string{"https://Example.org"} }, "as browsers do"},
		{"origin with the port", func(o *passkey.Options) { o.Origins = []string{"https://example.org:443"} }, "as browsers do"},
		{"origin twice", func(o *passkey.Options) { o.Origins = []string{page, page} }, "twice"},
		{"app among pages", func(o *passkey.Options) { o.Origins = append(o.Origins, androidApp) }, "Options.Origins"},
		{"page among apps", func(o *passkey.Options) { o.AppOrigins = []string{page} }, "Options.AppOrigins"},
		{"empty models", func(o *passkey.Options) { o.Models = &passkey.Models{} }, "Options.Models"},
		{"model allowed and denied", func(o *passkey.Options) {
			o.Models = &passkey.Models{Allow: []passkey.AAGUID{{1}}, Deny: []passkey.AAGUID{{1}}}
		}, "allowed and denied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options()
			tt.change(o)
			_, err := passkey.New(o)
			if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "passkey: ")) {
				t.Errorf("New: %v, want %q", err, tt.want)
			}
		})
	}
}

func TestRelatedOrigins(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	sameJSON(t, w.rp.RelatedOrigins(), `{"origins": ["`+page+`", "`+otherPage+`"]}`)
}

func TestDialog(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	for name, d := range map[string]passkey.Dialog{
		"origin that is not configured": {Origin: "https://evil.example"},
		"origin of an app":              {Origin: androidApp},
		"origin in upper case":          {Origin: strings.ToUpper(page)},
		"unknown hint":                  {Hint: "platform"},
		"three purposes":                {PRF: []string{"a", "b", "c"}},
		"purpose without a name":        {PRF: []string{""}},
	} {
		if _, err := w.rp.For(d); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	must(t, err)
	return text
}
