package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

// person is the n-th account.
func person(n int) account.ID { return account.ID(fmt.Sprintf("a_%026d", n)) }

// good is one accepted registration.
func good() registry.Try {
	return registry.Try{
		At: noon, Operation: attest.OperationRegister, Platform: "android", Model: "Sony SOV37", Source: "attested", Maker: "Sony",
		OS: "16.0.0", App: "42", Country: "JP", Allowed: true, Account: alice,
	}
}

// at is a finding about a certificate.
func at(code string, position int) attest.Finding {
	f := attest.NewFinding(code, "")
	f.Position = &position
	return f
}

// bad is one that was denied for it.
func bad(findings ...attest.Finding) registry.Try {
	t := good()
	t.Findings, t.Allowed = findings, false
	return t
}

func (r *rig) tally(tries ...registry.Try) {
	r.t.Helper()
	if err := r.Count(r.t.Context(), tries...); err != nil {
		r.t.Fatal(err)
	}
}

// stats gives the groups as "values: attempts accepted rejected would_deny accounts", with a + where there may be more.
func (r *rig) stats(by []registry.Dim, equal map[registry.Dim]string) (rows []string) {
	r.t.Helper()
	report, err := r.Stats(r.t.Context(), backend, &registry.StatFilter{
		App: "demo", From: noon.AddDate(0, 0, -100), To: noon.AddDate(0, 0, 100), By: by, Equal: equal,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	text := func(s registry.StatRow) string {
		more := map[bool]string{true: "+"}[s.AtLeast]
		return fmt.Sprintf("%s: %d %d %d %d %d%s", strings.Join(s.By, ","), s.Attempts, s.Accepted, s.Rejected, s.WouldDeny, s.Accounts, more)
	}
	for _, s := range report.Rows {
		rows = append(rows, text(s))
	}
	return append(rows, "total"+text(report.Total))
}

func (r *rig) wantStats(by []registry.Dim, equal map[registry.Dim]string, want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.stats(by, equal)); diff != "" {
		r.t.Error(diff)
	}
}

type equal = map[registry.Dim]string

func by(dims ...registry.Dim) []registry.Dim { return dims }

// TestCount: an attempt is one row, and every finding of it another.
func TestCount(t *testing.T) {
	r := newRig(t)
	caBit, risk := at("android.ca_bit", 1), attest.NewFinding("common.risk", "a")
	other := risk
	other.Detail = "b" // two rules, one finding
	observed := bad(caBit)
	observed.Allowed, observed.Stage = true, attest.Staged{Name: "rollout[0]", Mode: attest.ModeObserve}
	warned := good()
	warned.Findings = []attest.Finding{{Code: "android.boot_key_zero", Class: attest.Environment, Effect: attest.Warn}}
	unknown := bad(attest.Finding{Code: "made.up", Class: attest.Abuse, Effect: attest.Reject})
	nobody := bad(caBit)
	nobody.Account = ""
	r.tally(good(), good(), bad(caBit, risk, other))
	r.tally(observed, warned, unknown, nobody)

	r.wantStats(nil, nil, "total: 7 3 3 1 1")
	r.wantStats(by(registry.DimVerdict), nil, "accept: 3 3 0 0 1", "reject: 3 0 3 0 1", "would_deny: 1 0 0 1 1", "total: 7 3 3 1 1")
	r.wantStats(by(registry.DimCode, registry.DimEffect, registry.DimPosition), nil,
		"android.ca_bit,reject,1: 3 0 2 1 1", "android.boot_key_zero,warn,-1: 1 1 0 0 1",
		"common.risk,reject,-1: 1 0 1 0 1", "other,reject,-1: 1 0 1 0 1", "total: 7 3 3 1 1")
	r.wantStats(by(registry.DimStage), equal{registry.DimClass: "honest"}, ": 2 0 2 0 1", "rollout[0]: 1 0 0 1 1", "total: 7 3 3 1 1")
	r.wantStats(by(registry.DimCode), equal{registry.DimVerdict: "accept"}, "android.boot_key_zero: 1 1 0 0 1", "total: 3 3 0 0 1")
	r.wantStats(by(registry.DimHour), equal{registry.DimOS: "16.0.0"}, "2026-11-21T12:00Z: 7 3 3 1 1", "total: 7 3 3 1 1")
	r.wantStats(by(registry.DimDay), equal{registry.DimOS: "17"}, "total: 0 0 0 0 0")
	r.mustCheck()
}

// TestDims: what of an outcome is taken for what it is, and what is not.
func TestDims(t *testing.T) {
	long := strings.Repeat("x", 65)
	tests := []struct {
		name   string
		change func(*registry.Try)
		want   string // platform, model, source, os, app version, country, batch of the finding, manufacturer of the finding
	}{
		{"good", func(*registry.Try) {}, "android,Sony SOV37,attested,16.0.0,42,JP,bb,Sony"},
		{"country in lower case", func(t *registry.Try) { t.Country = "jp" }, "android,Sony SOV37,attested,16.0.0,42,JP,bb,Sony"},
		{"no country", func(t *registry.Try) { t.Country = "" }, "android,Sony SOV37,attested,16.0.0,42,ZZ,bb,Sony"},
		{"not a country", func(t *registry.Try) { t.Country = "é" }, "android,Sony SOV37,attested,16.0.0,42,ZZ,bb,Sony"},
		{"not a platform", func(t *registry.Try) { t.Platform = "windows" }, ",Sony SOV37,attested,16.0.0,42,JP,bb,Sony"},
		{"long model", func(t *registry.Try) { t.Model = long }, "android,other,attested,16.0.0,42,JP,bb,"},
		{"longest model", func(t *registry.Try) { t.Model, t.Maker = long[:64], "x" }, "android," + long[:64] + ",attested,16.0.0,42,JP,bb,"},
		{"line feed in the model", func(t *registry.Try) { t.Model = "Sony a\nb" }, "android,other,attested,16.0.0,42,JP,bb,"},
		{"escape in the version", func(t *registry.Try) { t.App = "\x1b[2J" }, "android,Sony SOV37,attested,16.0.0,other,JP,bb,Sony"},
		{"not UTF-8", func(t *registry.Try) { t.OS = "\xff" }, "android,Sony SOV37,attested,other,42,JP,bb,Sony"},
		{"claimed model", func(t *registry.Try) { t.Source = "claimed" }, "android,Sony SOV37,claimed,16.0.0,42,JP,bb,"},
		{"no manufacturer", func(t *registry.Try) { t.Maker, t.Model = "", "SOV37" }, "android,SOV37,attested,16.0.0,42,JP,bb,"},
		{"no model, but a batch", func(t *registry.Try) { t.Model, t.Source, t.Maker = "", "", "" }, "android,bb,batch,16.0.0,42,JP,bb,"},
		{"nothing", func(t *registry.Try) { *t = registry.Try{At: t.At, Findings: t.Findings} }, ",,,,,ZZ,,"},
		{"another code", func(t *registry.Try) { t.Findings = []attest.Finding{at("android.signature", 1)} }, "android,Sony SOV37,attested,16.0.0,42,JP,,"},
		{"another position", func(t *registry.Try) { t.Findings = []attest.Finding{at("android.ca_bit", 2)} }, "android,Sony SOV37,attested,16.0.0,42,JP,,"},
		{"only noted", func(t *registry.Try) { t.Findings[0].Effect = attest.Note }, "android,Sony SOV37,attested,16.0.0,42,JP,,"},
	}
	r := newRig(t)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			try := bad(at("android.ca_bit", 1))
			try.At, try.Batch = noon.Add(time.Duration(i)*time.Hour), "bb"
			tt.change(&try)
			r.tally(try)
			report, err := r.Stats(t.Context(), backend, &registry.StatFilter{App: "demo", From: try.At, To: try.At.Add(1), By: by(
				registry.DimPlatform, registry.DimModel, registry.DimModelSource, registry.DimOS, registry.DimAppVersion, registry.DimCountry,
				registry.DimBatch, registry.DimManufacturer,
			)})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Rows) != 1 || strings.Join(report.Rows[0].By, ",") != tt.want {
				t.Errorf("%+v, want %s", report.Rows, tt.want)
			}
		})
	}
}

