package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/fetch/fetchtest"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
	"github.com/staunchid/staunch/server"
)

const owner = "a_demodemodemodemodemodemode"

// vendors are the fake vendors, and a server that asks them. Time passes when
// it is stopped.
type vendors struct {
	t     *testing.T
	fake  *fetchtest.Server
	opts  *server.Options
	s     running
	log   *lockedLog
	ahead time.Duration
}

type lockedLog struct {
	mu sync.Mutex
	strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Builder.Write(p)
}

func (l *lockedLog) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.String()
}

func newVendors(t *testing.T) *vendors {
	t.Helper()
	v := &vendors{t: t, fake: fetchtest.NewServer(), opts: setup(t), log: &lockedLog{}}
	t.Cleanup(v.fake.Close)
	v.fake.SetNow(v.now)
	v.fake.SetStatusList(`{"entries": {"a1": {"status": "REVOKED"}, "a2": {"status": "REVOKED"}, "a3": {"status": "SUSPENDED"}}}`)
	v.opts.Config.Attest.StatusListFile = ""
	v.opts.Config.Attest.StatusListURL = v.fake.StatusURL()
	v.opts.Now, v.opts.Logger = v.now, slog.New(slog.NewTextHandler(v.log, nil))
	v.opts.TestingOnlyVendors(v.fake.Client(), v.fake.ReceiptURL(appattest.Production))
	return v
}

func (v *vendors) now() time.Time { return time.Now().Add(v.ahead) }

// after stops the server, lets time pass and starts it again.
func (v *vendors) after(d time.Duration) {
	v.t.Helper()
	v.stop()
	v.ahead += d
	v.s = start(v.t, v.opts)
}

func (v *vendors) stop() {
	v.t.Helper()
	if v.s.Server == nil {
		return
	}
	if err := v.s.stop(); err != nil {
		v.t.Fatal(err)
	}
}

// eventually waits until a metric has a value.
func (v *vendors) eventually(metric string) {
	v.t.Helper()
	body := ""
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if _, body = get(v.t, v.s.URL()+"/metrics"); strings.Contains(body, metric+"\n") {
			return
		}
	}
	v.t.Fatalf("no %s in\n%s\n%s", metric, v.log.text(), body)
}

func (v *vendors) api() attestv1connect.AttestServiceClient {
	withToken := connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
			r.Header().Set("Authorization", "Bearer "+secret[:40])
			return next(ctx, r)
		}
	}))
	return attestv1connect.NewAttestServiceClient(http.DefaultClient, v.s.URL(), withToken)
}

// register registers what make makes of a challenge.
func (v *vendors) register(make func(challenge []byte) *attestv1.RegisterRequest) *attestv1.RegisterResponse {
	v.t.Helper()
	c, err := v.api().CreateChallenge(v.t.Context(), connect.NewRequest(&attestv1.CreateChallengeRequest{Account: owner, Purpose: attestv1.Purpose_PURPOSE_REGISTER}))
	if err != nil {
		v.t.Fatal(err)
	}
	in := make(c.Msg.GetChallenge())
	in.Account, in.Challenge = owner, c.Msg.GetChallenge()
	out, err := v.api().Register(v.t.Context(), connect.NewRequest(in))
	if err != nil {
		v.t.Fatal(err)
	}
	return out.Msg
}

// android registers a new key of a good phone.
func (v *vendors) android() *attestv1.RegisterResponse {
	v.t.Helper()
	ca, err := attesttest.TestAndroidCA(v.now())
	if err != nil {
		v.t.Fatal(err)
	}
	return v.register(func(challenge []byte) *attestv1.RegisterRequest {
		key, err := ca.Phone().GenerateKey(v.now(), challenge)
		if err != nil {
			v.t.Fatal(err)
		}
		return &attestv1.RegisterRequest{Evidence: &attestv1.RegisterRequest_CertificateChain{CertificateChain: &attestv1.CertificateChain{Certificates: key.Chain()}}}
	})
}

func codes(r *attestv1.RegisterResponse) (all string) {
	for _, f := range r.GetVerdict().GetFindings() {
		all += f.GetCode() + " "
	}
	return all
}

