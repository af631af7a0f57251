package fetch_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/fetch"
	"github.com/staunchid/staunch/fetch/fetchtest"
)

// printed is what fmt, slog and JSON make of values.
func printed(values ...any) map[string]string {
	out := map[string]string{}
	for i, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			out[fmt.Sprintf("%d %s", i, verb)] = fmt.Sprintf(verb, v)
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		out[fmt.Sprintf("%d slog", i)] = log.String()
		text, err := json.Marshal(v)
		out[fmt.Sprintf("%d JSON", i)] = fmt.Sprint(string(text), err)
	}
	return out
}

func TestParseAppleKey(t *testing.T) {
	pemOf := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	good := pemOf("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key)))
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	for _, c := range []struct{ name, team, id, p8, want string }{
		{"good", team, keyID, good, ""},
		{"a line more", team, keyID, good + "\n", ""},
		{"no team", "", keyID, good, "team id"},
		{"no key id", team, "", good, "key id"},
		{"a team id with a dot", "TEAM.app", keyID, good, "team id"},
		{"a key id with a quote", team, `KEY"`, good, "key id"},
		{"a long key id", team, strings.Repeat("K", 65), good, "key id"},
		{"nothing", team, keyID, "", "is no PEM"},
		{"no PEM", team, keyID, "PRIVATE KEY", "is no PEM"},
		{"damaged", team, keyID, strings.Replace(good, "\n", "\n*", 1), "its base64 is damaged"},
		{"SEC 1", team, keyID, pemOf("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(key))), "is not one PEM block"},
		{"two blocks", team, keyID, good + good, "is not one PEM block"},
		{"no PKCS #8", team, keyID, pemOf("PRIVATE KEY", []byte("secret")), "holds no PKCS #8 key"},
		{"P-384", team, keyID, pemOf("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))))), "not on P-256"},
		{"Ed25519", team, keyID, pemOf("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ed))), "not on P-256"},
	} {
		k, err := fetch.ParseAppleKey(c.team, c.id, []byte(c.p8))
		if c.want == "" {
			if err != nil || k.Team() != team {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if k != nil || !errors.Is(err, fetch.ErrKey) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if c.p8 != "" && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the file is in %q", c.name, err)
		}
	}
}

// TestToken: one JWT for 40 minutes, by the clock that says more, and never one
// from the future.
func TestToken(t *testing.T) {
	v := newVendor(t)
	synctest.Test(t, func(t *testing.T) {
		clock := &wall{}
		v.SetNow(func() time.Time { return clock.now() })
		answering(v, fetchtest.Answer{Status: 304})
		r := newReceipts(t, v, func(o *fetch.ReceiptOptions) { o.Client, o.Now = v.InProcess(), clock.now })
		last, made := "", 0
		call := func(name string, renewed bool) {
			t.Helper()
			o, err := r.Exchange(t.Context(), team, appattest.Production, []byte("old"))
			if err != nil || o.Kind != fetch.OutcomeTooEarly {
				t.Fatalf("%s: %+v, %v", name, o, err)
			}
			calls := v.Exchanges()
			if made++; len(calls) != made { // none was refused and made anew
				t.Errorf("%s: %d calls, want %d", name, len(calls), made)
			}
			token := calls[len(calls)-1].Token
			if (token != last) != renewed {
				t.Errorf("%s: another JWT: %v, want %v", name, token != last, renewed)
			}
			last = token
		}
		call("first", true)
		call("second", false)
		time.Sleep(40*time.Minute - time.Second)
		call("just before its end", false)
		time.Sleep(time.Second)
		call("at its end", true)
		clock.add(50 * time.Minute)
		call("the clock goes forward", true)
		clock.add(-2 * time.Hour)
		call("the clock goes back", true)
		time.Sleep(20 * time.Minute)
		clock.add(-10 * time.Minute)
		call("the clock goes back a little", false)
		time.Sleep(20 * time.Minute)
		call("40 minutes after, by the other clock", true)
	})
}

// TestRefusedToken: a JWT that has been in use and is refused is made anew,
// once; a fresh one is not.
func TestRefusedToken(t *testing.T) {
	v := newVendor(t)
	synctest.Test(t, func(t *testing.T) {
		v.SetNow(func() time.Time { return time.Now() }) // of the bubble
		answering(v, fetchtest.Answer{Status: 304})
		r := newReceipts(t, v, func(o *fetch.ReceiptOptions) { o.Client = v.InProcess() })
		exchange := func(name string, want fetch.OutcomeKind, calls int) {
			t.Helper()
			before := len(v.Exchanges())
			o, err := r.Exchange(t.Context(), team, appattest.Production, []byte("old"))
			if err != nil || o.Kind != want {
				t.Errorf("%s: %+v, %v; want %s", name, o, err, want)
			}
			if n := len(v.Exchanges()) - before; n != calls {
				t.Errorf("%s: %d calls, want %d", name, n, calls)
			}
		}
		exchange("good", fetch.OutcomeTooEarly, 1)
		time.Sleep(10 * time.Minute)
		v.SetNow(func() time.Time { return time.Now().Add(55 * time.Minute) }) // for whom it is over an hour old
		exchange("refused and made anew", fetch.OutcomeTooEarly, 2)
		v.RemoveAppleKey(keyID)
		exchange("refused, and fresh", fetch.OutcomeBadCredentials, 1)
		time.Sleep(2 * time.Minute)
		exchange("refused twice", fetch.OutcomeBadCredentials, 2)
	})
}

// TestCredentialsAreNowhere: neither key nor JWT is in what anybody may log.
func TestCredentialsAreNowhere(t *testing.T) {
	v := newVendor(t)
	p8 := must(v.NewAppleKey(team, keyID))
	key := must(fetch.ParseAppleKey(team, keyID, p8))
	r := must(fetch.NewReceipts(&fetch.ReceiptOptions{Client: v.Client(), Keys: []*fetch.AppleKey{key}, URL: v.ReceiptURL(appattest.Production)}))
	v.SetExchange(func(e fetchtest.Exchange) fetchtest.Answer { // a proxy that shows what it has got
		return fetchtest.Answer{Status: 400, Body: "you sent " + e.Token + "\x1b[31m"}
	})
	o, err := r.Exchange(t.Context(), team, appattest.Production, []byte("old"))
	if err != nil || o.Kind != fetch.OutcomeBadReceipt || !strings.Contains(o.Detail, "you sent [redacted][31m") {
		t.Fatalf("%+v, %v", o, err)
	}
	block, _ := pem.Decode(p8)
	private := must(x509.ParsePKCS8PrivateKey(block.Bytes)).(*ecdsa.PrivateKey)
	d := new(big.Int).SetBytes(must(private.Bytes()))
	secrets := []string{v.Exchanges()[0].Token, d.String(), d.Text(16), base64.StdEncoding.EncodeToString(block.Bytes)[:40]}
	inside := struct {
		key   fetch.AppleKey
		keys  []*fetch.AppleKey
		asker *fetch.Receipts
	}{*key, []*fetch.AppleKey{key}, r}
	for name, text := range printed(key, *key, r, *r, o, inside, &inside) {
		for i, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows secret %d: %s", name, i, text)
			}
		}
	}
	for name, text := range printed(key, *key) {
		if !strings.Contains(text, "[redacted]") {
			t.Errorf("%s: %s", name, text)
		}
	}
}
