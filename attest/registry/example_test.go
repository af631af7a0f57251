package registry_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/store/sqlite"
)

// A phone registers a key: the backend gets a challenge, the phone makes a key
// over it, and the evidence comes back with the challenge. Then it signs a
// payment with the key, which is good for one answer.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "registry")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	// The policy of the demo app, which trusts software phones.
	var file attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &file); err != nil {
		log.Fatal(err)
	}
	policy, err := attest.NewPolicy(&file)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		log.Fatal(err)
	}
	list, err := android.ParseStatusList([]byte(`{"entries": {}}`))
	if err != nil {
		log.Fatal(err)
	}

	db, err := sqlite.Open(ctx, &sqlite.Options{Path: filepath.Join(dir, "demo.db"), App: "demo"})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	service, err := registry.New(&registry.Options{
		App:      "demo",
		Policy:   func() *attest.Policy { return policy },
		Verifier: verifier,
		Status:   func() *android.StatusList { return list },
		Update: func(ctx context.Context, fn func(registry.Tx) error) error {
			return db.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		HashKey: registry.HashKey("a secret of the app, of 32 bytes or more"),
	})
	if err != nil {
		log.Fatal(err)
	}

	backend := account.Caller{Kind: account.Backend, App: "demo", Name: "backend"}
	alice := account.NewID()
	c, err := service.CreateChallenge(ctx, backend, &registry.ChallengeRequest{App: "demo", Account: alice, Purpose: registry.PurposeRegister})
	if err != nil {
		log.Fatal(err)
	}

	now := time.Now()
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		log.Fatal(err)
	}
	key, err := ca.Phone().GenerateKey(now, c.Challenge)
	if err != nil {
		log.Fatal(err)
	}

	in := &registry.Registration{App: "demo", Account: alice, Challenge: c.Challenge, CertificateChain: key.Chain()}
	for range 2 { // the second time the challenge is used up
		out, err := service.Register(ctx, backend, in)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(out.Decision, out.Advice)
	}

	payment, err := http.NewRequest(http.MethodPost, "https://pay.example.com/v1/remit", strings.NewReader(`{"amount": 1000}`))
	if err != nil {
		log.Fatal(err)
	}
	if err := key.SignRequest(now, payment); err != nil {
		log.Fatal(err)
	}
	m, _, err := request.FromHTTP(payment, 1<<20) // what the backend has received
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		v, err := service.VerifyRequest(ctx, backend, &registry.RequestCheck{App: "demo", Message: m, Account: alice})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(v.Decision, v.Advice, v.Key != nil && v.Key.Account == alice)
	}
	// Output:
	// ALLOW NONE
	// DENY NEW_CHALLENGE
	// ALLOW NONE true
	// DENY RETRY false
}