// TestFeedRevokes: a key is revoked when the vendor lists a serial under which
// it was registered.
func TestFeedRevokes(t *testing.T) {
	v := newVendors(t)
	v.after(0)
	v.eventually("staunch_attest_status_list_entries 3")
	out := v.android()
	if out.GetDecision() != attestv1.Decision_DECISION_ALLOW {
		t.Fatal(out)
	}
	var serial string
	if err := openDB(t, v.opts).QueryRow(`SELECT serial FROM attest_serial LIMIT 1`).Scan(&serial); err != nil {
		t.Fatal(err)
	}
	v.fake.SetStatusList(`{"entries": {"a1": {"status": "REVOKED"}, "a2": {"status": "REVOKED"}, "` + serial + `": {"status": "REVOKED"}}}`)
	v.after(25 * time.Hour)
	v.eventually(`staunch_attest_reevaluation_revoked_keys{app="demo"} 1`)
	v.eventually(`staunch_attest_reevaluation_running{app="demo"} 0`)
	k, err := v.api().GetKey(t.Context(), connect.NewRequest(&attestv1.GetKeyRequest{KeyId: out.GetKeyId()}))
	if err != nil || k.Msg.GetKey().GetState() != attestv1.KeyState_KEY_STATE_REVOKED {
		t.Errorf("%v, %v", k, err)
	}
	v.stop()
	if r, err := server.CheckStore(t.Context(), v.opts.Config.DataDir, "demo"); err != nil || !r.OK() {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestFeedGrowsOld: when there is no good list, the last good one is used,
// warned of and at last refused; a good one makes good again.
func TestFeedGrowsOld(t *testing.T) {
	v := newVendors(t)
	v.fake.FailStatus(fetchtest.Unreachable, -1)
	v.after(0)
	if out := v.android(); out.GetDecision() != attestv1.Decision_DECISION_DENY || !strings.Contains(codes(out), "android.status_unavailable") || out.GetAdvice() != attestv1.Advice_ADVICE_RETRY {
		t.Fatalf("without a list: %v", out)
	}
	v.fake.FailStatus(fetchtest.None, 0)
	v.after(time.Second)
	v.eventually("staunch_attest_status_list_entries 3")
	for _, step := range []struct {
		fault fetchtest.Fault
		after time.Duration
		tier  attestv1.Tier
		code  string
	}{
		{fetchtest.Unreachable, 11 * time.Hour, attestv1.Tier_TIER_AFFIRMING, ""},
		{fetchtest.Empty, 2 * time.Hour, attestv1.Tier_TIER_WARNING, "android.status_stale"},
		{fetchtest.HalfGone, 10 * time.Hour, attestv1.Tier_TIER_WARNING, "android.status_stale"},
		{fetchtest.Malformed, 48 * time.Hour, attestv1.Tier_TIER_WARNING, "android.status_stale"},
		{fetchtest.ServerError, 2 * time.Hour, attestv1.Tier_TIER_CONTRAINDICATED, "android.status_stale"},
		{fetchtest.None, time.Minute, attestv1.Tier_TIER_AFFIRMING, ""},
	} {
		before := len(v.fake.StatusRequests())
		v.fake.FailStatus(step.fault, -1)
		v.after(step.after)
		for end := time.Now().Add(10 * time.Second); len(v.fake.StatusRequests()) == before && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		}
		v.eventually("staunch_attest_status_list_entries 3")
		if step.fault == fetchtest.None {
			v.eventually("staunch_attest_reevaluation_running{app=\"demo\"} 0")
			time.Sleep(100 * time.Millisecond)
		}
		out := v.android()
		if out.GetVerdict().GetTier() != step.tier || !strings.Contains(codes(out), step.code) || step.code == "" && strings.Contains(codes(out), "status") ||
			(out.GetDecision() == attestv1.Decision_DECISION_ALLOW) == (step.tier == attestv1.Tier_TIER_CONTRAINDICATED) {
			t.Errorf("%s, %s later: %v", step.fault, step.after, out)
		}
	}
}

// TestFeedReceipts: a receipt is exchanged with the team's key, and stays where
// it is when Apple refuses the key, until there is another.
func TestFeedReceipts(t *testing.T) {
	v := newVendors(t)
	p8, err := v.fake.NewAppleKey(attesttest.DemoTeamID, "K1")
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, filepath.Join(filepath.Dir(v.opts.Config.DataDir), "key.p8"), string(p8))
	v.opts.Config.Attest.AppleKeys = []config.AppleKey{{TeamID: attesttest.DemoTeamID, KeyID: "K1", KeyFile: file}}
	ca, err := attesttest.TestAppleCA(v.now())
	if err != nil {
		t.Fatal(err)
	}
	key := ca.Phone().GenerateKey()
	v.fake.SetExchange(func(fetchtest.Exchange) fetchtest.Answer {
		cms, err := key.Receipt(v.now(), 3)
		if err != nil {
			return fetchtest.Answer{Status: 500, Body: err.Error()}
		}
		return fetchtest.Answer{Status: 200, Receipt: cms}
	})
	v.after(0)
	out := v.register(func(challenge []byte) *attestv1.RegisterRequest {
		hash := sha256.Sum256(challenge)
		object, err := key.Attest(v.now(), hash[:])
		if err != nil {
			t.Fatal(err)
		}
		return &attestv1.RegisterRequest{
			Evidence: &attestv1.RegisterRequest_AttestationObject{AttestationObject: object}, KeyId: base64.RawURLEncoding.EncodeToString(key.ID()),
		}
	})
	if out.GetDecision() != attestv1.Decision_DECISION_ALLOW {
		t.Fatal(out)
	}
	v.fake.RemoveAppleKey("K1")
	v.after(16 * time.Minute)
	v.eventually(`staunch_attest_receipt_refresh_total{app="demo",result="bad_credentials"} 1`)
	if !strings.Contains(v.log.text(), "Apple refuses the credentials") {
		t.Error("no alarm")
	}
	if p8, err = v.fake.NewAppleKey(attesttest.DemoTeamID, "K1"); err != nil {
		t.Fatal(err)
	}
	write(t, file, string(p8))
	v.after(time.Second)
	v.eventually(`staunch_attest_receipt_refresh_total{app="demo",result="new"} 1`)
	var metric int
	if err := openDB(t, v.opts).QueryRow(`SELECT metric FROM attest_receipt`).Scan(&metric); err != nil || metric != 3 {
		t.Errorf("metric %d, %v", metric, err)
	}
	text := strings.ReplaceAll(string(p8), "\n", "")
	if strings.Contains(strings.ReplaceAll(v.log.text(), `\n`, ""), text[40:80]) {
		t.Error("the key is in the log")
	}

	// A reload with a bad key changes nothing.
	write(t, file, "nonsense")
	if err := v.s.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "attest.apple_key[0].key_file") || strings.Contains(err.Error(), "nonsense\n") {
		t.Errorf("a bad key: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := v.s.Reload(t.Context()); err == nil || !strings.Contains(fmt.Sprint(err), file) {
		t.Errorf("no key: %v", err)
	}
}

