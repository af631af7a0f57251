package integrity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/integrity"
)

// TestJoin: a new phone comes into the account of one that lets it in, and is
// held.
func TestJoin(t *testing.T) {
	for _, platform := range []string{"android", "ios"} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			old := r.enrol()
			j := r.join()
			if platform == "ios" {
				j = r.joinApple()
			}
			if s, err := j.status(); err != nil || s.State != integrity.StateOpen || s.Account != "" || s.Ceremony != "" {
				t.Fatalf("%+v, %v", s, err)
			}
			v := must[*integrity.JoinView](t)(r.Join(t.Context(), old.caller(), "", j.open.Code))
			if v.Join != j.open.Join || v.Kind != integrity.JoinPhone || v.Name != "Pixel" || v.Platform != platform || v.Place != "Oslo, Norway" {
				t.Errorf("view %+v", v)
			}
			old.letIn(j.open)
			out := must[*integrity.Signed](t)(j.finish(j.answer()))
			if out.Account != old.account || out.DeviceState != account.Held || out.Hold.Reason != account.HoldNew || out.Hold.By != old.device {
				t.Errorf("signed in as %+v", out)
			}
			if c := j.caller(); c.Device != out.Device || c.Session != out.Session || c.Account != old.account {
				t.Errorf("caller %+v", c)
			}
			for from, want := range map[string]int{
				"alert WHERE kind = 'device.add' AND device = ?1 AND cause = ?1":                     1,
				"risk WHERE signal = 'new_device' AND device = ?1":                                   1,
				"outbox WHERE type = 'device.added' AND json_extract(body, '$.device') = ?1":         1,
				"attest_key WHERE state = 'active' AND id = (SELECT key_id FROM device WHERE id=?1)": 1,
				"audit_entry WHERE account = '' AND action = 'attest.release' AND ?1 <> ''":          1,
			} {
				if n := r.count(from, string(out.Device)); n != want {
					t.Errorf("%d of %s, want %d", n, from, want)
				}
			}
			if s, err := j.status(); err != nil || s.State != integrity.StateFinished {
				t.Errorf("%+v, %v", s, err)
			}
			r.checked()
		})
	}
}

// TestRequestJoin: what a device that joins must bring.
func TestRequestJoin(t *testing.T) {
	type in = integrity.JoinRequest
	browser := &integrity.Browser{Cookie: make([]byte, 32), Origin: origin, Label: "Chromium on Linux"}
	tests := []struct {
		name   string
		change func(*rig, *account.Caller, *in)
		want   error
	}{
		{"good", func(*rig, *account.Caller, *in) {}, nil},
		{"browser", func(_ *rig, _ *account.Caller, a *in) { *a = in{Kind: integrity.JoinBrowser, Browser: browser} }, nil},
		{"guest", func(_ *rig, _ *account.Caller, a *in) { *a = in{Kind: integrity.JoinGuest, Browser: browser} }, nil},
		{"browser with a short cookie", func(_ *rig, _ *account.Caller, a *in) {
			*a = in{Kind: integrity.JoinBrowser, Browser: &integrity.Browser{Cookie: make([]byte, 15)}}
		}, integrity.ErrNotAllowed},
		{"a known phone", func(r *rig, c *account.Caller, _ *in) { *c = r.enrol().caller() }, integrity.ErrNotAllowed},
		{"another app", func(_ *rig, c *account.Caller, _ *in) { c.App = "other" }, integrity.ErrNotAllowed},
		{"a phone as a guest", func(_ *rig, _ *account.Caller, a *in) { a.Kind = integrity.JoinGuest }, integrity.ErrMalformed},
		{"a browser as a phone", func(_ *rig, _ *account.Caller, a *in) { a.Phone, a.Browser = nil, browser }, integrity.ErrMalformed},
		{"both", func(_ *rig, _ *account.Caller, a *in) { a.Browser = browser }, integrity.ErrMalformed},
		{"no kind", func(_ *rig, _ *account.Caller, a *in) { a.Kind = "" }, integrity.ErrMalformed},
		{"a name on two lines", func(_ *rig, _ *account.Caller, a *in) { a.Phone.Name = "a\nb" }, integrity.ErrMalformed},
		{"signed by another key", func(r *rig, _ *account.Caller, a *in) {
			_, other := r.joining()
			a.Phone.Message = other.Phone.Message
		}, integrity.ErrProofInvalid},
		{"a challenge that nobody gave out", func(r *rig, _ *account.Caller, a *in) {
			a.Phone = r.newPhone(nil).attest(make([]byte, 32))
		}, integrity.ErrCeremonyExpired},
		{"the key of a device", func(r *rig, _ *account.Caller, a *in) {
			p := r.enrol()
			a.Phone = p.attestAgain(r.challenge())
		}, integrity.ErrDeviceKeyKnown},
		{"for an account", func(r *rig, _ *account.Caller, a *in) { a.Phone.Evidence.Account = r.enrol().account }, nil}, // the flow sets it
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			_, request := r.joining()
			c := r.anonymous()
			test.change(r, &c, request)
			before := r.count("joining")
			out, err := r.RequestJoin(t.Context(), c, request)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if n := r.count("joining") - before; (n == 1) != (err == nil) {
				t.Errorf("%d joins", n)
			}
			if err == nil && (len(out.Number) != 2 || !out.ExpiresAt.Equal(r.clock().Add(5*time.Minute))) {
				t.Errorf("%+v", out)
			}
			r.checked()
		})
	}
}

