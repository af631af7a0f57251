package android_test

import (
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

// A phone makes a key for the server's challenge and sends its chain. This one
// is a software phone, whose roots the server must trust by name; a server for
// real phones takes android.GoogleRoots().
func ExampleVerify() {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	challenge := []byte("32 random bytes from the server.")
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		log.Fatal(err)
	}
	key, err := ca.Phone().GenerateKey(now, challenge)
	if err != nil {
		log.Fatal(err)
	}

	chain, err := android.ParseChain([]byte(key.ChainPEM()))
	if err != nil {
		log.Fatal(err)
	}
	rsa, _ := attesttest.TestRootsPEM()
	roots, err := android.ParseRoots(strings.Join(rsa, ""))
	if err != nil {
		log.Fatal(err)
	}
	list, err := android.ParseStatusList([]byte(`{"entries": {"57a0bad0": {"status": "REVOKED", "reason": "KEY_COMPROMISE"}}}`))
	if err != nil {
		log.Fatal(err)
	}
	opts := &android.Options{Roots: roots, Status: list, Challenge: challenge, Cache: android.NewCache()}

	a, err := android.Verify(chain, opts, now)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Provisioning, a.Leaf().KeyAlgorithm(), a.Description.Level())
	hw := a.Description.HardwareEnforced
	fmt.Println(android.Origin(*hw.Origin), hw.RootOfTrust.VerifiedBootState, *hw.AttestationIDModel)

	// The same evidence for another challenge: a replay.
	opts.Challenge = []byte("another challenge of the server.")
	_, err = android.Verify(chain, opts, now)
	var failure *android.Failure
	if errors.As(err, &failure) {
		fmt.Println("refused:", failure.Code)
	}
	// Output:
	// rkp EC-P256 TrustedEnvironment
	// generated Verified Software Phone 1
	// refused: challenge_mismatch
}

// A factory issuer may have expired: phones cannot get another. That and other
// things that good phones do are for the caller to judge.
func ExampleDeviation() {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		log.Fatal(err)
	}
	phone := ca.Phone()
	phone.Provisioning = attesttest.Factory
	key, err := phone.GenerateKey(now, []byte("challenge"), func(d *attesttest.AndroidDraft) {
		d.Chain[1].NotAfter = now.Add(-time.Hour)
	})
	if err != nil {
		log.Fatal(err)
	}
	texts, _ := attesttest.TestRootsPEM()
	roots, err := android.ParseRoots(strings.Join(texts, ""))
	if err != nil {
		log.Fatal(err)
	}
	a, err := android.Verify(key.Chain(), &android.Options{Roots: roots, DangerousNoStatus: true, Challenge: []byte("challenge")}, now)
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range a.Deviations {
		fmt.Println(d.Check, "at", d.Position, d.Detail)
	}
	// Output: cert_expired at 1 expired on 2026-11-21T11:00:00Z
}

// A status list is data with an age.
func ExampleParseStatusList() {
	list, err := android.ParseStatusList([]byte(`{
		"fetched_at": "2026-11-21T08:00:00Z",
		"list": {"entries": {"00AF": {"status": "REVOKED", "reason": "KEY_COMPROMISE"}, "b2": {"status": "SUSPENDED"}}}
	}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(list.Len(), list.Lookup("af"), list.Lookup("b2"), list.Age(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)))
	// Output: 2 REVOKED SUSPENDED 4h0m0s
}
