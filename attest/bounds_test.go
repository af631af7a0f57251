package attest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// noise is random octets.
func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

// readAndJudge does with input what a server does. "" is accepted.
func readAndJudge(t testing.TB, v *attest.Verifier, p *attest.Policy, input []byte) string {
	ev, want, err := attest.Parse(input, attest.FormatAuto)
	if err == nil {
		var verdict attest.Verdict
		if verdict, err = v.Verify(ev, want, p, testNow()); err == nil {
			if verdict.Accept() {
				return ""
			}
			return verdict.Findings[0].Code
		}
	}
	switch {
	case errors.Is(err, attest.ErrMalformed):
		return "malformed"
	case errors.Is(err, attest.ErrUnsupported):
		return "unsupported"
	}
	t.Errorf("neither malformed nor unsupported: %v", err)
	return ""
}

// der writes one element with a long length.
func der(tag byte, contents ...[]byte) []byte {
	body := slices.Concat(contents...)
	return append([]byte{tag, 0x83, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

// hostile are inputs of about n octets with the code that they must end in.
func hostile(t testing.TB, n int) map[string]struct {
	input []byte
	want  string
} {
	cert := evidence(t, attesttest.RKP).Chain[0]
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	text := `"` + base64.StdEncoding.EncodeToString(cert) + `",`
	deep := n / 2
	description := func(list []byte) []byte {
		ev := evidence(t, attesttest.RKP, hardware(func(l *attesttest.AuthorizationList) { l.Append(999, list) }))
		return slices.Concat(ev.Chain[:3]...)
	}
	rows := map[string]struct {
		input []byte
		want  string
	}{
		"noise":                     {noise(n), "malformed"},
		"noise in base64":           {[]byte(base64.StdEncoding.EncodeToString(noise(n * 3 / 4))), "malformed"},
		"zeros":                     {make([]byte, n), "malformed"},
		"spaces":                    {bytes.Repeat([]byte(" "), n), "malformed"},
		"digits":                    {bytes.Repeat([]byte("0"), n), "malformed"},
		"certificates in DER":       {bytes.Repeat(cert, n/len(cert)), "android.chain_length"},
		"certificates in PEM":       {bytes.Repeat(block, n/len(block)), "android.chain_length"},
		"certificates in JSON":      {[]byte(`{"chain":[` + strings.TrimSuffix(strings.Repeat(text, n/len(text)), ",") + `]}`), "android.chain_length"},
		"empty certificates":        {bytes.Repeat([]byte{0x30, 0}, n/2), "android.chain_length"},
		"BEGIN lines":               {bytes.Repeat([]byte("-----BEGIN CERTIFICATE-----\n"), n/28), "malformed"},
		"BEGIN without line ends":   {bytes.Repeat([]byte("-----BEGIN "), n/11), "malformed"},
		"END lines":                 {[]byte("-----BEGIN CERTIFICATE-----\n" + strings.Repeat("-----END CERTIFICATE----\n", n/25)), "malformed"},
		"empty blocks":              {bytes.Repeat([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), n/54), "android.chain_length"},
		"arrays in JSON":            {[]byte(`{"x":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `}`), "malformed"},
		"objects in JSON":           {[]byte(strings.Repeat(`{"x":`, n/6) + "1" + strings.Repeat("}", n/6)), "malformed"},
		"members in JSON":           {[]byte(`{"a":1` + strings.Repeat(`,"a":1`, n/6) + `}`), "malformed"},
		"arrays in CBOR":            {bytes.Repeat([]byte{0x81}, n), "malformed"},
		"maps in CBOR":              {bytes.Repeat([]byte{0xa1, 0x61, 0x61}, n/3), "malformed"},
		"a map of CBOR, very long":  {slices.Concat([]byte{0xba, 0, 0xff, 0xff, 0xff}, noise(n)), "malformed"},
		"octets of CBOR, very long": {slices.Concat([]byte{0xa1, 0x63, 'f', 'm', 't', 0x5a, 0x7f, 0xff, 0xff, 0xff}, noise(n)), "malformed"},
		"a certificate of names":    {bytes.Repeat(der(0x30, der(0x30, bytes.Repeat([]byte{0x31, 0}, n/8))), 3), "malformed"},
		"a serial of a megabyte":    {der(0x30, der(0x30, der(0x02, bytes.Repeat([]byte{0x7f}, n-30))), []byte{0x30, 0, 3, 1, 0}), "malformed"},
		"CMS of noise":              {slices.Concat(der(0x30, []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"), noise(n-30))), "malformed"},
		"nested SEQUENCEs":          {bytes.Repeat([]byte{0x30, 0x80}, n/2), "malformed"},
	}
	rows["an INTEGER of a megabyte"] = struct {
		input []byte
		want  string
	}{description(der(0x02, bytes.Repeat([]byte{0x7f}, n/2))), "android.root_unknown"}
	return rows
}

// allocated is how much f allocates, in octets.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestBounds: hostile input ends in the right code and allocates no more than
// 4 MiB beyond what it brings.
func TestBounds(t *testing.T) {
	v, p := newVerifier(t), policyOf(t)
	for name, c := range hostile(t, attest.MaxInput-200) {
		t.Run(name, func(t *testing.T) {
			if len(c.input) > attest.MaxInput {
				t.Fatalf("%d octets", len(c.input))
			}
			var got string
			n := allocated(func() { got = readAndJudge(t, v, p, c.input) })
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if n > uint64(len(c.input))+4<<20 {
				t.Errorf("allocates %d KiB for %d KiB", n>>10, len(c.input)>>10)
			}
		})
	}
	for name, input := range map[string][]byte{"10 MB of noise": noise(10 << 20), "a byte too many": make([]byte, attest.MaxInput+1)} {
		var got string
		if n := allocated(func() { got = readAndJudge(t, v, p, input) }); got != "malformed" || n > 1<<16 {
			t.Errorf("%s: %q, allocates %d", name, got, n)
		}
	}
}

// TestNoQuadraticTime: 64 times the input takes about 64 times as long, and
// not 4096 times.
func TestNoQuadraticTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	v, p := newVerifier(t), policyOf(t)
	small, large := hostile(t, attest.MaxInput/64), hostile(t, attest.MaxInput-200)
	best := func(input []byte) time.Duration {
		least := time.Hour
		for range 3 {
			start := time.Now()
			readAndJudge(t, v, p, input)
			least = min(least, time.Since(start))
		}
		return least
	}
	for name := range small {
		for attempt := 1; ; attempt++ { // other work on the machine is not ours
			part, whole := best(small[name].input), best(large[name].input)
			if whole <= 50*time.Millisecond || whole <= 1000*part {
				break
			}
			if attempt == 8 {
				t.Errorf("%s: %s for a 64th, %s for all", name, part, whole)
				break
			}
		}
	}
}
