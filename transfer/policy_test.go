package transfer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/transfer/handover"
)

func goodPolicy() Policy {
	return Policy{OfferTTL: time.Minute, ClaimTTL: time.Minute, IdleTTL: time.Hour, MaxAge: 24 * time.Hour, SealTTL: time.Hour, KeepEnvelopes: time.Hour}
}

// TestPolicy: what is not said is the strictest, and what cannot work is refused.
func TestPolicy(t *testing.T) {
	p, err := goodPolicy().check()
	if err != nil || p.HoldNone != 12*time.Hour || p.HoldLAN != 12*time.Hour || p.HoldNear != 12*time.Hour || p.HoldRisk != 12*time.Hour || p.RecallWindow != 72*time.Hour || p.KeepPlaces != 720*time.Hour {
		t.Errorf("%+v, %v", p, err)
	}
	for _, tt := range []struct {
		change func(*Policy)
		want   string // in the error; empty: none
	}{
		{func(p *Policy) { *p = Policy{} }, "OfferTTL"},
		{func(p *Policy) { p.OfferTTL = 0 }, "OfferTTL"},
		{func(p *Policy) { p.ClaimTTL = 0 }, "ClaimTTL"},
		{func(p *Policy) { p.IdleTTL = -1 }, "IdleTTL"},
		{func(p *Policy) { p.MaxAge = 0 }, "MaxAge"},
		{func(p *Policy) { p.SealTTL = 0 }, "SealTTL"},
		{func(p *Policy) { p.KeepEnvelopes = 0 }, "KeepEnvelopes"},
		{func(p *Policy) { p.HoldNone = -2 }, "HoldNone"},
		{func(p *Policy) { p.HoldLAN = time.Minute }, "HoldLAN"},
		{func(p *Policy) { p.HoldNear = 59 * time.Minute }, "HoldNear"},
		{func(p *Policy) { p.HoldRisk = time.Second }, "HoldRisk"},
		{func(p *Policy) { p.RecallWindow = time.Second }, "RecallWindow"},
		{func(p *Policy) { p.RecallWindow = -1 }, "RecallWindow"},
		{func(p *Policy) { p.MaxAge = 12 * time.Hour }, "MaxAge"},
		{func(p *Policy) { p.Window = -1 }, "Window"},
		{func(p *Policy) { p.MaxBytes = -1 }, "MaxBytes"},
		{func(p *Policy) { p.RelaySpace = -1 }, "RelaySpace"},
		{func(p *Policy) { p.KeepPlaces = -1 }, "KeepPlaces"},
		{func(p *Policy) { p.HoldLAN, p.RecallWindow, p.ShortWaits = time.Second, time.Second, true }, ""},
		{func(p *Policy) {
			p.HoldLAN, p.HoldNear, p.HoldNone, p.HoldRisk, p.MaxAge = NoHold, NoHold, NoHold, NoHold, time.Minute
		}, ""},
	} {
		p := goodPolicy()
		tt.change(&p)
		_, err := p.check()
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "transfer: policy: ")) {
			t.Errorf("%+v: %v, want %q", p, err, tt.want)
		}
	}
}

// TestHold: the longest applicable one, and the reasons that hold.
func TestHold(t *testing.T) {
	set := func(none, lan, near, risk time.Duration) Policy {
		p := goodPolicy()
		p.HoldNone, p.HoldLAN, p.HoldNear, p.HoldRisk = none, lan, near, risk
		p, err := p.check()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	usual := set(12*time.Hour, NoHold, NoHold, 10*time.Hour)
	for _, tt := range []struct {
		p       Policy
		class   handover.Class
		risks   []string
		hold    time.Duration
		reasons []string
	}{
		{usual, handover.ClassNone, nil, 12 * time.Hour, []string{"class"}},
		{usual, handover.ClassLAN, nil, 0, nil},
		{usual, handover.ClassNear, nil, 0, nil},
		{usual, "", nil, 12 * time.Hour, []string{"class"}}, // nobody's class is the strictest
		{usual, handover.ClassLAN, []string{"new_country"}, 10 * time.Hour, []string{"new_country"}},
		{usual, handover.ClassNone, []string{"a", "b"}, 12 * time.Hour, []string{"class", "a", "b"}},
		{set(NoHold, 2*time.Hour, time.Hour, NoHold), handover.ClassLAN, []string{"a"}, 2 * time.Hour, []string{"class"}},
		{set(NoHold, 2*time.Hour, time.Hour, NoHold), handover.ClassNear, nil, time.Hour, []string{"class"}},
		{set(NoHold, NoHold, NoHold, NoHold), handover.ClassNone, []string{"a"}, 0, nil},
	} {
		hold, reasons := tt.p.hold(tt.class, tt.risks)
		if hold != tt.hold || !slices.Equal(reasons, tt.reasons) {
			t.Errorf("%q %v: %s %v, want %s %v", tt.class, tt.risks, hold, reasons, tt.hold, tt.reasons)
		}
	}
}
