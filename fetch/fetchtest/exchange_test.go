package fetchtest_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/fetch/fetchtest"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// jwt is a JWT while it can still be changed.
type jwt struct {
	header, claims string
	der            bool // the signature as X.509 has it
	key            *ecdsa.PrivateKey
	after          func(string) string
}

func (j *jwt) encode() string {
	b64 := base64.RawURLEncoding.EncodeToString
	input := b64([]byte(j.header)) + "." + b64([]byte(j.claims))
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, j.key, digest[:])
	if err != nil {
		panic(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	if j.der {
		signature = must(ecdsa.SignASN1(rand.Reader, j.key, digest[:]))
	}
	return j.after(input + "." + b64(signature))
}

func privateKey(p8 []byte) *ecdsa.PrivateKey {
	block, _ := pem.Decode(p8)
	return must(x509.ParsePKCS8PrivateKey(block.Bytes)).(*ecdsa.PrivateKey)
}

// TestChecksRequests: a client that Apple would refuse is refused.
func TestChecksRequests(t *testing.T) {
	v := fetchtest.NewServer()
	defer v.Close()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	v.SetNow(func() time.Time { return now })
	v.SetExchange(func(e fetchtest.Exchange) fetchtest.Answer {
		return fetchtest.Answer{Status: 200, Receipt: append(e.Receipt, '!')}
	})
	key := privateKey(must(v.NewAppleKey("TEAM123456", "KEY1234567")))
	other := privateKey(must(v.NewAppleKey("TEAM999999", "KEY9999999")))
	claims := func(iss string, at time.Time) string { return fmt.Sprintf(`{"iss":"%s","iat":%d}`, iss, at.Unix()) }
	const receipt = "cmVjZWlwdA=="
	for _, c := range []struct {
		name   string
		edit   func(*jwt)
		body   string
		status int
		text   string
	}{
		{"good", func(*jwt) {}, receipt, 200, "cmVjZWlwdCE="},
		{"59 minutes old", func(j *jwt) { j.claims = claims("TEAM123456", now.Add(-59*time.Minute)) }, receipt, 200, ""},
		{"none", func(j *jwt) { j.after = func(string) string { return "" } }, receipt, 401, "three parts"},
		{"Bearer", func(j *jwt) { j.after = func(s string) string { return "Bearer " + s } }, receipt, 401, "part 0"},
		{"padded", func(j *jwt) { j.after = func(s string) string { return s + "==" } }, receipt, 401, "part 2"},
		{"another algorithm", func(j *jwt) { j.header = `{"alg":"none","kid":"KEY1234567"}` }, receipt, 401, "ES256"},
		{"alg in capitals", func(j *jwt) { j.header = `{"ALG":"ES256","kid":"KEY1234567"}` }, receipt, 401, "ES256"},
		{"another kid", func(j *jwt) { j.header = `{"alg":"ES256","kid":"KEY0000000"}` }, receipt, 401, "kid"},
		{"another team's key", func(j *jwt) { j.header, j.key = `{"alg":"ES256","kid":"KEY9999999"}`, other }, receipt, 401, "iss"},
		{"another key", func(j *jwt) { j.key = other }, receipt, 401, "not of the key"},
		{"DER", func(j *jwt) { j.der = true }, receipt, 401, "R and S"},
		{"an hour old", func(j *jwt) { j.claims = claims("TEAM123456", now.Add(-time.Hour-time.Second)) }, receipt, 401, "hour ago"},
		{"from the future", func(j *jwt) { j.claims = claims("TEAM123456", now.Add(6*time.Minute)) }, receipt, 401, "future"},
		{"iat as text", func(j *jwt) { j.claims = `{"iss":"TEAM123456","iat":"1795262400"}` }, receipt, 401, "iat"},
		{"no iat", func(j *jwt) { j.claims = `{"iss":"TEAM123456"}` }, receipt, 401, "iat"},
		{"no iss", func(j *jwt) { j.claims = fmt.Sprintf(`{"iat":%d}`, now.Unix()) }, receipt, 401, "iss"},
		{"no receipt", func(*jwt) {}, "", 400, "base64"},
		{"a receipt that is not base64", func(*jwt) {}, "\x30\x80", 400, "base64"},
		{"a receipt without padding", func(*jwt) {}, "cmVjZWlwdA", 400, "base64"},
		{"too large", func(*jwt) {}, strings.Repeat("AAAA", 20<<10), 400, "cannot be read"},
	} {
		j := &jwt{`{"alg":"ES256","kid":"KEY1234567"}`, claims("TEAM123456", now), false, key, func(s string) string { return s }}
		c.edit(j)
		req := must(http.NewRequest(http.MethodPost, v.ReceiptURL(appattest.Production), strings.NewReader(c.body)))
		req.Header.Set("Authorization", j.encode())
		resp := must(v.Client().Do(req))
		body := must(io.ReadAll(resp.Body))
		if resp.StatusCode != c.status || !strings.Contains(string(body), c.text) {
			t.Errorf("%s: %d %s, want %d %s", c.name, resp.StatusCode, body, c.status, c.text)
		}
		calls := v.Exchanges()
		if last := calls[len(calls)-1]; (last.Refused == "") != (c.status == 200) {
			t.Errorf("%s: %+v", c.name, last)
		}
	}
}
