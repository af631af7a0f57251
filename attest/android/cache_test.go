package android_test

import (
	"crypto/elliptic"
	"encoding/binary"
	"reflect"
	"sync"
	"testing"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

// parsed are the certificates of a chain.
func parsed(t testing.TB, chain [][]byte) (certs []*android.Certificate) {
	t.Helper()
	for _, raw := range chain {
		c, err := android.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
	}
	return certs
}

// TestCacheKeeps: never a leaf, a batch certificate of factory chains only,
// every issuer above.
func TestCacheKeeps(t *testing.T) {
	for kind, want := range map[attesttest.Provisioning][]bool{
		attesttest.Factory: {false, true, true},
		attesttest.RKP:     {false, false, true, true},
		attesttest.None:    {false, false, true},
	} {
		chain := attested(t, kind)
		o := trusting(t)
		o.Cache = android.NewCache()
		if _, err := android.Verify(chain, o, testNow()); err != nil {
			t.Fatal(err)
		}
		certs, n := parsed(t, chain), 0
		for i, keeps := range want {
			if keeps {
				n++
			}
			if got := o.Cache.Knows(certs[i], certs[i+1]); got != keeps {
				t.Errorf("%s: position %d is kept: %v", kind, i, got)
			}
		}
		if o.Cache.Len() != n {
			t.Errorf("%s: %d facts, want %d", kind, o.Cache.Len(), n)
		}
	}
}

// TestCacheIsFilledLast: by a chain that has verified as a whole, and by none
// that failed at whatever step.
func TestCacheIsFilledLast(t *testing.T) {
	for _, f := range faults() {
		var opts []attesttest.AndroidOption
		if f.draft != nil {
			opts = append(opts, f.draft(t))
		}
		chain, o := attested(t, attesttest.RKP, opts...), trusting(t)
		o.Cache = android.NewCache()
		if f.opts != nil {
			f.opts(t, o, chain)
		}
		if _, err := android.Verify(chain, o, testNow()); code(t, err) != f.code {
			t.Errorf("%s: %v", f.code, err)
		}
		if o.Cache.Len() != 0 {
			t.Errorf("%s: the cache has %d facts", f.code, o.Cache.Len())
		}
	}
}

// TestCacheSaysNothingOfTrust: a warm cache changes no verdict. Every chain
// below shares issuers with those that have filled it.
func TestCacheSaysNothingOfTrust(t *testing.T) {
	warm := android.NewCache()
	for _, kind := range []attesttest.Provisioning{attesttest.Factory, attesttest.RKP, attesttest.None} {
		o := trusting(t)
		o.Cache = warm
		if _, err := android.Verify(attested(t, kind), o, testNow()); err != nil {
			t.Fatal(err)
		}
	}
	type row struct {
		name  string
		chain [][]byte
		opts  func(*android.Options)
		at    int // years later
	}
	rows := []row{
		{name: "good, factory", chain: attested(t, attesttest.Factory)},
		{name: "good, rkp", chain: attested(t, attesttest.RKP)},
		{name: "ten years later, factory", chain: attested(t, attesttest.Factory), at: 10},
		{name: "ten years later, rkp", chain: attested(t, attesttest.RKP), at: 10},
		{name: "ten years ago", chain: attested(t, attesttest.Factory), at: -10},
		{name: "no roots any more", chain: attested(t, attesttest.Factory), opts: func(o *android.Options) { o.Roots = android.GoogleRoots() }},
		{name: "another challenge", chain: attested(t, attesttest.Factory), opts: func(o *android.Options) { o.Challenge = []byte("x") }},
		{name: "an issuer revoked since", chain: attested(t, attesttest.Factory), opts: func(o *android.Options) {
			o.Status = statusList(t, map[string]string{serialOf(t, attested(t, attesttest.Factory)[2]): android.StatusRevoked})
		}},
		{name: "a look-alike root over known issuers", chain: attested(t, attesttest.Factory, at(3, lookAlike(t)))},
		{name: "a known batch over another issuer's name", chain: attested(t, attesttest.Factory, at(2, func(c *attesttest.Certificate) { c.Subject = attesttest.Name("SERIALNUMBER", "9") }))},
		{name: "one Subject with two keys", chain: attested(t, attesttest.Factory, at(1, rekey(t, newKey(t, elliptic.P256()))))},
		{name: "one Subject with another kind of key", chain: attested(t, attesttest.Factory, at(1, rekey(t, rsaKey(t, 2048))))},
		{name: "an issuer with another key, and a batch that it has not signed", chain: func() [][]byte {
			chain := attested(t, attesttest.Factory)
			chain[2] = attested(t, attesttest.Factory, at(2, rekey(t, newKey(t, elliptic.P384()))))[2]
			return chain
		}()},
		{name: "issuers of another kind", chain: func() [][]byte {
			f, r := attested(t, attesttest.Factory), attested(t, attesttest.RKP)
			return [][]byte{r[0], f[1], f[2], f[3]}
		}()},
	}
	for _, f := range faults() {
		if f.draft != nil {
			rows = append(rows, row{name: f.code, chain: attested(t, attesttest.RKP, f.draft(t))})
		}
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			now := testNow().AddDate(r.at, 0, 0)
			cold := trusting(t)
			if r.opts != nil {
				r.opts(cold)
			}
			cached := *cold
			cached.Cache = warm
			want, wantErr := android.Verify(r.chain, cold, now)
			for range 2 {
				got, err := android.Verify(r.chain, &cached, now)
				if code(t, err) != code(t, wantErr) || position(err) != position(wantErr) {
					t.Fatalf("warm %v, cold %v", err, wantErr)
				}
				if err != nil {
					continue
				}
				if !reflect.DeepEqual(found(t, got), found(t, want)) || got.Provisioning != want.Provisioning || got.Root != want.Root ||
					!reflect.DeepEqual(got.Listed, want.Listed) || !reflect.DeepEqual(got.Info, want.Info) {
					t.Fatalf("warm %+v, cold %+v", got, want)
				}
				for i := range got.Chain {
					if !reflect.DeepEqual(got.Chain[i], want.Chain[i]) {
						t.Errorf("certificate %d differs", i)
					}
				}
			}
		})
	}
}

