package integrity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// TestReportRisk: what a backend may report.
func TestReportRisk(t *testing.T) {
	r := newRig(t)
	p, other := r.enrol(), r.enrol()
	tests := []struct {
		name   string
		change func(*integrity.RiskReport)
		want   error
	}{
		{"good", func(*integrity.RiskReport) {}, nil},
		{"of a device", func(in *integrity.RiskReport) { in.Device = p.device }, nil},
		{"of another account's device", func(in *integrity.RiskReport) { in.Device = other.device }, integrity.ErrDeviceUnknown},
		{"of no device", func(in *integrity.RiskReport) { in.Device = "d" }, integrity.ErrDeviceUnknown},
		{"of nobody", func(in *integrity.RiskReport) { in.Account = account.NewID() }, integrity.ErrAccountUnknown},
		{"of none", func(in *integrity.RiskReport) { in.Account = "" }, integrity.ErrAccountUnknown},
		{"the longest hold", func(in *integrity.RiskReport) { in.Level, in.For = account.LevelHold, 72*time.Hour }, nil},
		{"a hold too long", func(in *integrity.RiskReport) { in.Level, in.For = account.LevelHold, 72*time.Hour+1 }, integrity.ErrMalformed},
		{"for ever", func(in *integrity.RiskReport) { in.For = 91 * 24 * time.Hour }, integrity.ErrMalformed},
		{"for nothing", func(in *integrity.RiskReport) { in.For = 0 }, integrity.ErrMalformed},
		{"no level", func(in *integrity.RiskReport) { in.Level = "" }, integrity.ErrMalformed},
		{"an unknown level", func(in *integrity.RiskReport) { in.Level = "clear" }, integrity.ErrMalformed},
		{"no name", func(in *integrity.RiskReport) { in.Name = "" }, integrity.ErrMalformed},
		{"a name with a colon", func(in *integrity.RiskReport) { in.Name = "a:b" }, integrity.ErrMalformed},
		{"a long name", func(in *integrity.RiskReport) { in.Name = strings.Repeat("a", 41) }, integrity.ErrMalformed},
		{"a value on two lines", func(in *integrity.RiskReport) { in.Value = "a\nb" }, integrity.ErrMalformed},
	}
	for _, test := range tests {
		in := &integrity.RiskReport{Account: p.account, Name: "botnet", Level: account.LevelRaise, Value: "3", For: time.Hour}
		test.change(in)
		if err := r.ReportRisk(t.Context(), r.backend(), in); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	r.checked()
}

// TestRiskOnlyRaises: no report takes the place of a graver one, or makes it
// shorter.
func TestRiskOnlyRaises(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	report := func(level account.Level, d time.Duration) {
		t.Helper()
		if err := r.ReportRisk(t.Context(), r.backend(), &integrity.RiskReport{Account: p.account, Name: "botnet", Level: level, For: d}); err != nil {
			t.Fatal(err)
		}
	}
	refused := func() bool {
		_, err := p.do(account.RenewFreezeCode)
		var why *account.Refused
		return errors.As(err, &why) && why.Why == account.WhyRisk
	}
	report(account.LevelHold, 48*time.Hour)
	for _, level := range []account.Level{account.LevelNote, account.LevelRaise, account.LevelHold} {
		report(level, time.Hour)
		if !refused() {
			t.Errorf("a report of level %s has lifted the hold", level)
		}
	}
	r.advance(48*time.Hour - time.Second)
	if !refused() {
		t.Error("a shorter hold has cut the first one short")
	}
	r.advance(time.Second)
	if refused() {
		t.Error("it holds for longer than it was reported")
	}
	must[*integrity.Frozen](t)(r.Freeze(t.Context(), p.caller())) // is never in the way
	r.checked()
}

// TestSignalsRaise: what each signal asks for besides (accounts, "Risk
// signals"), of an owner with a synced passkey on a device that affirms, and in
// a browser.
func TestSignalsRaise(t *testing.T) {
	tests := []struct {
		signal account.SignalName
		level  account.Level
		web    bool // an Exact action in the browser, with a synced passkey, is let through
		phone  bool // and on the phone
		add    bool // a Fresh one on the phone, two minutes after the step-up
	}{
		{signal: "", web: true, phone: true, add: true},
		{signal: account.SignalNewDevice, phone: true, add: true},
		{signal: account.SignalBackupState, phone: true, add: true},
		{signal: account.SignalRecentRecovery, phone: true, add: true},
		{signal: account.SignalRecentVeto, phone: true, add: true},
		{signal: account.SignalSharedCredential, phone: true, add: true},
		{signal: "attest:apple.risk_metric", phone: true, add: true},
		{signal: account.SignalManyFailures, phone: true},
		{signal: account.SignalNewNetwork, web: true, phone: true},
		{signal: account.SignalCounterRegress, phone: true, add: true}, // of a synced passkey: nobody knows which
		{signal: account.SignalAttestWarning, web: true, phone: true, add: true},
		{signal: account.SignalAttestStale},
		{signal: account.SignalMDSStatus},
		{signal: "external:botnet", level: account.LevelNote, web: true, phone: true, add: true},
		{signal: "external:botnet", level: account.LevelRaise, phone: true, add: true},
		{signal: "external:botnet", level: account.LevelHold},
	}
	for _, test := range tests {
		t.Run(strings.Join([]string{string(test.signal), string(test.level)}, " "), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.newPhone(&passkeytest.Options{Synced: true})
			p.enrolled(must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), p.enrolment())))
			b := r.newBrowser()
			b.passkey = p.passkey
			b.signIn()
			p.stepUp()
			r.advance(2 * time.Minute)
			if test.signal != "" {
				err := r.opts.Update(t.Context(), func(tx integrity.Tx) error {
					return tx.PutSignal(t.Context(), p.account, account.Signal{
						Name: test.signal, Level: test.level, Source: "test", FirstAt: r.clock(), LastAt: r.clock(), Until: r.clock().Add(time.Hour),
					})
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			_, add := r.BeginAdd(t.Context(), p.caller(), &integrity.AddStart{})
			_, web := b.do(account.RenewFreezeCode)
			_, phone := p.do(account.RenewFreezeCode)
			for name, c := range map[string]struct {
				err error
				ok  bool
			}{"browser": {web, test.web}, "phone": {phone, test.phone}, "add": {add, test.add}} {
				if (c.err == nil) != c.ok || c.err != nil && !errors.Is(c.err, account.ErrRefused) {
					t.Errorf("%s: %v", name, c.err)
				}
			}
		})
	}
}