// TestJoinEvidenceOnce: one challenge is good for one join.
func TestJoinEvidenceOnce(t *testing.T) {
	r := newRig(t)
	p, in := r.joining()
	must[*integrity.JoinOpened](t)(r.RequestJoin(t.Context(), r.anonymous(), in))
	in.Phone.Message = p.message(nil)
	if _, err := r.RequestJoin(t.Context(), r.anonymous(), in); !errors.Is(err, integrity.ErrCeremonyExpired) {
		t.Errorf("again: %v", err)
	}
}

// TestPendingKey: until the join is finished its key makes no call but those of
// the join, and opens no account.
func TestPendingKey(t *testing.T) {
	r := newRig(t)
	j := r.join()
	if _, err := r.Prove(t.Context(), j.message(nil), nil, true); !errors.Is(err, integrity.ErrProofInvalid) {
		t.Errorf("a call of its own: %v", err)
	}
	begun := must[*integrity.Begun](t)(r.BeginEnrol(t.Context(), r.anonymous(), nil))
	_, err := r.FinishEnrol(t.Context(), r.anonymous(), &integrity.EnrolAnswer{
		Ceremony: begun.Ceremony, Response: must[[]byte](t)(j.passkey.Create(begun.Options, origin)), Phone: j.attestAgain(begun.Challenge),
	})
	if !errors.Is(err, integrity.ErrDeviceUntrusted) || r.count("account") != 0 {
		t.Errorf("enrolled: %v", err)
	}
	r.checked()
}

// TestJoinRates: joins count where ceremonies do, and where failures do.
func TestJoinRates(t *testing.T) {
	r := newRig(t, func(o *integrity.Options) {
		o.Policy.Limits.FailedNetwork = integrity.Limit{N: 1, Per: time.Hour}
		o.Policy.Limits.Join = integrity.Limit{N: 1, Per: time.Hour}
	})
	old := r.enrol()
	old.letIn(r.join().open)
	if _, err := old.propose(account.AddDevice, "join", account.NewJoinID(), "number", "00"); !errors.Is(err, integrity.ErrRateLimited) {
		t.Errorf("a second join of the account: %v", err)
	}
	for _, want := range []error{integrity.ErrProofInvalid, integrity.ErrRateLimited} {
		_, in := r.joining()
		_, other := r.joining()
		in.Phone.Message = other.Phone.Message
		if _, err := r.RequestJoin(t.Context(), r.anonymous(), in); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	r.reopen(func(o *integrity.Options) { o.Policy.Limits.BeginNetwork = integrity.Limit{N: 1, Per: time.Hour} })
	b := r.newBrowser()
	in := &integrity.JoinRequest{Kind: integrity.JoinBrowser, Browser: b.at}
	c := r.anonymous()
	c.Network = "net-9"
	for _, want := range []error{nil, integrity.ErrRateLimited} {
		if _, err := r.RequestJoin(t.Context(), c, in); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

var _ integrity.Attest = (*registry.Service)(nil)
