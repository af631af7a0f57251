package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/store/sqlite"
)

// token is the backend's.
const token = "0123456789abcdef0123456789abcdef01234567"

// files are what `staunch serve` is started with. The policy trusts no test
// roots; the keys are put into the store, as if they had been registered.
func files(address string) map[string]string {
	return map[string]string{
		"token":       token + "\n",
		"root":        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
		"status.json": `{"entries": {}}`,
		"policy.toml": policyText,
		"staunch.toml": `
listen = "` + address + `"
data_dir = "data"
[attest]
policy_file = "policy.toml"
status_list_file = "status.json"
[[app]]
id = "demo"
service_token_file = "token"
root_secret_file = "root"
`,
	}
}

const policyText = `
version = 1
name = "bench"
android.revocation = { max_age = "72h", warn_age = "12h", suspended = "warn" }
request = { max_age = "10m", future_skew = "30s", authorities = ["pay.example.com"] }
rollout = [ { app = "demo", platform = "any", operation = "any", countries = ["*"], percent = 100, salt = "", mode = "enforce" } ]

[[app]]
id = "demo"
challenge_lifetime = "5m"
max_key_age = "4320h"
request_algorithms = ["ecdsa-p256-sha256"]

[app.android]
profile = "google"
min_level = "tee"
boot = "verified"
boot_keys = []
min_os_version = "none"
patch_floor = { os = "none", vendor = "none", boot = "none", max_age = "none" }
rp_ids = []
packages = [ { name = "com.example.demo", signers = ["9620f683c5c0d2e2e0a1eca5a9b684f95d3fb5c123a51d973d1bcc5da0e5df01"], min_version_code = 1, shared_uid = false } ]
`

// app is what the server under measurement serves, and its phones.
type app struct {
	config string
	keys   []phoneKey
}

// phoneKey is a key that nobody has attested.
type phoneKey struct {
	*ecdsa.PrivateKey
	id string
}

// newApp writes the files of a server at address, and makes a store with keys in it.
func newApp(ctx context.Context, dir, address string) (*app, error) {
	for name, text := range files(address) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return nil, err
	}
	store, err := sqlite.Open(ctx, &sqlite.Options{Path: filepath.Join(data, "demo.db"), App: "demo"})
	if err != nil {
		return nil, err
	}
	a := &app{config: filepath.Join(dir, "staunch.toml")}
	err = store.Update(ctx, func(tx *sqlite.Tx) error {
		a.keys = nil
		for range signingKeys {
			k, record, err := newKey()
			if err != nil {
				return err
			}
			if err := tx.PutAttestedKey(ctx, record); err != nil {
				return err
			}
			a.keys = append(a.keys, k)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, store.Close()
}

func newKey() (phoneKey, registry.Key, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return phoneKey{}, registry.Key{}, err
	}
	spki, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		return phoneKey{}, registry.Key{}, err
	}
	sum := sha256.Sum256(spki)
	id := base64.RawURLEncoding.EncodeToString(sum[:])
	return phoneKey{k, id}, registry.Key{
		ID: id, App: "demo", Account: account.NewID(), Platform: "android", SPKI: spki, Algorithm: "EC-P256",
		Tier: attest.TierAffirming, State: registry.StateActive, Model: "Google Pixel 9", OS: "16.0.0", RegisteredAt: time.Now(),
	}, nil
}

// calls makes n calls of VerifyRequest as their bytes go over the wire, each
// about a payment that a phone has signed at now, with a nonce of its own.
func (a *app) calls(n int, now time.Time) ([][]byte, error) {
	calls := make([][]byte, n)
	errs := make([]error, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil; i += len(errs) {
				calls[i], errs[w] = a.keys[i%len(a.keys)].call(now)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return calls, nil
}

func (k phoneKey) call(now time.Time) ([]byte, error) {
	req, err := http.NewRequest(http.MethodPost, "https://pay.example.com/v1/remit?dry=0", strings.NewReader(`{"amount":1000,"payee":"bob"}`))
	if err != nil {
		return nil, err
	}
	if err := request.Sign(req, &request.Signing{KeyID: k.id, Created: now, Sign: k.sign}); err != nil {
		return nil, err
	}
	m, _, err := request.FromHTTP(req, 1<<20)
	if err != nil {
		return nil, err
	}
	body, err := proto.Marshal(&attestv1.VerifyRequestRequest{
		Method: m.Method, Authority: m.Authority, Path: m.Path, Query: m.Query, Fields: m.Fields,
		SignatureInput: m.SignatureInput, Signature: m.Signature, HasBody: m.HasBody, BodySha256: m.BodySHA256, BodyMembers: m.BodyMembers,
	})
	if err != nil {
		return nil, err
	}
	head := "POST /staunch.attest.v1.AttestService/VerifyRequest HTTP/1.1\r\nHost: staunch\r\nAuthorization: Bearer " + token +
		"\r\nContent-Type: application/proto\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	return append([]byte(head), body...), nil
}

// sign gives r and s, as RFC 9421, Section 3.3.4, wants them.
func (k phoneKey) sign(base []byte) ([]byte, error) {
	digest := sha256.Sum256(base)
	r, s, err := ecdsa.Sign(rand.Reader, k.PrivateKey, digest[:])
	if err != nil {
		return nil, err
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
}
