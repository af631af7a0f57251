package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
	"github.com/staunchid/staunch/server"
)

const someAccount = "a_abcdefghijklmnopqrstuvwxyz"

// register has a software iPhone register a key, through the backend.
func (r running) register(t *testing.T, key *attesttest.AppleKey, country string) *attestv1.RegisterResponse {
	t.Helper()
	client := attestv1connect.NewAttestServiceClient(http.DefaultClient, r.URL())
	ask := connect.NewRequest(&attestv1.CreateChallengeRequest{Account: someAccount, Purpose: attestv1.Purpose_PURPOSE_REGISTER})
	ask.Header().Set("Authorization", "Bearer "+secret[:40])
	c, err := client.CreateChallenge(context.Background(), ask)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(c.Msg.GetChallenge())
	object, err := key.Attest(time.Now(), hash[:])
	if err != nil {
		t.Fatal(err)
	}
	req := connect.NewRequest(&attestv1.RegisterRequest{
		Account: someAccount, Challenge: c.Msg.GetChallenge(), KeyId: base64.StdEncoding.EncodeToString(key.ID()), Country: country,
		Evidence: &attestv1.RegisterRequest_AttestationObject{AttestationObject: object},
	})
	req.Header().Set("Authorization", "Bearer "+secret[:40])
	res, err := client.Register(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	return res.Msg
}

// iPhone is a good one.
func iPhone(t *testing.T) *attesttest.ApplePhone {
	t.Helper()
	ca, err := attesttest.TestAppleCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return ca.Phone()
}

// replace changes the demo policy.
func replace(t *testing.T, oldNew ...string) string {
	t.Helper()
	policy := attesttest.DemoPolicy()
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(policy, oldNew[i]) {
			t.Fatalf("the policy lacks %q", oldNew[i])
		}
		policy = strings.ReplaceAll(policy, oldNew[i], oldNew[i+1])
	}
	return policy
}

