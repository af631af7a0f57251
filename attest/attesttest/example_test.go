package attesttest_test

import (
	"crypto/sha256"
	"fmt"
	"log"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
)

// A software phone registers with a server that trusts the test roots.
func Example() {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	challenge := []byte("32 random bytes from the server.")

	// The phone's side.
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		log.Fatal(err)
	}
	phone := ca.Phone()
	key, err := phone.GenerateKey(now, challenge)
	if err != nil {
		log.Fatal(err)
	}

	// The server's side, with the policy of the demo app.
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
	evidence := attest.Evidence{Format: attest.FormatAndroidChain, Chain: key.Chain()}
	verdict, err := verifier.Verify(evidence, attest.Expect{Challenge: challenge}, policy, now)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(key.Chain()), "certificates,", verdict.Provisioning)
	for _, f := range verdict.Findings {
		fmt.Println(f.Effect, f.Code) // the server has no revocation list
	}
	// Output:
	// 5 certificates, rkp
	// reject android.status_unavailable
}

// An option changes anything that a phone says.
func ExampleAndroidOption() {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		log.Fatal(err)
	}
	phone := ca.Phone()
	phone.Provisioning, phone.Level = attesttest.Factory, attesttest.StrongBox
	unlocked := func(d *attesttest.AndroidDraft) {
		boot := attesttest.RootOfTrust{DeviceLocked: false, VerifiedBootState: 2}
		d.Description.HardwareEnforced.SetDER(704, boot.DER())
	}
	expired := func(d *attesttest.AndroidDraft) { d.Chain[1].NotAfter = now.Add(-time.Hour) }
	key, err := phone.GenerateKey(now, []byte("challenge"), unlocked, expired)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(key.Chain()), "certificates")
	// Output: 4 certificates
}

// An iPhone attests a key and signs two requests with it.
func ExampleApplePhone() {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ca, err := attesttest.TestAppleCA(now)
	if err != nil {
		log.Fatal(err)
	}
	phone := ca.Phone()
	key := phone.GenerateKey()
	challenge := sha256.Sum256([]byte("challenge"))
	if _, err := key.Attest(now, challenge[:]); err != nil {
		log.Fatal(err)
	}
	for _, request := range []string{"GET /balance", "POST /remit"} {
		hash := sha256.Sum256([]byte(request))
		if _, err := key.Assert(now, hash[:]); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(phone.AppID(), "has signed", key.Counter(), "requests")
	// Output: DEMO123456.com.example.demo has signed 2 requests
}

// The catalogue, as a table of what a server has to expect.
func ExampleDeviations() {
	for _, d := range attesttest.Deviations() {
		if d.Check == "ca_bit" {
			fmt.Printf("%s: %s; google: %s, strict: %s\n", d.Name, d.Code, d.Effects.Google, d.Effects.Strict)
		}
	}
	// Output:
	// batch-not-ca: android.ca_bit; google: note, strict: reject
	// batch-without-constraints: android.ca_bit; google: note, strict: reject
	// webauthn-batch-not-ca: android.ca_bit; google: note, strict: reject
}
