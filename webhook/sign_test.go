package webhook_test

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/webhook"
)

// signed is a call that is signed as Standard Webhooks 1.0.0 has it.
func signed(id string, at time.Time, body string) http.Header {
	ts := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", ts)
	h.Set("webhook-signature", "v1a,"+base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(id+"."+ts+"."+body))))
	return h
}

// TestVerify: one good call and small changes to it.
func TestVerify(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", 32))).Public().(ed25519.PublicKey)
	mine := key.Public().(ed25519.PublicKey)
	tests := []struct {
		name   string
		change func(h http.Header, body *string, keys *[]ed25519.PublicKey)
		ok     bool
	}{
		{"good", func(http.Header, *string, *[]ed25519.PublicKey) {}, true},
		{"one of two keys", func(_ http.Header, _ *string, k *[]ed25519.PublicKey) { *k = []ed25519.PublicKey{other, mine} }, true},
		{"one of two signatures", func(h http.Header, _ *string, _ *[]ed25519.PublicKey) {
			h.Set("webhook-signature", "v1,AAAA v1a,AAAA "+h.Get("webhook-signature"))
		}, true},
		{"another key", func(_ http.Header, _ *string, k *[]ed25519.PublicKey) { *k = []ed25519.PublicKey{other} }, false},
		{"no key", func(_ http.Header, _ *string, k *[]ed25519.PublicKey) { *k = nil }, false},
		{"a short key", func(_ http.Header, _ *string, k *[]ed25519.PublicKey) { *k = []ed25519.PublicKey{mine[:31]} }, false},
		{"another body", func(_ http.Header, b *string, _ *[]ed25519.PublicKey) { *b += " " }, false},
		{"another id", func(h http.Header, _ *string, _ *[]ed25519.PublicKey) { h.Set("webhook-id", "evt_2") }, false},
		{"another time", func(h http.Header, _ *string, _ *[]ed25519.PublicKey) {
			h.Set("webhook-timestamp", strconv.FormatInt(now.Unix()+1, 10))
		}, false},
		{"an id with a dot", func(h http.Header, b *string, _ *[]ed25519.PublicKey) {
			for k, v := range signed("evt.1", now, *b) {
				h[k] = v
			}
		}, false},
		{"symmetric", func(h http.Header, _ *string, _ *[]ed25519.PublicKey) {
			h.Set("webhook-signature", strings.Replace(h.Get("webhook-signature"), "v1a,", "v1,", 1))
		}, false},
		{"too old", func(h http.Header, b *string, _ *[]ed25519.PublicKey) {
			for k, v := range signed("evt_1", now.Add(-5*time.Minute-time.Second), *b) {
				h[k] = v
			}
		}, false},
		{"just in time", func(h http.Header, b *string, _ *[]ed25519.PublicKey) {
			for k, v := range signed("evt_1", now.Add(-5*time.Minute), *b) {
				h[k] = v
			}
		}, true},
		{"from the future", func(h http.Header, b *string, _ *[]ed25519.PublicKey) {
			for k, v := range signed("evt_1", now.Add(5*time.Minute+time.Second), *b) {
				h[k] = v
			}
		}, false},
		{"no time", func(h http.Header, _ *string, _ *[]ed25519.PublicKey) { h.Del("webhook-timestamp") }, false},
		{"two ids", func(h http.Header, _ *string, _ *[]ed25519.PublicKey) { h.Add("webhook-id", "evt_1") }, false},
		{"many signatures", func(h http.Header, _ *string, _ *[]ed25519.PublicKey) {
			h.Set("webhook-signature", strings.Repeat("v1a,AAAA ", 16)+h.Get("webhook-signature"))
		}, false},
	}
	for _, test := range tests {
		body, keys := `{"type":"a.b"}`, []ed25519.PublicKey{mine}
		h := signed("evt_1", now, body)
		test.change(h, &body, &keys)
		id, err := webhook.Verify(h, []byte(body), keys, now)
		if (err == nil) != test.ok || test.ok != (id == "evt_1") || err != nil && !errors.Is(err, webhook.ErrSignature) {
			t.Errorf("%s: %q, %v", test.name, id, err)
		}
	}
}

// TestPublicKey: a key is written and read back.
func TestPublicKey(t *testing.T) {
	pub := key.Public().(ed25519.PublicKey)
	text := webhook.PublicKey(pub)
	if got, err := webhook.ParsePublicKey(text); err != nil || !got.Equal(pub) || !strings.HasPrefix(text, "whpk_") {
		t.Errorf("%s: %v", text, err)
	}
	for _, bad := range []string{"", text[5:], text + "A", "whsk_" + text[5:], "whpk_AAAA"} {
		if _, err := webhook.ParsePublicKey(bad); err == nil {
			t.Errorf("%q is a key", bad)
		}
	}
}

// TestNew: what is no place to send to, and what is missing.
func TestNew(t *testing.T) {
	m := &memory{}
	for url, ok := range map[string]bool{
		"https://api.example.org/staunch": true, "http://127.0.0.1:8080/": true, "http://[::1]/": true, "http://localhost/": true,
		"http://api.example.org/": false, "ftp://api.example.org/": false, "https://": false, "https://a:b@api.example.org/": false,
		"https://api.example.org/#x": false, "": false, "http://localhost.example.org/": false, "http://10.0.0.1/": false,
	} {
		if _, err := webhook.New(options(m, url)); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
	for name, change := range map[string]func(*webhook.Options){
		"no app": func(o *webhook.Options) { o.App = "" }, "no key": func(o *webhook.Options) { o.Key = nil },
		"no update": func(o *webhook.Options) { o.Update = nil }, "no view": func(o *webhook.Options) { o.View = nil },
	} {
		o := options(m, "https://api.example.org/")
		change(o)
		if _, err := webhook.New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestCertificate: a receiver whose certificate nobody vouches for gets nothing.
func TestCertificate(t *testing.T) {
	got := 0
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got++ }))
	defer s.Close()
	m := &memory{}
	m.append(alice, "account.frozen", `{}`, time.Now())
	d, err := webhook.New(options(m, s.URL))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer stop()
	if err := d.Run(ctx); err != nil || got != 0 || m.at() != 0 {
		t.Errorf("%v; %d calls, cursor %d", err, got, m.at())
	}
	o := options(m, s.URL)
	o.Roots = x509.NewCertPool()
	o.Roots.AddCert(s.Certificate())
	deliver(t, o, func() bool { return m.at() == 1 })
}
