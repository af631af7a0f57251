package android_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

// allocated is how much f allocates, in octets.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// TestParseChainBounds: ten megabytes are no reason to allocate them again.
func TestParseChainBounds(t *testing.T) {
	const n = 10 << 20
	chain := attested(t, attesttest.RKP)
	for name, c := range map[string]struct {
		input []byte
		want  int // certificates; 0: malformed
	}{
		"noise":             {noise(n), 0},
		"zeros":             {make([]byte, n), 0},
		"empty SEQUENCEs":   {bytes.Repeat([]byte{0x30, 0}, n/2), 9},
		"certificates":      {bytes.Repeat(chain[0], n/len(chain[0])), 9},
		"PEM":               {bytes.Repeat([]byte(block("CERTIFICATE", chain[0])), n/len(chain[0])/2), 9},
		"BEGIN lines":       {bytes.Repeat([]byte("-----BEGIN CERTIFICATE-----\n"), n/28), 0},
		"BEGIN and noise":   {append([]byte("-----BEGIN CERTIFICATE-----\n"), noise(n)...), 0},
		"nothing but BEGIN": {bytes.Repeat([]byte("-----BEGIN"), n/10), 0},
	} {
		var got [][]byte
		var err error
		used := allocated(func() { got, err = android.ParseChain(c.input) })
		if len(got) != c.want || (err != nil) != (c.want == 0) || err != nil && !errors.Is(err, android.ErrMalformed) {
			t.Errorf("%s: %d certificates, %v", name, len(got), err)
		}
		if used > 4<<20 {
			t.Errorf("%s: allocates %d KiB", name, used>>10)
		}
	}
}