// TestDescribed: what is attested of a phone, what it claims, and that the two
// are told apart.
func TestDescribed(t *testing.T) {
	text := func(s string) *string { return &s }
	phone := func() attest.Verdict {
		return attest.Verdict{
			Tier: attest.TierAffirming, Provisioning: "factory", Chain: []attest.Certificate{{}, {SPKISHA256: "bb"}},
			Claims: &attest.Claims{Platform: "android", Android: &attest.AndroidClaims{
				OSVersion: "16.0.0", Device: attest.Device{Manufacturer: text("Sony"), Model: text("SOV37")},
				App: &android.ApplicationID{PackageInfos: []android.PackageInfo{{PackageName: "x", Version: 42}}},
			}},
		}
	}
	apple := func() attest.Verdict {
		return attest.Verdict{Tier: attest.TierAffirming, Claims: &attest.Claims{Platform: "apple", Apple: &attest.AppleClaims{
			OSVersion: "27.0", BundleVersion: text("7"),
		}}}
	}
	unverified := func(v attest.Verdict) attest.Verdict {
		v.Tier, v.Claims, v.UnverifiedClaims = attest.TierNone, nil, v.Claims
		return v
	}
	with := func(v attest.Verdict, code string) attest.Verdict { return v.With(attest.NewFinding(code, "")) }
	noModel := phone()
	noModel.Claims.Android.Device = attest.Device{}
	modelOnly := phone()
	modelOnly.Claims.Android.OSVersion, modelOnly.Claims.Android.App = "", nil
	rkp := noModel
	rkp.Provisioning = "rkp"
	nothing := attest.Verdict{Tier: attest.TierNone, UnverifiedClaims: &attest.Claims{Platform: "android", Android: &attest.AndroidClaims{}}}
	key := &registry.Key{Platform: "android", Model: "Sony SOV37", OS: "15.0.0", Batch: []byte{0xbb}, Provisioning: "factory"}
	plain, plainRKP := *key, *key
	plain.Model, plainRKP.Model, plainRKP.Provisioning = "", "", "rkp"
	signed, unsigned := attest.Verdict{Tier: attest.TierAffirming}, attest.Verdict{Tier: attest.TierNone}
	assertion := attest.Verdict{Tier: attest.TierAffirming, Claims: &attest.Claims{Platform: "apple", Apple: &attest.AppleClaims{}}}
	tests := []struct {
		name    string
		key     *registry.Key
		verdict attest.Verdict
		claims  [3]string // model, OS, app version
		want    string    // platform, model, source, manufacturer, OS, app version, batch
	}{
		{"attested", nil, phone(), [3]string{}, "android|Sony SOV37|attested|Sony|16.0.0|42|bb"},
		{"attested, and claimed otherwise", nil, phone(), [3]string{"Pixel", "17", "43"}, "android|Sony SOV37|attested|Sony|16.0.0|42|bb"},
		{"of another package", nil, with(phone(), "android.app_package"), [3]string{}, "android|Sony SOV37|attested|Sony|16.0.0||bb"},
		{"of another signer", nil, with(phone(), "android.app_signer"), [3]string{"", "", "43"}, "android|Sony SOV37|attested|Sony|16.0.0||bb"},
		{"unverified", nil, unverified(phone()), [3]string{"Pixel", "17", "43"}, "android|Sony SOV37|claimed|Sony|16.0.0|42|"},
		{"unverified without a model", nil, unverified(noModel), [3]string{}, "android||claimed||16.0.0|42|"},
		{"unverified model alone", nil, unverified(modelOnly), [3]string{}, "android|Sony SOV37|claimed|Sony|||"},
		{"no model", nil, noModel, [3]string{}, "android||||16.0.0|42|bb"},
		{"no model, and claimed", nil, noModel, [3]string{"Pixel", "17", "43"}, "android|Pixel|claimed||16.0.0|42|bb"},
		{"remote provisioning", nil, rkp, [3]string{}, "android||||16.0.0|42|"},
		{"nothing can be read", nil, nothing, [3]string{"Pixel", "17", "43"}, "android|Pixel|claimed||17|43|"},
		{"Apple", nil, apple(), [3]string{"iPhone18,1", "26", "6"}, "apple|iPhone18,1|claimed||27.0|7|"},
		{"Apple without claims", nil, apple(), [3]string{}, "apple||||27.0|7|"},
		{"request", key, signed, [3]string{}, "android|Sony SOV37|attested||15.0.0||"},
		{"request of a phone without a model", &plain, signed, [3]string{}, "android||||15.0.0||bb"},
		{"request, remote provisioning", &plainRKP, signed, [3]string{}, "android||||15.0.0||"},
		{"request with a bad signature", key, unsigned, [3]string{}, "android|Sony SOV37|claimed||15.0.0||"},
		{"the same without a model", &plain, unsigned, [3]string{}, "android||||15.0.0||"},
		{"request without a key", nil, unsigned, [3]string{}, "||||||"},
		{"assertion", &registry.Key{Platform: "apple", OS: "27.0"}, assertion, [3]string{}, "apple||||27.0||"},
		{"assertion of an app version", &registry.Key{Platform: "apple", OS: "26.0"}, apple(), [3]string{}, "apple||||27.0|7|"},
		{"assertion that nobody has signed", &registry.Key{Platform: "apple", OS: "26.0"}, unverified(apple()), [3]string{}, "apple||||26.0||"},
	}
	for _, tt := range tests {
		if got := registry.Described(tt.key, tt.verdict, tt.claims[0], tt.claims[1], tt.claims[2]); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestFlood: whatever a phone claims, an hour holds so many rows and no more,
// and leaves room for what is attested.
func TestFlood(t *testing.T) {
	r := newRig(t)
	claim := func(i int) registry.Try {
		try := bad(at("android.ca_bit", 1))
		try.Model, try.Source, try.Maker, try.Account = fmt.Sprint("model ", i), "claimed", "", person(i%10)
		return try
	}
	const n = registry.MaxClaimedRows
	for i := 0; i < n; i += 512 {
		var batch []registry.Try
		for j := i; j < i+512; j++ {
			batch = append(batch, claim(j))
		}
		r.tally(batch...)
	}
	r.wantStats(nil, nil, fmt.Sprintf("total: %d 0 %d 0 10", n, n))
	rows := r.rows("attest_stat")
	if rows < n || rows > n+2 {
		t.Fatalf("%d rows, want %d of claims and two of others", rows, n)
	}
	if others := r.rows("attest_stat WHERE model = 'other' AND os = 'other' AND app_version = 'other' AND country = 'other' AND model_source = 'claimed'"); others != 2 {
		t.Errorf("%d rows of others, want one of attempts and one of findings", others)
	}

	// Known rows go on, also for a service that knows nothing.
	for _, s := range []*registry.Service{r.Service, r.service(r.store)} {
		if err := s.Count(t.Context(), claim(0), claim(1)); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.rows("attest_stat"); got != rows {
		t.Errorf("%d rows, want %d as before", got, rows)
	}
	r.wantStats(by(registry.DimModel), equal{registry.DimModel: "model 0"}, "model 0: 3 0 3 0 1", "total: 3 0 3 0 1")
	r.tally(good())
	later := claim(n)
	later.At = noon.Add(time.Hour)
	r.tally(later)
	r.wantStats(by(registry.DimModel), equal{registry.DimModelSource: "attested"}, "Sony SOV37: 1 1 0 0 1", "total: 1 1 0 0 1")
	r.wantStats(by(registry.DimModel), equal{registry.DimModel: fmt.Sprint("model ", n)}, fmt.Sprintf("model %d: 1 0 1 0 1", n), "total: 1 0 1 0 1")
	r.mustCheck()
}

// TestManyAccounts: up to 512 accounts are told apart, then no more are kept.
func TestManyAccounts(t *testing.T) {
	r := newRig(t)
	register := func(from, to int) {
		for i := from; i < to; i += 100 {
			var batch []registry.Try
			for j := i; j < min(i+100, to); j++ {
				try := good()
				try.Account = person(j)
				batch = append(batch, try, try)
			}
			r.tally(batch...)
		}
	}
	register(0, 512)
	r.wantStats(nil, nil, "total: 1024 1024 0 0 512")
	register(0, 512)
	r.wantStats(nil, nil, "total: 2048 2048 0 0 512")
	register(512, 513)
	r.wantStats(nil, nil, "total: 2050 2050 0 0 513+")
	register(513, 600)
	r.wantStats(nil, nil, "total: 2224 2224 0 0 513+")
	if n := r.rows("attest_stat_account"); n != 513 {
		t.Errorf("%d hashes", n)
	}
	r.Service = r.service(r.store) // which remembers nothing
	register(600, 601)
	r.wantStats(nil, nil, "total: 2226 2226 0 0 513+")
	r.mustCheck()
}

// TestManyHashes: an hour keeps so many hashes, whatever the rows.
func TestManyHashes(t *testing.T) {
	r := newRig(t)
	r.tally(good())
	// As if an hour had brought so many.
	r.rows("attest_stat")
	if _, err := r.db.Exec("UPDATE attest_stat SET accounts = ?", registry.MaxStatHashes-1); err != nil {
		t.Fatal(err)
	}
	r.Service = r.service(r.store)
	try := good()
	try.OS = "17.0.0"
	r.tally(try)
	try.OS = "18.0.0"
	r.tally(try)
	try.Account = bob
	r.tally(try)
	r.wantStats(by(registry.DimOS), nil, "18.0.0: 2 2 0 0 0+", "16.0.0: 1 1 0 0 1+", "17.0.0: 1 1 0 0 1", "total: 4 4 0 0 1+")
	if n := r.rows("attest_stat_account"); n != 2 {
		t.Errorf("%d hashes", n)
	}
}

// stubborn is a store that runs every function twice, and commits the second
// run; or one that fails each commit.
type stubborn struct {
	storetest.Store
	fail bool
}

var errCommit = errors.New("commit")

func (s stubborn) Update(ctx context.Context, fn func(storetest.Tx) error) error {
	_ = s.Store.Update(ctx, func(tx storetest.Tx) error { return errors.Join(fn(tx), errCommit) })
	if s.fail {
		return errCommit
	}
	return s.Store.Update(ctx, fn)
}

// TestCountsOnce: a transaction that runs twice counts once; one that fails
// counts nothing and teaches nothing.
func TestCountsOnce(t *testing.T) {
	var told []registry.Observation
	r := newRig(t, func(o *registry.Options) { o.Observe = func(seen registry.Observation) { told = append(told, seen) } })
	twice := r.service(stubborn{r.store, false})
	if err := twice.Count(t.Context(), good()); err != nil {
		t.Fatal(err)
	}
	if err := r.service(stubborn{r.store, true}).Count(t.Context(), good()); !errors.Is(err, errCommit) {
		t.Fatal(err)
	}
	r.wantStats(nil, nil, "total: 1 1 0 0 1")
	if len(told) != 1 {
		t.Errorf("told of %d outcomes, want 1", len(told))
	}

	// A service whose transaction was rolled back still adds the account later.
	fails := errors.New("later in the transaction")
	try := good()
	try.Account = bob
	for range 2 {
		err := r.Update(t.Context(), func(tx registry.Tx) error {
			return errors.Join(r.CountIn(t.Context(), tx, try), fails)
		})
		if !errors.Is(err, fails) {
			t.Fatal(err)
		}
	}
	r.tally(try)
	r.wantStats(nil, nil, "total: 2 2 0 0 2")

	// Twice in one transaction.
	try.Account = person(3)
	err := r.Update(t.Context(), func(tx registry.Tx) error {
		return errors.Join(r.CountIn(t.Context(), tx, try), r.CountIn(t.Context(), tx, try))
	})
	if err != nil {
		t.Fatal(err)
	}
	r.wantStats(nil, nil, "total: 4 4 0 0 3")
	r.mustCheck()
}

// watched is a store that notes the statements of statistics.
type watched struct {
	storetest.Store
	calls *[]string
}

type watchedTx struct {
	storetest.Tx
	calls *[]string
}

func (w watched) Update(ctx context.Context, fn func(storetest.Tx) error) error {
	return w.Store.Update(ctx, func(tx storetest.Tx) error { return fn(watchedTx{tx, w.calls}) })
}

func (w watchedTx) StatSize(ctx context.Context, hour int64) (registry.StatSize, error) {
	*w.calls = append(*w.calls, "size")
	return w.Tx.StatSize(ctx, hour)
}

func (w watchedTx) AddStat(ctx context.Context, k registry.StatKey, n int64, create bool) (registry.StatCount, error) {
	*w.calls = append(*w.calls, "row")
	return w.Tx.AddStat(ctx, k, n, create)
}

func (w watchedTx) AddStatAccounts(ctx context.Context, row int64, hashes [][]byte, limit int) (int, error) {
	*w.calls = append(*w.calls, fmt.Sprint("hashes ", len(hashes)))
	return w.Tx.AddStatAccounts(ctx, row, hashes, limit)
}

// TestCountedAlready: who was counted costs one statement a row and no more,
// until the hour is over.
func TestCountedAlready(t *testing.T) {
	r := newRig(t)
	var calls []string
	s := r.service(watched{r.store, &calls})
	other := good()
	other.Account = bob
	next := good()
	next.At = noon.Add(time.Hour)
	for _, step := range []struct {
		tries []registry.Try
		want  string
	}{
		{[]registry.Try{good()}, "size, row, hashes 1"},
		{[]registry.Try{good(), good()}, "row"},
		{[]registry.Try{good(), other, other}, "row, hashes 1"},
		{[]registry.Try{next}, "size, row, hashes 1"},
		{[]registry.Try{next}, "row"},
		{[]registry.Try{good()}, "size, row, hashes 1"}, // late; the memory is of the newest hour
		{[]registry.Try{next}, "row"},
	} {
		calls = nil
		if err := s.Count(t.Context(), step.tries...); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(calls, ", "); got != step.want {
			t.Errorf("%s, want %s", got, step.want)
		}
	}
	r.wantStats(nil, nil, "total: 10 10 0 0 2")
}

// TestStatPrivacy: no account, and nothing that tells one device from another,
// is among the statistics.
func TestStatPrivacy(t *testing.T) {
	r := newRig(t)
	try := bad(at("android.ca_bit", 1))
	try.Account = bob
	r.tally(try)
	files := r.files()
	for _, secret := range []string{string(bob), strings.TrimPrefix(string(bob), "a_")} {
		if bytes.Contains(files, []byte(secret)) {
			t.Errorf("%s is in the store", secret)
		}
	}
	hash := registry.HashKey(bytes.Repeat([]byte{7}, 32)).AccountHash(bob, noon)
	if !bytes.Contains(files, hash) || len(hash) != 16 {
		t.Errorf("hash %x is not in the store", hash)
	}
}

// TestAccountHash: it depends on key, account and period, and changes at
// midnight UTC every 90 days.
func TestAccountHash(t *testing.T) {
	key, other := registry.HashKey(bytes.Repeat([]byte{7}, 32)), registry.HashKey(bytes.Repeat([]byte{8}, 32))
	change := time.Unix(231*90*24*3600, 0)
	hash := key.AccountHash(alice, change)
	for name, same := range map[string]bool{
		"itself":              bytes.Equal(hash, key.AccountHash(alice, change)),
		"the period's end":    bytes.Equal(hash, key.AccountHash(alice, change.Add(90*24*time.Hour-1))),
		"another time zone":   bytes.Equal(hash, key.AccountHash(alice, change.In(time.FixedZone("", -12*3600)))),
		"!another key":        bytes.Equal(hash, other.AccountHash(alice, change)),
		"!another account":    bytes.Equal(hash, key.AccountHash(bob, change)),
		"!the period before":  bytes.Equal(hash, key.AccountHash(alice, change.Add(-1))),
		"!the period after":   bytes.Equal(hash, key.AccountHash(alice, change.Add(90*24*time.Hour))),
		"!device identifiers": bytes.Equal(hash, key.AccountHash("", change)),
	} {
		if same == strings.HasPrefix(name, "!") {
			t.Errorf("%s: same %v", name, same)
		}
	}
}

// TestRotation: over a change of the hashes accounts are not added up.
func TestRotation(t *testing.T) {
	change := time.Unix(230*90*24*3600, 0).UTC()
	r := newRig(t)
	for i := range 5 {
		try := good()
		try.Account = person(i)
		for _, at := range []time.Time{change.Add(-1), change} {
			if try.At = at; i < 3 || at.Equal(change) {
				r.tally(try)
			}
		}
	}
	report, err := r.Stats(t.Context(), backend, &registry.StatFilter{App: "demo", From: change.Add(-time.Hour), To: change.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if report.Total.Attempts != 8 || report.Total.Accounts != 5 || !report.Total.AtLeast {
		t.Errorf("%+v, want 8 attempts of at least 5 accounts", report.Total)
	}
}

// TestDeleteStats: rows are kept for 90 days.
func TestDeleteStats(t *testing.T) {
	r := newRig(t)
	var batch []registry.Try
	for i := range 120 {
		try := good()
		try.At, try.OS = noon.AddDate(0, 0, -90).Add(-time.Hour), fmt.Sprint(i)
		batch = append(batch, try)
	}
	last := good()
	last.At = noon.AddDate(0, 0, -90)
	r.tally(append(batch, last)...)
	if err := r.DeleteStats(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rows, hashes := r.rows("attest_stat"), r.rows("attest_stat_account"); rows != 1 || hashes != 1 {
		t.Errorf("%d rows and %d hashes are left, want 1", rows, hashes)
	}
}

// TestStatFilter: who may ask, and what.
func TestStatFilter(t *testing.T) {
	r := newRig(t)
	for i := range 3 {
		for range 3 - i {
			try := good()
			try.OS, try.At = fmt.Sprint(i), noon.Add(-time.Duration(i)*time.Hour)
			r.tally(try)
		}
	}
	operator := account.Caller{Kind: account.Operator, App: "demo"}
	tests := []struct {
		name   string
		caller account.Caller
		change func(*registry.StatFilter)
		rows   string
		err    error
	}{
		{"good", backend, func(*registry.StatFilter) {}, "0,1,2", nil},
		{"operator", operator, func(*registry.StatFilter) {}, "0,1,2", nil},
		{"phone", account.Caller{Kind: account.Phone, App: "demo", Account: alice}, func(*registry.StatFilter) {}, "", registry.ErrNotAllowed},
		{"nobody", account.Caller{}, func(*registry.StatFilter) {}, "", registry.ErrNotAllowed},
		{"another app's backend", account.Caller{Kind: account.Backend, App: "other"}, func(*registry.StatFilter) {}, "", registry.ErrNotAllowed},
		{"another app", backend, func(f *registry.StatFilter) { f.App = "other" }, "", registry.ErrAppUnknown},
		{"no dim", backend, func(f *registry.StatFilter) { f.By = nil }, "", nil},
		{"by hour", backend, func(f *registry.StatFilter) { f.By = by(registry.DimHour) }, "2026-11-21T10:00Z,2026-11-21T11:00Z,2026-11-21T12:00Z", nil},
		{"limit", backend, func(f *registry.StatFilter) { f.Limit = 2 }, "0,1,more", nil},
		{"limit as many", backend, func(f *registry.StatFilter) { f.Limit = 3 }, "0,1,2", nil},
		{"from", backend, func(f *registry.StatFilter) { f.From = noon.Add(-time.Hour + 1) }, "0,1", nil},
		{"to", backend, func(f *registry.StatFilter) { f.To = noon }, "1,2", nil},
		{"to within the hour", backend, func(f *registry.StatFilter) { f.To = noon.Add(1) }, "0,1,2", nil},
		{"to and from alike", backend, func(f *registry.StatFilter) { f.From, f.To = noon, noon }, "", registry.ErrMalformed},
		{"before 1970", backend, func(f *registry.StatFilter) { f.From = time.Unix(-1, 0) }, "", registry.ErrMalformed},
		{"equal", backend, func(f *registry.StatFilter) { f.Equal = equal{registry.DimOS: "1"} }, "1", nil},
		{"equal code", backend, func(f *registry.StatFilter) { f.Equal = equal{registry.DimCode: "android.ca_bit"} }, "", nil},
		{"unknown dim", backend, func(f *registry.StatFilter) { f.By = by("account") }, "", registry.ErrMalformed},
		{"dim twice", backend, func(f *registry.StatFilter) { f.By = by(registry.DimOS, registry.DimOS) }, "", registry.ErrMalformed},
		{"unknown filter", backend, func(f *registry.StatFilter) { f.Equal = equal{"count": "1"} }, "", registry.ErrMalformed},
		{"filter by hour", backend, func(f *registry.StatFilter) { f.Equal = equal{registry.DimHour: "1"} }, "", registry.ErrMalformed},
		{"filter by day", backend, func(f *registry.StatFilter) { f.Equal = equal{registry.DimDay: "1"} }, "", registry.ErrMalformed},
		{"position", backend, func(f *registry.StatFilter) { f.Equal = equal{registry.DimPosition: "one"} }, "", registry.ErrMalformed},
		{"negative limit", backend, func(f *registry.StatFilter) { f.Limit = -1 }, "", registry.ErrMalformed},
		{"limit too high", backend, func(f *registry.StatFilter) { f.Limit = 10_001 }, "", registry.ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &registry.StatFilter{App: "demo", By: by(registry.DimOS)}
			tt.change(in)
			report, err := r.Stats(t.Context(), tt.caller, in)
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			var values []string
			for _, row := range report.Rows {
				values = append(values, row.By[0])
			}
			if report.More {
				values = append(values, "more")
			}
			if got := strings.Join(values, ","); got != tt.rows {
				t.Errorf("rows %s, want %s", got, tt.rows)
			}
		})
	}
}

// TestReports: several reports at once are what each is by itself, and none of them
// is given to whom it is not for.
func TestReports(t *testing.T) {
	r := newRig(t)
	for i := range 3 {
		try := bad(at("android.ca_bit", i))
		try.OS, try.At = fmt.Sprint(i), noon.Add(-time.Duration(i)*time.Hour)
		r.tally(try, good())
	}
	in := []*registry.StatFilter{
		{App: "demo", By: by(registry.DimOS)},
		{App: "demo", By: by(registry.DimCode, registry.DimPosition), NoTotal: true},
		{App: "demo", By: by(registry.DimHour), Equal: equal{registry.DimOS: "1"}, NoAccounts: true},
		{App: "demo", Equal: equal{registry.DimVerdict: "accept"}},
	}
	got, err := r.Reports(t.Context(), backend, in)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range in {
		want, err := r.Stats(t.Context(), backend, f)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got[i]); diff != "" {
			t.Errorf("report %d: %s", i, diff)
		}
	}
	for name, tt := range map[string]struct {
		last registry.StatFilter
		want error
	}{
		"from another hour": {registry.StatFilter{App: "demo", From: noon.Add(-2 * time.Hour)}, registry.ErrMalformed},
		"to another hour":   {registry.StatFilter{App: "demo", From: noon.Add(-23 * time.Hour), To: noon}, registry.ErrMalformed},
		"of another app":    {registry.StatFilter{App: "other"}, registry.ErrAppUnknown},
	} {
		if all, err := r.Reports(t.Context(), backend, []*registry.StatFilter{in[0], &tt.last}); !errors.Is(err, tt.want) || all != nil {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// TestObservations: what metrics are made of, told after the commit.
func TestObservations(t *testing.T) {
	var told []registry.Observation
	r := newRig(t, func(o *registry.Options) { o.Observe = func(seen registry.Observation) { told = append(told, seen) } })
	observed := bad(at("android.ca_bit", 1))
	observed.Allowed, observed.Stage = true, attest.Staged{Name: "rollout[0]", Mode: attest.ModeObserve}
	used := good()
	used.Exceptions = []string{"sov37"}
	err := r.Update(t.Context(), func(tx registry.Tx) error {
		if err := r.CountIn(t.Context(), tx, observed, used); err != nil {
			return err
		}
		if len(told) != 0 {
			t.Error("told before the commit")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []registry.Observation{
		{App: "demo", Platform: "android", Operation: "register", Verdict: "would_deny", Mode: attest.ModeObserve, Findings: slices.Clone(observed.Findings)},
		{App: "demo", Platform: "android", Operation: "register", Verdict: "accept", Mode: attest.ModeEnforce, Exceptions: []string{"sov37"}},
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}

// TestUnsignedRequestsCountNothing: of an assertion that the key has not signed
// nothing is counted but that it came. Else who knows a key's id could fill an
// hour with versions of his own.
func TestUnsignedRequestsCountNothing(t *testing.T) {
	r := newRig(t, withPolicy(t))
	key := r.appleKey()
	count := func(i int) int {
		r.mustRefuse(r.check(r.sign(key, func(d *attesttest.RequestDraft) {
			d.Assertion = []attesttest.AppleOption{func(a *attesttest.AppleDraft) {
				a.Map["apple_bundle_version_01"] = fmt.Sprint("9.9.", i)
				a.Digest = make([]byte, 32) // another than is verified
			}}
		})), "apple.assertion_signature")
		return r.rows("attest_stat")
	}
	first := count(0)
	for i := range 5 {
		if n := count(i + 1); n != first {
			t.Fatalf("%d rows, %d after the first", n, first)
		}
	}
	if n := r.rows("attest_stat WHERE app_version LIKE '9.9.%'"); n != 0 {
		t.Errorf("%d rows of a version that nobody has signed", n)
	}
}

// TestUnsignedRequestsBlameNobody: what nobody has signed is no abuse by the
// account that the backend expects; what its key has signed is.
func TestUnsignedRequestsBlameNobody(t *testing.T) {
	r := newRig(t, withPolicy(t))
	abusers := func() int {
		return r.rows("attest_stat_account a JOIN attest_stat s ON s.id = a.stat WHERE s.class = 'abuse'")
	}
	r.mustRefuse(r.check(remit(), forAccount(alice)), "common.signature_missing")
	altered := r.sign(r.androidKey())
	altered.URL.RawQuery = "dry=1"
	r.mustRefuse(r.check(altered, forAccount(alice)), "common.signature_invalid")
	if n := abusers(); n != 0 {
		t.Errorf("%d accounts show abuse", n)
	}
	if n := r.rows("attest_stat WHERE class = 'abuse'"); n != 2 {
		t.Errorf("%d findings are counted", n)
	}
	if n := r.rows("attest_stat_account a JOIN attest_stat s ON s.id = a.stat WHERE s.operation = 'request' AND s.code = ''"); n != 2 {
		t.Errorf("%d accounts have tried", n)
	}
	replay := r.sign(r.androidKey())
	r.mustPass(r.check(replay))
	r.mustRefuse(r.check(replay), "common.request_replay")
	if n := abusers(); n != 1 {
		t.Errorf("%d accounts show abuse, one has sent a request twice", n)
	}
}

// TestStatsWithoutAccounts: the same attempts, and nobody is counted.
func TestStatsWithoutAccounts(t *testing.T) {
	r := newRig(t)
	r.tally(good(), bad(at("android.ca_bit", 1)))
	in := registry.StatFilter{App: "demo", From: noon.Add(-time.Hour), By: []registry.Dim{registry.DimVerdict}}
	with, err := r.Stats(t.Context(), backend, &in)
	if err != nil {
		t.Fatal(err)
	}
	in.NoAccounts = true
	without, err := r.Stats(t.Context(), backend, &in)
	if err != nil {
		t.Fatal(err)
	}
	if with.Total.Accounts != 1 || without.Total.Accounts != 0 || without.Total.AtLeast {
		t.Errorf("accounts: %+v and %+v", with.Total, without.Total)
	}
	for i := range with.Rows {
		with.Rows[i].Accounts = 0
	}
	with.Total.Accounts = 0
	if diff := cmp.Diff(with, without); diff != "" {
		t.Error(diff)
	}
	in.NoTotal = true
	rows, err := r.Stats(t.Context(), backend, &in)
	if err != nil {
		t.Fatal(err)
	}
	with.Total = registry.StatRow{}
	if diff := cmp.Diff(with, rows); diff != "" {
		t.Errorf("without the total: %s", diff)
	}
}
