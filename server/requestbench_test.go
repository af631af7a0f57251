package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/config"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/store/sqlite"
)

// clients is how many connections ask at once.
const clients = 64

// BenchmarkVerifyRequest asks a whole server about signed requests, over HTTP/1.1
// with 64 connections that are kept, and beside it does nothing but verify the
// signatures. The clients, which run on the same processors, do as little as
// they can.
func BenchmarkVerifyRequest(b *testing.B) {
	b.Run("http", benchmarkRequests)
	b.Run("floor", benchmarkSignatures)
}

func benchmarkRequests(b *testing.B) {
	opts := setup(b)
	opts.Config.Attest.PolicyFile = write(b, filepath.Join(b.TempDir(), "policy.toml"), benchPolicy(b))
	keys := putKeys(b, opts.Config, 1000)
	s := start(b, opts)
	calls := make([][]byte, b.N)
	now := time.Now()
	for i := range calls {
		calls[i] = rawCall(b, keys[i%len(keys)].message(b, now))
	}
	var next atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			c, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			for {
				n := int(next.Add(1)) - 1
				if n >= len(calls) {
					return
				}
				if _, err := c.Write(calls[n]); err != nil {
					b.Error(err)
					return
				}
				if err := allowed(r); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// benchmarkSignatures verifies on as many goroutines as there are processors.
func benchmarkSignatures(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("base"))
	sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
				b.Error("not verified")
			}
		}
	})
}

// benchPolicy takes requests that were signed before a long benchmark began.
func benchPolicy(b *testing.B) string {
	b.Helper()
	data, err := os.ReadFile(setup(b).Config.Attest.PolicyFile)
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Replace(string(data), `max_age = "120s"`, `max_age = "1h"`, 1)
	if text == string(data) {
		b.Fatal("the demo policy has no max_age of 120s")
	}
	return text
}

// benchKey is a key that nobody has attested.
type benchKey struct {
	*ecdsa.PrivateKey
	id string
}

// putKeys makes the store of the app, with n keys in it.
func putKeys(b *testing.B, cfg *config.Config, n int) []benchKey {
	b.Helper()
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		b.Fatal(err)
	}
	store, err := sqlite.Open(b.Context(), &sqlite.Options{Path: filepath.Join(cfg.DataDir, "demo.db"), App: "demo"})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	keys := make([]benchKey, n)
	err = store.Update(b.Context(), func(tx *sqlite.Tx) error {
		for i := range keys {
			k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				return err
			}
			spki, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
			if err != nil {
				return err
			}
			id := sha256.Sum256(spki)
			keys[i] = benchKey{k, base64.RawURLEncoding.EncodeToString(id[:])}
			err = tx.PutAttestedKey(context.Background(), registry.Key{
				ID: keys[i].id, App: "demo", Account: account.NewID(), Platform: "android", SPKI: spki, Algorithm: "EC-P256",
				Tier: attest.TierAffirming, State: registry.StateActive, Model: "Google Pixel 9", OS: "16.0.0", RegisteredAt: time.Now(),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return keys
}

// message is what a backend asks about a payment that this key has signed.
func (k benchKey) message(b *testing.B, now time.Time) *attestv1.VerifyRequestRequest {
	b.Helper()
	req, err := http.NewRequest(http.MethodPost, "https://pay.example.com/v1/remit?dry=0", strings.NewReader(`{"amount":1000,"payee":"bob"}`))
	if err != nil {
		b.Fatal(err)
	}
	err = request.Sign(req, &request.Signing{KeyID: k.id, Created: now, Sign: func(base []byte) ([]byte, error) {
		digest := sha256.Sum256(base)
		r, s, err := ecdsa.Sign(rand.Reader, k.PrivateKey, digest[:])
		if err != nil {
			return nil, err
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
	}})
	if err != nil {
		b.Fatal(err)
	}
	m, _, err := request.FromHTTP(req, 1<<20)
	if err != nil {
		b.Fatal(err)
	}
	return &attestv1.VerifyRequestRequest{
		Method: m.Method, Authority: m.Authority, Path: m.Path, Query: m.Query, Fields: m.Fields,
		SignatureInput: m.SignatureInput, Signature: m.Signature, HasBody: m.HasBody, BodySha256: m.BodySHA256, BodyMembers: m.BodyMembers,
	}
}

// rawCall is a call as its bytes go over the wire.
func rawCall(b *testing.B, m *attestv1.VerifyRequestRequest) []byte {
	b.Helper()
	body, err := proto.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	head := "POST /staunch.attest.v1.AttestService/VerifyRequest HTTP/1.1\r\nHost: staunch\r\n" +
		"Authorization: Bearer " + secret[:40] + "\r\nContent-Type: application/proto\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	return append([]byte(head), body...)
}

// allowed reads one answer, which must be 200 and begin with DECISION_ALLOW.
func allowed(r *bufio.Reader) error {
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
			return fmt.Errorf("answered %s", line)
		}
		if len(line) <= 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	body, err := r.Peek(2)
	if err != nil || body[0] != 1<<3 || body[1] != byte(attestv1.Decision_DECISION_ALLOW) {
		return fmt.Errorf("answer begins with %x: %w", body, err)
	}
	_, err = io.CopyN(io.Discard, r, int64(length))
	return err
}