// TestFeedChecks: what is wrong with the feed is known before the start.
func TestFeedChecks(t *testing.T) {
	v := newVendors(t)
	real(t, v.opts, "")
	warnings, err := server.Check(v.opts.Config, time.Now())
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "attest.status_list_url: no revocation list has been downloaded yet") {
		t.Errorf("%v, %v", warnings, err)
	}
	if err := os.MkdirAll(v.opts.Config.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(v.opts.Config.DataDir, "status-list.json")
	write(t, kept, `{"fetched_at": "2026-01-01T00:00:00Z", "list": {"entries": {"a1": {"status": "REVOKED"}}}}`)
	warnings, err = server.Check(v.opts.Config, time.Date(2026, 1, 1, 13, 0, 0, 0, time.UTC))
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "attest.status_list_url: "+kept+": 1 entries, 13h0m0s old, above warn_age") {
		t.Errorf("%v, %v", warnings, err)
	}
	write(t, kept, "{")
	if _, err := server.Check(v.opts.Config, time.Now()); err == nil || !strings.Contains(err.Error(), kept+": ") || !strings.Contains(err.Error(), "restore this file, or delete it") {
		t.Errorf("%v", err)
	}
}

// TestReloadRecordsLast: a reload that fails at the keys for Apple has put no
// policy on record that is not in force.
func TestReloadRecordsLast(t *testing.T) {
	v := newVendors(t)
	p8, err := v.fake.NewAppleKey(attesttest.DemoTeamID, "K1")
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, filepath.Join(filepath.Dir(v.opts.Config.DataDir), "key.p8"), string(p8))
	v.opts.Config.Attest.AppleKeys = []config.AppleKey{{TeamID: attesttest.DemoTeamID, KeyID: "K1", KeyFile: file}}
	v.after(0)
	db := openDB(t, v.opts)
	record := func() (inForce string, entries int) {
		t.Helper()
		if err := db.QueryRow(`SELECT digest FROM attest_document WHERE in_force = 1`).Scan(&inForce); err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRow(`SELECT count(*) FROM audit_entry WHERE action = 'attest.policy'`).Scan(&entries); err != nil {
			t.Fatal(err)
		}
		return inForce, entries
	}
	policy, entries := record()
	write(t, v.opts.Config.Attest.PolicyFile, replace(t, `"5m"`, `"6m"`))
	v.s.TestingOnlyAppleURL("gopher://apple.example")
	if err := v.s.Reload(t.Context()); err == nil {
		t.Error("Apple is asked by gopher")
	}
	if p, n := record(); p != policy || n != entries {
		t.Errorf("%d entries, before %d; %s is in force, before %s", n, entries, p, policy)
	}
	v.s.TestingOnlyAppleURL("")
	if err := v.s.Reload(t.Context()); err != nil {
		t.Error(err)
	}
	if p, n := record(); p == policy || n != entries+1 {
		t.Errorf("%d entries, before %d; %s is in force", n, entries, p)
	}
}
