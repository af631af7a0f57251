package attest_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
)

// examplePolicy is that of the demo app, which software phones run.
func examplePolicy() *attest.Policy {
	var file attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &file); err != nil {
		log.Fatal(err)
	}
	policy, err := attest.NewPolicy(&file)
	if err != nil {
		log.Fatal(err)
	}
	return policy
}

func exampleList() *android.StatusList {
	list, err := android.ParseStatusList([]byte(`{"entries": {"57a0bad0": {"status": "REVOKED"}}}`))
	if err != nil {
		log.Fatal(err)
	}
	return list
}

// A phone registers: its chain is parsed, verified and appraised.
func Example() {
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

	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		log.Fatal(err)
	}
	evidence, want, err := attest.Parse([]byte(key.ChainPEM()), attest.FormatAuto)
	if err != nil {
		log.Fatal(err) // cannot tell
	}
	want.Challenge, want.Status = challenge, exampleList()
	verdict, err := verifier.Verify(evidence, want, examplePolicy(), now)
	if err != nil {
		log.Fatal(err) // cannot tell
	}
	claims := verdict.Claims.Android
	fmt.Println(verdict.Accept(), verdict.Tier, verdict.Provisioning)
	fmt.Println(claims.SecurityLevel, claims.KeyOrigin, claims.Boot.State, claims.App.PackageInfos[0].PackageName)
	// Output:
	// true affirming rkp
	// tee generated verified com.example.demo
}

// A verdict that rejects says why: what was found, what it suggests, and what
// to do.
func ExampleVerifier_Verify() {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		log.Fatal(err)
	}
	unlocked := func(d *attesttest.AndroidDraft) {
		boot := attesttest.RootOfTrust{VerifiedBootKey: make([]byte, 32), VerifiedBootState: 2}
		d.Description.HardwareEnforced.SetDER(704, boot.DER())
	}
	key, err := ca.Phone().GenerateKey(now, []byte("challenge"), unlocked)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		log.Fatal(err)
	}
	verdict, err := verifier.Verify(attest.Evidence{Format: attest.FormatAndroidChain, Chain: key.Chain()},
		attest.Expect{Challenge: []byte("challenge"), Status: exampleList()}, examplePolicy(), now)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verdict.Accept(), verdict.Tier)
	for _, f := range verdict.Findings {
		code, _ := attest.LookupCode(f.Code)
		fmt.Printf("%s %s (%s): %s\n", f.Effect, f.Code, f.Class, code.Advice)
	}
	// Output:
	// false contraindicated
	// reject android.boot_unlocked (environment): The owner can lock it again, which erases the phone.
	// reject android.boot_state (environment): A rooted or self-built system. List its boot key, or refuse.
}

// An assertion signs a request with a registered key. The counter must grow.
func ExampleVerifier_Verify_assertion() {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ca, err := attesttest.TestAppleCA(now)
	if err != nil {
		log.Fatal(err)
	}
	key := ca.Phone().GenerateKey()
	request := []byte(`"@method": POST ...`)
	hash := sha256.Sum256(request)
	object, err := key.Assert(now, hash[:])
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, stored := range []uint32{0, 1} {
		verdict, err := verifier.Verify(attest.Evidence{Format: attest.FormatAppleAssertion, Object: object},
			attest.Expect{ClientData: request, PublicKey: key.PublicKey(), Counter: stored}, examplePolicy(), now)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(stored, verdict.Accept(), verdict.Has("apple.counter_replay"))
	}
	// Output:
	// 0 true false
	// 1 false true
}

// An error in a policy names its key.
func ExampleNewPolicy() {
	var file attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &file); err != nil {
		log.Fatal(err)
	}
	file.App[0].Android.MinLevel = "software"
	_, err := attest.NewPolicy(&file)
	fmt.Println(err)
	// Output: attest: policy: app[0].android.min_level: "software" is none of tee, strongbox
}

// A bundle holds all that a verdict is a function of.
func ExampleVerifier_Replay() {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		log.Fatal(err)
	}
	key, err := ca.Phone().GenerateKey(now, []byte("challenge"))
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		log.Fatal(err)
	}
	evidence := attest.Evidence{Format: attest.FormatAndroidChain, Chain: key.Chain()}
	want, policy := attest.Expect{Challenge: []byte("challenge"), Status: exampleList()}, examplePolicy()
	verdict, err := verifier.Verify(evidence, want, policy, now)
	if err != nil {
		log.Fatal(err)
	}
	bundle, err := attest.NewBundle(evidence, want, policy, verdict)
	if err != nil {
		log.Fatal(err)
	}
	kept, err := json.Marshal(bundle)
	if err != nil {
		log.Fatal(err)
	}

	// Years later.
	if bundle, err = attest.ParseBundle(kept); err != nil {
		log.Fatal(err)
	}
	replay, err := verifier.Replay(bundle)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(replay.Equal, replay.Now.Verdict)
	bundle.Status = nil // had there been no revocation list
	if replay, err = verifier.Replay(bundle); err != nil {
		log.Fatal(err)
	}
	fmt.Println(replay.Equal)
	for _, difference := range replay.Differ {
		fmt.Println(difference)
	}
	// Output:
	// true accept
	// false
	// verdict: was accept, is reject
	// tier: was affirming, is contraindicated
	// new: android.status_unavailable (reject)
}

// A rollout says what becomes of a verdict that rejects: here it is enforced in
// Taiwan and observed elsewhere.
func ExamplePolicy_Stage() {
	file := attest.PolicyFile{}
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &file); err != nil {
		log.Fatal(err)
	}
	file.Rollout = []attest.Stage{
		{App: "demo", Platform: "any", Operation: "any", Countries: []string{"TW"}, Percent: 100, Mode: "enforce"},
		{App: "demo", Platform: "any", Operation: "any", Countries: []string{"*"}, Percent: 100, Mode: "observe"},
	}
	policy, err := attest.NewPolicy(&file)
	if err != nil {
		log.Fatal(err)
	}
	verdict := policy.Verdict(attest.FormatAndroidRequest, "demo", time.Now(), attest.NewFinding("common.request_replay", "nonce seen"))
	for _, country := range []string{"TW", "JP", ""} {
		staged := policy.Stage(attest.Subject{App: "demo", Platform: "android", Operation: attest.OperationRequest, Country: country}, verdict)
		fmt.Printf("%q: %s, %s\n", country, staged.Name, staged.Mode)
	}
	// Output:
	// "TW": rollout[0], enforce
	// "JP": rollout[1], observe
	// "": rollout[1], observe
}