// TestVerifyBounds: thousands of certificates, and certificates of a megabyte.
func TestVerifyBounds(t *testing.T) {
	good := attested(t, attesttest.Factory)
	big := func(edit func(*attesttest.Certificate)) [][]byte { return attested(t, attesttest.Factory, at(1, edit)) }
	large := noise(1 << 20)
	large[0] = 0x7f
	for name, c := range map[string]struct {
		chain [][]byte
		want  string
	}{
		"a thousand":             {slices.Repeat(good[:1], 1000), android.CodeChainLength},
		"a million":              {slices.Repeat(good[:1], 1000000), android.CodeChainLength},
		"a serial of a megabyte": {big(func(x *attesttest.Certificate) { x.Serial = large }), ""},
		"an extension we skip": {big(func(x *attesttest.Certificate) {
			x.Extensions = append(x.Extensions, attesttest.Extension{OID: oidProvisioningInfo(), Value: large})
		}), ""},
		"a modulus of a megabyte": {big(func(x *attesttest.Certificate) {
			x.PublicKey = key(oidRSA, null(), sequence(tlv(2, large), integer(1, 0, 1))...)
		}), android.CodeSignatureAlgorithm},
		"an exponent likewise": {big(func(x *attesttest.Certificate) {
			x.PublicKey = key(oidRSA, null(), sequence(integer(1), tlv(2, large))...)
		}), android.CodeSignature},
		"a name of 60,000 RDNs": {big(func(x *attesttest.Certificate) {
			x.Subject = sequence(bytes.Repeat(set(sequence(tlv(6, []byte{85, 4, 3}), tlv(12))), 60000))
		}), android.CodeSignature},
		"60,000 extensions": {big(func(x *attesttest.Certificate) {
			x.Extensions = append(x.Extensions, attesttest.Extension{DER: bytes.Repeat(sequence(tlv(6, []byte{42, 3}), octets("")), 60000)})
		}), ""},
		"an issuer of 60,000 RDNs": {attested(t, attesttest.Factory, at(0, func(x *attesttest.Certificate) {
			x.Issuer = sequence(bytes.Repeat(set(sequence(tlv(6, []byte{85, 4, 3}), tlv(12))), 60000))
		})), android.CodeIssuerName},
	} {
		size := 0
		for _, cert := range c.chain[:min(len(c.chain), 9)] {
			size += len(cert)
		}
		o := trusting(t)
		var err error
		used := allocated(func() { _, err = android.Verify(c.chain, o, testNow()) })
		if got := code(t, err); c.want != "" && got != c.want && got != "" {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if used > uint64(size)+4<<20 {
			t.Errorf("%s: allocates %d KiB for %d KiB", name, used>>10, size>>10)
		}
	}
}

// TestKeyDescriptionBounds: many tags, long sets, large numbers.
func TestKeyDescriptionBounds(t *testing.T) {
	var many []byte
	for n := range uint32(60000) {
		many = append(many, explicit(1000+n)...)
	}
	numbers := bytes.Repeat(integer(1), 60000)
	names := bytes.Repeat(sequence(octets("p"), integer(1)), 60000)
	large := noise(1 << 20)
	large[0] = 0x7f
	for name, c := range map[string]struct {
		in      []byte
		ok      bool
		unknown int
		most    uint64 // MiB beyond the input
	}{
		"60,000 unknown tags":     {listed(many), true, 60000, 4},
		"one of them twice":       {listed(many, explicit(1000)), false, 0, 4},
		"60,000 purposes":         {listed(explicit(1, set(numbers))), true, 0, 4},
		"60,000 packages":         {listed(explicit(709, octets(string(sequence(set(names), set()))))), true, 0, 4},
		"60,000 digests":          {listed(explicit(709, octets(string(sequence(set(), set(bytes.Repeat(octets("d"), 60000))))))), true, 0, 4},
		"a number of a megabyte":  {listed(explicit(706, tlv(2, large))), true, 1, 4},
		"a version of a megabyte": {sequence(tlv(2, large)), false, 0, 4},
		"noise":                   {large, false, 0, 4},
		"nested":                  {bytes.Repeat([]byte{0x30, 0x80}, 1<<19), false, 0, 4},
	} {
		var d *android.KeyDescription
		var err error
		used := allocated(func() { d, err = android.ParseKeyDescription(c.in) })
		if (err == nil) != c.ok || c.ok && len(d.HardwareEnforced.Unknown) != c.unknown {
			t.Errorf("%s: %v", name, err)
		}
		if used > uint64(len(c.in))+c.most<<20 {
			t.Errorf("%s: allocates %d KiB for %d KiB", name, used>>10, len(c.in)>>10)
		}
	}
}

// TestLinearTime: 64 times as many tags, and entries of a status list, take
// about 64 times as long, and not 4096 times.
func TestLinearTime(t *testing.T) {
	tags := func(n uint32) []byte {
		var b []byte
		for i := range n {
			b = append(b, explicit(1000+i)...)
		}
		return listed(b)
	}
	list := func(n int) []byte {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + strconv.FormatInt(int64(i)+1<<40, 16) + `":{"status":"REVOKED"}`)
		}
		return []byte(entries(b.String()))
	}
	best := func(f func()) time.Duration {
		least := time.Hour
		for range 3 {
			start := time.Now()
			f()
			least = min(least, time.Since(start))
		}
		return least
	}
	for name, run := range map[string]func(n int) func(){
		"tags":    func(n int) func() { b := tags(uint32(n)); return func() { _, _ = android.ParseKeyDescription(b) } },
		"entries": func(n int) func() { b := list(n); return func() { _, _ = android.ParseStatusList(b) } },
	} {
		for attempt := 1; ; attempt++ { // other work on the machine is not ours
			part, whole := best(run(250)), best(run(16000))
			if whole <= 1000*part {
				break
			}
			if attempt == 8 {
				t.Errorf("%s: %s for a 64th, %s for all", name, part, whole)
				break
			}
		}
	}
}

// TestTruncatedBytes: no proper prefix of a certificate or a description is
// one.
func TestTruncatedBytes(t *testing.T) {
	for _, kind := range []attesttest.Provisioning{attesttest.Factory, attesttest.RKP} {
		for i, c := range attested(t, kind) {
			for n := range c {
				if _, err := android.ParseCertificate(c[:n]); err == nil {
					t.Fatalf("%s: the first %d octets of certificate %d are one", kind, n, i)
				}
			}
		}
		d := descriptionOf(t, attested(t, kind)[0])
		for n := range d {
			if _, err := android.ParseKeyDescription(d[:n]); err == nil {
				t.Fatalf("%s: the first %d octets of a description are one", kind, n)
			}
		}
	}
	list := []byte(entries(`"a": {"status": "REVOKED"}`))
	for n := range list {
		if _, err := android.ParseStatusList(list[:n]); err == nil {
			t.Fatalf("the first %d octets of a status list are one", n)
		}
	}
}
