package android_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest/android"
)

// description encodes a KeyDescription of version 400 in the TEE.
func description(software, hardware []byte) []byte {
	return sequence(integer(1, 0x90), enumerated(1), integer(1, 0x90), enumerated(1), octets("challenge"), octets("id"), software, hardware)
}

// listed is a description with these tags in hardwareEnforced.
func listed(tags ...[]byte) []byte { return description(sequence(), sequence(tags...)) }

func parse(t testing.TB, value []byte) *android.KeyDescription {
	t.Helper()
	d, err := android.ParseKeyDescription(value)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestKeyDescription(t *testing.T) {
	d := parse(t, sequence(integer(3), enumerated(2), integer(4), enumerated(1), octets("challenge"), octets("id"),
		sequence(explicit(709, octets(string(sequence(set(), set()))))), sequence(explicit(702, integer(0)))))
	if d.AttestationVersion != 3 || d.AttestationSecurityLevel != android.StrongBox || d.KeyMintVersion != 4 || d.KeyMintSecurityLevel != android.TrustedEnvironment {
		t.Errorf("versions and levels: %+v", d)
	}
	if string(d.AttestationChallenge) != "challenge" || string(d.UniqueID) != "id" || d.SoftwareEnforced.AttestationApplicationID == nil {
		t.Errorf("octets and lists: %+v", d)
	}
	if d.Level() != android.TrustedEnvironment || d.HardwareEnforced.Origin == nil || *d.HardwareEnforced.Origin != 0 || d.SoftwareEnforced.Origin != nil {
		t.Errorf("level %s, origin %v", d.Level(), d.HardwareEnforced.Origin)
	}
	if len(d.Encodings) != 0 {
		t.Errorf("encodings %q", d.Encodings)
	}
}

func TestKeyDescriptionRefuses(t *testing.T) {
	list := sequence()
	head := [][]byte{integer(3), enumerated(1), integer(4), enumerated(1), octets("c"), octets("")}
	with := func(i int, b []byte) []byte {
		parts := append(slices.Clone(head), list, list)
		parts[i] = b
		return sequence(parts...)
	}
	deep := null()
	for range 9 {
		deep = sequence(deep)
	}
	for name, in := range map[string][]byte{
		"nothing":                     nil,
		"a SET":                       set(slices.Concat(head...), list, list),
		"a byte behind it":            append(with(6, list), 0),
		"a field behind it":           sequence(slices.Concat(head...), list, list, list),
		"no hardwareEnforced":         sequence(slices.Concat(head...), list),
		"attestationVersion missing":  sequence(slices.Concat(head[1:]...), list, list),
		"attestationVersion negative": with(0, integer(0xff)),
		"attestationVersion of 2^64":  with(0, integer(1, 0, 0, 0, 0, 0, 0, 0, 0)),
		"attestationVersion padded":   with(0, integer(0, 3)),
		"attestationVersion as text":  with(0, octets("3")),
		"attestation level INTEGER":   with(1, integer(1)),
		"attestation level 3":         with(1, enumerated(3)),
		"attestation level negative":  with(1, enumerated(0xff)),
		"keyMintVersion negative":     with(2, integer(0xff)),
		"KeyMint level 3":             with(3, enumerated(3)),
		"challenge as BIT STRING":     with(4, bits(0, 1)),
		"uniqueId NULL":               with(5, null()),
		"softwareEnforced as SET":     with(6, set()),
		"hardwareEnforced as SET":     with(7, set()),
		"a universal tag in a list":   with(7, sequence(integer(1))),
		"an application tag":          with(7, sequence([]byte{0x41, 0})),
		"a tag twice":                 with(7, sequence(explicit(702, integer(0)), explicit(702, integer(0)))),
		"a tag twice, not adjacent":   with(7, sequence(explicit(702, integer(0)), explicit(703, null()), explicit(702, integer(2)))),
		"a null tag twice":            with(7, sequence(explicit(503, null()), explicit(503, null()))),
		"an unusable tag twice":       with(7, sequence(explicit(702, null()), explicit(702, integer(0)))),
		"an unknown tag twice":        with(6, sequence(explicit(999, null()), explicit(999, null()))),
		"a tag in the long form":      with(7, sequence([]byte{0xbf, 0x01, 0x00})),
		"a tag above 2^24":            with(7, sequence([]byte{0xbf, 0x88, 0x80, 0x80, 0x01, 0x00})),
		"an indefinite length":        with(7, []byte{0x30, 0x80, 0, 0}),
		"a length that is not short":  with(7, []byte{0x30, 0x81, 0}),
		"a list cut short":            with(7, []byte{0x30, 2, 0xa1}),
	} {
		if d, err := android.ParseKeyDescription(in); err == nil || !strings.Contains(err.Error(), "malformed KeyDescription") {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	if d := parse(t, listed(explicit(701, deep))); d.HardwareEnforced.CreationDateTime != nil || len(d.HardwareEnforced.Unknown) != 1 {
		t.Errorf("a tag of too many levels: %+v", d.HardwareEnforced)
	}
}

// schema is the table of tags of A.3.
const schema = `1 purpose S · 2 algorithm I · 3 keySize I · 4 blockMode S · 5 digest S · 6 padding S · 7 callerNonce N ·
8 minMacLength I · 10 ecCurve I · 11 mlDsaVariant I · 200 rsaPublicExponent I · 203 mgfDigest S · 303 rollbackResistance N ·
305 earlyBootOnly N · 400 activeDateTime I · 401 originationExpireDateTime I · 402 usageExpireDateTime I · 405 usageCountLimit I ·
502 userSecureId I · 503 noAuthRequired N · 504 userAuthType I · 505 authTimeout I · 506 allowWhileOnBody N ·
507 trustedUserPresenceRequired N · 508 trustedConfirmationRequired N · 509 unlockedDeviceRequired N · 600 allApplications N ·
601 applicationId O · 701 creationDateTime I · 702 origin I · 703 rollbackResistant N · 704 rootOfTrust R · 705 osVersion I ·
706 osPatchLevel I · 709 attestationApplicationId A · 710 attestationIdBrand T · 711 attestationIdDevice T ·
712 attestationIdProduct T · 713 attestationIdSerial T · 714 attestationIdImei T · 715 attestationIdMeid T ·
716 attestationIdManufacturer T · 717 attestationIdModel T · 718 vendorPatchLevel I · 719 bootPatchLevel I ·
720 deviceUniqueAttestation N · 723 attestationIdSecondImei T · 724 moduleHash O`

// TestTags: every tag of the schema is read as its type, shown under its name,
// and absent when it holds anything else.
func TestTags(t *testing.T) {
	rootOfTrust := sequence(octets("key"), boolean(0xff), enumerated(0), octets("hash"))
	application := octets(string(sequence(set(sequence(octets("p"), integer(7))), set(octets("d")))))
	values := map[string]struct {
		der  []byte
		json string
	}{
		"I": {integer(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), "18446744073709551615"},
		"S": {set(integer(2), integer(3)), "[2,3]"},
		"N": {null(), "true"},
		"O": {octets("ab"), `"YWI="`},
		"T": {octets("a\u00e9"), `"aé"`},
		"R": {rootOfTrust, `{"verifiedBootKey":"a2V5","deviceLocked":true,"verifiedBootState":"Verified","verifiedBootHash":"aGFzaA=="}`},
		"A": {application, `{"packageInfos":[{"packageName":"p","version":7}],"signatureDigests":["ZA=="]}`},
	}
	rows := 0
	for row := range strings.SplitSeq(schema, "·") {
		f := strings.Fields(row)
		number, name, kind := f[0], f[1], f[2]
		var n uint32
		if err := json.Unmarshal([]byte(number), &n); err != nil {
			t.Fatal(err)
		}
		rows++
		if got, ok := android.TagNumber(name); !ok || got != n {
			t.Errorf("%s is tag %d", name, got)
		}
		for holds, v := range values {
			d := parse(t, listed(explicit(n, v.der)))
			text, err := json.Marshal(&d.HardwareEnforced)
			if err != nil {
				t.Fatal(err)
			}
			got, usable := string(text), kind == holds || kind == "N" || kind == "O" && (holds == "T" || holds == "A") || kind == "T" && (holds == "O" || holds == "A" && n != 709)
			if want := `{"` + name + `":` + v.json + `,"unknown_tags":[]}`; kind == holds && got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
			if kind == holds && len(d.HardwareEnforced.Unknown) != 0 {
				t.Errorf("%s: unusable", name)
			}
			unknown := d.HardwareEnforced.Unknown
			if !usable && (len(unknown) != 1 || unknown[0].Tag != n || unknown[0].Name != name || !bytes.Equal(unknown[0].DER, v.der) || strings.Contains(got, `"`+name+`"`)) {
				t.Errorf("%s of type %s that holds %s: %s", name, kind, holds, got)
			}
		}
		for what, der := range map[string][]byte{"nothing": nil, "two values": slices.Concat(values[kind].der, values[kind].der), "a damaged value": {2, 5}} {
			d := parse(t, listed(explicit(n, der)))
			if u := d.HardwareEnforced.Unknown; kind != "N" && (len(u) != 1 || u[0].Name != name) {
				t.Errorf("%s that holds %s: %+v", name, what, u)
			} else if kind == "N" && len(u) != 0 {
				t.Errorf("%s is not present though it holds %s", name, what)
			}
		}
		if kind == "N" {
			continue
		}
		primitive := element([]byte{0x9f, 0x80 | byte(n>>7), byte(n & 0x7f)}, []byte{0})
		if n < 31 {
			primitive = tlv(0x80|byte(n), []byte{0})
		} else if n < 128 {
			continue
		}
		if d := parse(t, listed(primitive)); len(d.HardwareEnforced.Unknown) != 1 {
			t.Errorf("%s with a primitive tag is used", name)
		}
	}
	if rows != 48 {
		t.Errorf("%d rows", rows)
	}
}

// TestAbsentIsNotZero: of an empty list everything is absent.
func TestAbsentIsNotZero(t *testing.T) {
	d := parse(t, listed())
	text, err := json.Marshal(&d.HardwareEnforced)
	if err != nil || string(text) != `{"unknown_tags":[]}` {
		t.Errorf("%s, %v", text, err)
	}
	if d.HardwareEnforced.Origin != nil || d.HardwareEnforced.RootOfTrust != nil || d.HardwareEnforced.Purpose != nil {
		t.Error("absent and zero are mixed up")
	}
	if zero := parse(t, listed(explicit(702, integer(0)))).HardwareEnforced.Origin; zero == nil || *zero != 0 {
		t.Error("origin 0 is absent")
	}
}

// TestNumbers: what an INTEGER may be, and what counts as absent.
func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		der  []byte
		want uint64
		ok   bool
	}{
		{integer(0), 0, true}, {integer(0x7f), 127, true}, {integer(0, 0x80), 128, true},
		{integer(0xff), 0, false}, {integer(0x80), 0, false}, {integer(0, 1), 0, false}, {integer(), 0, false},
		{integer(1, 0, 0, 0, 0, 0, 0, 0, 0), 0, false}, {enumerated(1), 0, false}, {boolean(0xff), 0, false},
	} {
		d := parse(t, listed(explicit(706, c.der)))
		got := d.HardwareEnforced.OSPatchLevel
		if (got != nil) != c.ok || c.ok && *got != c.want || c.ok == (len(d.HardwareEnforced.Unknown) == 1) {
			t.Errorf("%x: %v, unknown %v", c.der, got, d.HardwareEnforced.Unknown)
		}
	}
}

// TestTolerated: the rows of 2.4 for descriptions. Each is noted once.
func TestTolerated(t *testing.T) {
	root := func(locked byte) []byte {
		return explicit(704, sequence(octets("key"), boolean(locked), enumerated(0)))
	}
	application := func(packages, digests []byte) []byte {
		return explicit(709, octets(string(sequence(packages, digests))))
	}
	pkg := func(name string, version byte) []byte { return sequence(octets(name), integer(version)) }
	for _, c := range []struct {
		name string
		in   []byte
		want []string
	}{
		{"ascending", listed(explicit(1, set(integer(2))), explicit(702, integer(0)), explicit(709, octets("x"))), nil},
		{"descending", listed(explicit(702, integer(0)), explicit(1, set(integer(2))), explicit(5, set())), []string{"tags out of order"}},
		{"an unknown tag out of order", listed(explicit(999, null()), explicit(1, set(integer(2)))), []string{"tags out of order"}},
		{"deviceLocked 01", listed(root(1)), []string{"BOOLEAN other than 00 and FF"}},
		{"deviceLocked FF", listed(root(0xff)), nil},
		{"unsorted purposes", listed(explicit(1, set(integer(3), integer(2)))), []string{"unsorted SET OF"}},
		{"unsorted twice", listed(explicit(1, set(integer(3), integer(2))), explicit(5, set(integer(4), integer(1)))), []string{"unsorted SET OF"}},
		{"unsorted packages", listed(application(set(pkg("b", 1), pkg("a", 1)), set())), []string{"unsorted SET OF"}},
		{"unsorted digests", listed(application(set(), set(octets("b"), octets("a")))), []string{"unsorted SET OF"}},
		{"sorted", listed(application(set(pkg("a", 1), pkg("b", 1)), set(octets("a"), octets("b")))), nil},
	} {
		if d := parse(t, c.in); !slices.Equal(d.Encodings, c.want) || len(d.HardwareEnforced.Unknown) > 1 {
			t.Errorf("%s: %q, want %q", c.name, d.Encodings, c.want)
		}
	}
	d := parse(t, listed(explicit(1, set(integer(7), integer(2), integer(3)))))
	if !slices.Equal(d.HardwareEnforced.Purpose, []uint64{2, 3, 7}) {
		t.Errorf("a set is ascending: %v", d.HardwareEnforced.Purpose)
	}
	d = parse(t, listed(application(set(pkg("b", 1), pkg("a", 2)), set(octets("z"), octets("y")))))
	id := d.HardwareEnforced.AttestationApplicationID
	if id.PackageInfos[0].PackageName != "b" || string(id.SignatureDigests[0]) != "z" {
		t.Errorf("an application id is in encoded order: %+v", id)
	}
	if d := parse(t, listed(root(0))); d.HardwareEnforced.RootOfTrust.DeviceLocked || d.HardwareEnforced.RootOfTrust.VerifiedBootHash != nil {
		t.Errorf("%+v", d.HardwareEnforced.RootOfTrust)
	}
}

// TestRootOfTrustRefuses: one that cannot be read is absent, and noted.
func TestRootOfTrustRefuses(t *testing.T) {
	key, locked, state, hash := octets("key"), boolean(0xff), enumerated(0), octets("hash")
	for name, der := range map[string][]byte{
		"a SET":                 set(key, locked, state, hash),
		"empty":                 sequence(),
		"key that is text":      sequence(tlv(0x0c), locked, state, hash),
		"no deviceLocked":       sequence(key, state, hash),
		"deviceLocked INTEGER":  sequence(key, integer(1), state, hash),
		"deviceLocked two":      sequence(key, []byte{1, 2, 0, 0}, state, hash),
		"no state":              sequence(key, locked, hash),
		"state INTEGER":         sequence(key, locked, integer(0), hash),
		"state negative":        sequence(key, locked, enumerated(0xff), hash),
		"a second hash":         sequence(key, locked, state, hash, hash),
		"an INTEGER for a hash": sequence(key, locked, state, integer(1)),
	} {
		d := parse(t, listed(explicit(704, der)))
		if d.HardwareEnforced.RootOfTrust != nil || len(d.HardwareEnforced.Unknown) != 1 {
			t.Errorf("%s: %+v", name, d.HardwareEnforced.RootOfTrust)
		}
	}
	for n, want := range map[byte]string{0: "Verified", 1: "SelfSigned", 2: "Unverified", 3: "Failed", 4: "unknown(4)"} {
		d := parse(t, listed(explicit(704, sequence(key, locked, enumerated(n)))))
		if got := d.HardwareEnforced.RootOfTrust.VerifiedBootState.String(); got != want {
			t.Errorf("boot state %d: %s", n, got)
		}
	}
}

// TestApplicationIDRefuses: likewise.
func TestApplicationIDRefuses(t *testing.T) {
	pkg := sequence(octets("p"), integer(1))
	for name, der := range map[string][]byte{
		"not inside octets":      sequence(set(pkg), set()),
		"octets that are empty":  octets(""),
		"a SET outside":          octets(string(set(set(pkg), set()))),
		"bytes behind it":        octets(string(sequence(set(pkg), set())) + "\x00"),
		"a third set":            octets(string(sequence(set(pkg), set(), set()))),
		"one set":                octets(string(sequence(set(pkg)))),
		"packages as SEQUENCE":   octets(string(sequence(sequence(pkg), set()))),
		"digests as SEQUENCE":    octets(string(sequence(set(pkg), sequence()))),
		"a package that is text": octets(string(sequence(set(octets("p")), set()))),
		"a package, no version":  octets(string(sequence(set(sequence(octets("p"))), set()))),
		"a version as text":      octets(string(sequence(set(sequence(octets("p"), octets("1"))), set()))),
		"a negative version":     octets(string(sequence(set(sequence(octets("p"), integer(0xff))), set()))),
		"three fields":           octets(string(sequence(set(sequence(octets("p"), integer(1), integer(1))), set()))),
		"a name not in UTF-8":    octets(string(sequence(set(sequence(octets("\xff"), integer(1))), set()))),
		"a digest as INTEGER":    octets(string(sequence(set(pkg), set(integer(1))))),
		"a damaged set":          octets(string(sequence([]byte{0x31, 1, 0x30}, set()))),
	} {
		d := parse(t, listed(explicit(709, der)))
		if d.HardwareEnforced.AttestationApplicationID != nil || len(d.HardwareEnforced.Unknown) != 1 {
			t.Errorf("%s: %+v", name, d.HardwareEnforced.AttestationApplicationID)
		}
	}
	for _, name := range []string{"AndroidSystem", "UnknownPackage", "UnknownApplication"} {
		id := &android.ApplicationID{PackageInfos: []android.PackageInfo{{PackageName: "com.example"}, {PackageName: name}}}
		if !id.Placeholder() {
			t.Errorf("%s is an app", name)
		}
	}
	if (&android.ApplicationID{PackageInfos: []android.PackageInfo{{PackageName: "androidsystem"}}}).Placeholder() {
		t.Error("androidsystem is a placeholder")
	}
}

func TestNamesOfNumbers(t *testing.T) {
	for n, want := range map[android.Origin]string{0: "generated", 1: "derived", 2: "imported", 3: "reserved", 4: "securely_imported", 5: "unknown(5)"} {
		if n.String() != want {
			t.Errorf("origin %d: %s", n, n)
		}
	}
	for n, want := range map[android.SecurityLevel]string{0: "Software", 1: "TrustedEnvironment", 2: "StrongBox", 3: "Software"} {
		if n.String() != want {
			t.Errorf("level %d: %s", n, n)
		}
	}
	for n := range uint64(600) {
		d := &android.KeyDescription{AttestationVersion: n}
		if want := slices.Contains([]uint64{1, 2, 3, 4, 100, 200, 300, 400, 500}, n); d.KnownVersion() != want {
			t.Errorf("version %d: known %v", n, !want)
		}
	}
}

func TestPatchLevel(t *testing.T) {
	for n, want := range map[uint64]string{
		202511: "2025-11", 20251105: "2025-11-05", 20251100: "2025-11", 200001: "2000-01", 209912: "2099-12", 20251131: "2025-11-31",
		0: "", 202500: "", 202513: "", 199912: "", 210001: "", 20251132: "", 20251300: "", 20250001: "", 19991231: "", 21000101: "",
		2025: "", 20251: "", 2025110: "", 202511050: "", 99999: "", 1 << 63: "",
	} {
		p, ok := android.ParsePatchLevel(n)
		if ok != (want != "") || ok && p.String() != want {
			t.Errorf("%d: %s, %v; want %q", n, p, ok, want)
		}
	}
	level := func(n uint64) android.PatchLevel { p, _ := android.ParsePatchLevel(n); return p }
	for _, c := range []struct {
		a, b   uint64
		before bool
	}{
		{202510, 202511, true}, {202511, 202511, false}, {202512, 202511, false}, {202412, 202501, true}, {202601, 202512, false},
		{20251101, 20251105, true}, {20251105, 20251101, false}, {20251105, 20251105, false},
		{202511, 20251105, false}, {20251105, 202511, false}, {20251100, 20251105, false}, // days count only if both have one
		{20251031, 20251101, true}, {20251201, 20251105, false},
	} {
		if got := level(c.a).Before(level(c.b)); got != c.before {
			t.Errorf("%d before %d: %v", c.a, c.b, got)
		}
	}
	for n, want := range map[uint64]string{202511: "2025-11-01", 20251105: "2025-11-05", 20251100: "2025-11-01"} {
		if got := level(n).Time().Format("2006-01-02"); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
