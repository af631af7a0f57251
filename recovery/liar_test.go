package recovery_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// lies are what a broken vault can answer. found: it is named. Those that are
// not cannot be told from an honest refusal, and do no harm beyond it.
func lies(t *testing.T) map[string]struct {
	lie   func(wire.Op, *wire.Answer)
	found bool
} {
	suite := toprf.Ristretto255
	k, err := suite.RandomScalar()
	if err != nil {
		t.Fatal(err)
	}
	shares, err := suite.Deal(k, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	other, scalar := wire.Element(shares[0].Public.Bytes()), wire.Scalar(k.Bytes())
	of := func(op wire.Op, f func(*wire.Answer)) func(wire.Op, *wire.Answer) {
		return func(got wire.Op, a *wire.Answer) {
			if got == op && a.Verdict == wire.VerdictOK {
				f(a)
			}
		}
	}
	type row = struct {
		lie   func(wire.Op, *wire.Answer)
		found bool
	}
	return map[string]row{
		"another evaluation": {of(wire.OpEvaluate, func(a *wire.Answer) { a.E = other }), true},
		"no evaluation":      {of(wire.OpEvaluate, func(a *wire.Answer) { a.E = nil }), true},
		"no half":            {of(wire.OpEvaluate, func(a *wire.Answer) { a.Ya = nil }), true},
		"a half of zeros":    {of(wire.OpEvaluate, func(a *wire.Answer) { a.Ya = make(wire.Element, 32) }), true}, // the identity
		"half an element":    {of(wire.OpEvaluate, func(a *wire.Answer) { a.Ya = bytes.Repeat([]byte{0xff}, 32) }), true},
		"another half":       {of(wire.OpEvaluate, func(a *wire.Answer) { a.Ya = other }), false}, // the honest one says that it was not its own
		"the identity":       {of(wire.OpEvaluate, func(a *wire.Answer) { a.E = make(wire.Element, 32) }), true},
		"another share":      {of(wire.OpRelease, func(a *wire.Answer) { a.S = &scalar }), true},
		"no share":           {of(wire.OpRelease, func(a *wire.Answer) { a.S = nil }), true},
		"a zero share":       {of(wire.OpRelease, func(a *wire.Answer) { a.S = &wire.Scalar{} }), true},
		"another blob":       {of(wire.OpRelease, func(a *wire.Answer) { a.BlobHash = &wire.Hash{1} }), false},
		"wrong PIN":          {of(wire.OpRelease, func(a *wire.Answer) { a.Verdict, a.S, a.BlobHash = wire.VerdictWrongPIN, nil, nil }), false},
		"locked":             {of(wire.OpEvaluate, func(a *wire.Answer) { a.Verdict, a.State = wire.VerdictLocked, wire.StateLocked }), false},
		"deleted":            {of(wire.OpEvaluate, func(a *wire.Answer) { a.Verdict, a.State = wire.VerdictDeleted, wire.StateDeleted }), false},
		"malformed":          {of(wire.OpEvaluate, func(a *wire.Answer) { a.Verdict = wire.VerdictMalformed }), false},
	}
}

// TestLiar: one of three lies. The two others are enough, and the owner loses
// nothing by it.
func TestLiar(t *testing.T) {
	for name, l := range lies(t) {
		for i := range 3 {
			t.Run(fmt.Sprintf("%s/v%d", name, i+1), func(t *testing.T) {
				p := newPhone(t, recoverytest.Options{})
				p.must(p.register("482915", "secret"))
				p.must(p.vaults.List[i].Lie(l.lie))
				r, err := p.recover("482915")
				p.must(err)
				if got := string(r.Payload.Keys[0].Secret); got != "secret" {
					t.Errorf("recovered %q", got)
				}
				if l.found != slices.Contains(r.Liars, fmt.Sprint("v", i+1)) || len(r.Liars) > 1 {
					t.Errorf("liars %q", r.Liars)
				}
			})
		}
	}
}

// TestLiarAndAbsence: one lies and one is away. Then there are too few, the try
// is kept, and costs one attempt in all.
func TestLiarAndAbsence(t *testing.T) {
	for name, l := range lies(t) {
		t.Run(name, func(t *testing.T) {
			p := newPhone(t, recoverytest.Options{})
			p.must(p.register("482915", "secret"))
			p.must(p.vaults.List[1].Lie(l.lie))
			p.vaults.List[2].Stop()
			_, err := p.recover("482915")
			if name == "another blob" { // the honest one names the right one
				p.must(err)
				return
			}
			var ue *recovery.UnavailableError
			// A false share is noticed only when the box does not open.
			if !errors.As(err, &ue) && !errors.Is(err, recovery.ErrShares) {
				t.Fatalf("error %v", err)
			}
			if ue != nil && l.found != slices.Contains(ue.Liars, "v2") {
				t.Errorf("liars %q", ue.Liars)
			}
			if !p.tried().Open() {
				t.Error("the attempt was ended without a verdict")
			}
			p.vaults.List[2].Start()
			p.must(p.vaults.List[1].Lie(nil))
			left := 8 // the other try had its charge, and no more
			if p.net.Count(wire.OpRelease) > 0 {
				left = 9 // and it was released
			}
			p.wrong("000000", left)
			p.recovers("482915", "secret")
		})
	}
}

// TestWithoutProof: a vault that evaluates falsely and cannot prove it is found
// also when the others are too few to compare it with, before any vault has seen
// a release that would waste the attempt.
func TestWithoutProof(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	for name, lie := range map[string]func(wire.Op, *wire.Answer){
		"no proof":      func(_ wire.Op, a *wire.Answer) { a.Proof = nil },
		"another proof": func(_ wire.Op, a *wire.Answer) { a.Proof = &wire.Proof{} },
	} {
		p.must(p.vaults.List[0].Lie(lie))
		p.vaults.List[2].Stop()
		p.net.Reset()
		_, err := p.recover("482915")
		var ue *recovery.UnavailableError
		if !errors.As(err, &ue) || !slices.Equal(ue.Liars, []string{"v1"}) {
			t.Errorf("%s: %v", name, err)
		}
		if n := p.net.Count(wire.OpRelease); n != 0 {
			t.Errorf("%s: %d releases", name, n)
		}
		p.vaults.List[2].Start()
		p.must(p.vaults.List[0].Lie(nil))
	}
	p.recovers("482915", "secret")
}

// TestBlobs: the service shows other blobs, or none.
func TestBlobs(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	var good recovery.BlobView
	p.service.EditBlobs(func(b []recovery.BlobView) []recovery.BlobView { good = b[0]; return b })
	forge := func(edit func(*wire.Header)) recovery.BlobView {
		blob, err := wire.Decode[wire.Blob](good.Blob)
		p.must(err)
		h, err := wire.Decode[wire.Header](blob.Header)
		p.must(err)
		edit(&h)
		blob.Header, err = wire.Encode(&h)
		p.must(err)
		out, err := wire.Encode(&blob)
		p.must(err)
		return recovery.BlobView{Reg: good.Reg, Hash: wire.Sum(out), Blob: out}
	}
	damaged := good
	damaged.Blob = slices.Clone(good.Blob)
	damaged.Blob[len(damaged.Blob)-1] ^= 1
	tests := []struct {
		name  string
		blobs []recovery.BlobView
		want  error
	}{
		{"none", nil, recovery.ErrNotFound},
		{"garbage", []recovery.BlobView{{Reg: good.Reg, Blob: []byte("x")}}, recovery.ErrNotFound},
		{"of another registration", []recovery.BlobView{{Reg: [16]byte{1}, Blob: good.Blob}}, recovery.ErrNotFound},
		{"whose header names another", []recovery.BlobView{forge(func(h *wire.Header) { h.Reg[0] ^= 1 })}, recovery.ErrNotFound},
		{"for one vault", []recovery.BlobView{forge(func(h *wire.Header) { h.N, h.T, h.Vaults = 1, 1, h.Vaults[:1] })}, recovery.ErrNotFound},
		{"for one of three", []recovery.BlobView{forge(func(h *wire.Header) { h.T = 1 })}, recovery.ErrNotFound},
		{"damaged", []recovery.BlobView{damaged}, recovery.ErrShares},
		{"garbage first", []recovery.BlobView{{Reg: good.Reg, Blob: []byte("x")}, good}, nil},
		{"damaged first", []recovery.BlobView{damaged, good}, nil},
	}
	for _, tc := range tests {
		p.net.Session = func(s *recovery.SessionView) { s.Blobs = tc.blobs }
		_, err := p.recover("482915")
		if !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s: error %v, want %v", tc.name, err, tc.want)
		}
	}
	p.net.Session = nil
	p.recovers("482915", "secret")
}

// TestUnavailableNamesWho: and it costs one attempt, however often.
func TestUnavailableNamesWho(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	p.vaults.List[0].Stop()
	p.vaults.List[2].Stop()
	_, err := p.recover("482915")
	var ue *recovery.UnavailableError
	if !errors.As(err, &ue) || !errors.Is(err, recovery.ErrUnavailable) {
		t.Fatalf("error %v", err)
	}
	if ue.Answered != 1 || ue.Needed != 2 || ue.Vaults != 3 || ue.Failed["v1"] == nil || ue.Failed["v2"] != nil || ue.Failed["v3"] == nil {
		t.Errorf("%d of %d answered, %d needed, failed %v", ue.Answered, ue.Vaults, ue.Needed, ue.Failed)
	}
	for range 5 { // free
		if _, err := p.recover("482915"); !errors.Is(err, recovery.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	p.vaults.List[0].Start()
	p.wrong("000000", 8)
	p.recovers("482915", "secret")
}