// TestCacheIsBounded: 4096 facts, the oldest go first.
func TestCacheIsBounded(t *testing.T) {
	c := android.NewCache()
	fact := func(n int) (certificate, key [32]byte) {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(n))
		return digestOf(b[:]), digestOf(append(b[:], 'k'))
	}
	first, firstKey := fact(-1)
	c.Remember(first, firstKey)
	for n := range 20000 {
		c.Remember(fact(n))
		if !c.Verified(first, firstKey) { // used again and again, it stays
			t.Fatalf("forgotten after %d", n)
		}
	}
	if n := c.Len(); n > 4096 || n < 4000 {
		t.Errorf("%d facts", n)
	}
	if !c.Verified(fact(19999)) || c.Verified(fact(0)) {
		t.Error("it is not the oldest that go")
	}
	certificate, key := fact(19999)
	if other, otherKey := fact(19998); c.Verified(certificate, otherKey) || c.Verified(other, key) {
		t.Error("a fact is of one certificate under one key")
	}
	for range 3 {
		c.Remember(certificate, key)
	}
	if c.Len() > 4096 {
		t.Error("a fact counts twice")
	}
}

// TestCacheConcurrently: many phones at once, for the race detector.
func TestCacheConcurrently(t *testing.T) {
	cache := android.NewCache()
	var chains [][][]byte
	for range 3 {
		chains = append(chains, attested(t, attesttest.Factory), attested(t, attesttest.RKP))
	}
	forged := attested(t, attesttest.Factory, at(3, lookAlike(t)))
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			o := trusting(t)
			o.Cache = cache
			for i := range 6 {
				a, err := android.Verify(chains[(worker+i)%len(chains)], o, testNow())
				if err != nil {
					t.Error(err)
					continue
				}
				for _, c := range a.Chain {
					if c.KeyAlgorithm() == "" || c.Serial() == "" {
						t.Error("a certificate without key or serial")
					}
				}
				if _, err := android.Verify(forged, o, testNow()); code(t, err) != android.CodeRootUnknown {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