// TestReplayAfterReload: evidence that was judged under a policy that is no
// longer in force gives the same verdict again.
func TestReplayAfterReload(t *testing.T) {
	opts := setup(t)
	opts.Config.Attest.EvidenceRetention.Duration = time.Hour
	s := start(t, opts)
	first := s.register(t, iPhone(t).GenerateKey(), "")
	if first.GetDecision() != attestv1.Decision_DECISION_ALLOW || first.GetEvidenceId() == "" {
		t.Fatalf("answer %v", first)
	}
	write(t, opts.Config.Attest.PolicyFile, replace(t, `bundle_ids = ["`+attesttest.DemoBundleID+`"]`, `bundle_ids = ["com.example.other"]`))
	if err := s.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	second := s.register(t, iPhone(t).GenerateKey(), "")
	if second.GetDecision() != attestv1.Decision_DECISION_DENY || second.GetVerdict().GetPolicyDigest() == first.GetVerdict().GetPolicyDigest() {
		t.Fatalf("answer %v", second)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{first.GetEvidenceId(), second.GetEvidenceId()} {
		text, err := server.Evidence(context.Background(), opts.Config, id)
		if err != nil {
			t.Fatal(err)
		}
		b, err := attest.ParseBundle(text)
		if err != nil {
			t.Fatal(err)
		}
		if replay, err := verifier.Replay(b); err != nil || !replay.Equal {
			t.Errorf("replay of %s: %+v, %v", id, replay, err)
		}
	}
}

// TestRiskRule: a risk rule that rejects refuses a phone, over the API.
func TestRiskRule(t *testing.T) {
	opts := setup(t)
	write(t, opts.Config.Attest.PolicyFile, replace(t, `risk = []`, `risk = [ { signal = "common.keys_per_account_30d", at_least = 3, effect = "reject" } ]`))
	s := start(t, opts)
	for n := 1; n <= 3; n++ {
		res := s.register(t, iPhone(t).GenerateKey(), "")
		risk := false
		for _, f := range res.GetVerdict().GetFindings() {
			risk = risk || f.GetCode() == "common.risk"
		}
		if denied := res.GetDecision() == attestv1.Decision_DECISION_DENY; denied != (n == 3) || risk != denied || (res.GetKeyId() == "") != denied {
			t.Errorf("key %d: %v", n, res)
		}
	}
}

// TestRolloutByCountry: the stage that decides is named, and observes.
func TestRolloutByCountry(t *testing.T) {
	opts := setup(t)
	write(t, opts.Config.Attest.PolicyFile, replace(t,
		`bundle_ids = ["`+attesttest.DemoBundleID+`"]`, `bundle_ids = ["com.example.other"]`,
		`rollout = [`, `rollout = [ { app = "demo", platform = "apple", operation = "register", countries = ["TW"], percent = 100, salt = "", mode = "observe" },`))
	s := start(t, opts)
	for country, stage := range map[string]string{"TW": "rollout[0]", "JP": "rollout[1]", "": "rollout[1]"} {
		res := s.register(t, iPhone(t).GenerateKey(), country)
		if observed := res.GetDecision() == attestv1.Decision_DECISION_ALLOW; observed != (country == "TW") || res.GetStage() != stage || res.GetVerdict().GetAccept() {
			t.Errorf("%q: %v", country, res)
		}
	}
}

// TestPolicyRefused: a policy that one app's store cannot keep is in force for
// no app, and no app's record says that it is.
func TestPolicyRefused(t *testing.T) {
	opts := setup(t)
	dir := t.TempDir()
	second := opts.Config.Apps[0]
	second.ID = "second"
	second.RootSecretFile = write(t, dir+"/root", "f"+secret+"\n")
	second.ServiceTokenFile = write(t, dir+"/token", "f"+secret[:40]+"\n")
	opts.Config.Apps = append(opts.Config.Apps, second)
	both := func(lifetime string) string {
		policy := replace(t, `"5m"`, `"`+lifetime+`"`)
		_, app, ok := strings.Cut(policy, "[[app]]")
		if !ok {
			t.Fatal("the policy has no app")
		}
		return policy + "\n[[app]]" + strings.ReplaceAll(app, `id = "demo"`, `id = "second"`)
	}
	write(t, opts.Config.Attest.PolicyFile, both("5m"))
	s := start(t, opts)
	var pf attest.PolicyFile
	if err := config.Decode([]byte(both("5m")), &pf); err != nil {
		t.Fatal(err)
	}
	p, err := attest.NewPolicy(&pf)
	if err != nil {
		t.Fatal(err)
	}
	db := openStore(t, opts, "second")
	if _, err := db.Exec(`CREATE TRIGGER refuse BEFORE INSERT ON attest_document BEGIN SELECT RAISE(ABORT, 'refused'); END`); err != nil {
		t.Fatal(err)
	}
	write(t, opts.Config.Attest.PolicyFile, both("6m"))
	if err := s.Reload(context.Background()); err == nil || !strings.Contains(err.Error(), "app second: record policy") {
		t.Errorf("Reload: %v", err)
	}
	for _, app := range []string{"demo", "second"} {
		var inForce string
		if err := openStore(t, opts, app).QueryRow(`SELECT digest FROM attest_document WHERE in_force = 1`).Scan(&inForce); err != nil {
			t.Fatal(err)
		}
		if inForce != p.Digest() {
			t.Errorf("app %s: %s is in force, want %s", app, inForce, p.Digest())
		}
	}
	if _, err := db.Exec(`DROP TRIGGER refuse`); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(context.Background()); err != nil {
		t.Errorf("Reload: %v", err)
	}
	for _, app := range []string{"demo", "second"} {
		if r, err := server.CheckStore(context.Background(), opts.Config.DataDir, app); err != nil || !r.OK() {
			t.Errorf("app %s: %+v, %v", app, r, err)
		}
	}
}
