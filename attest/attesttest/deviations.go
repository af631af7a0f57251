package attesttest

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/staunchid/staunch/attest"
)

// Deviation is one thing that phones do, good or bad: a small change of one
// good phone, and what a verifier must say of it.
type Deviation struct {
	Name     string // unique, for file names
	Change   string // what is different from the good phone, for people
	Format   attest.Format
	Code     string // of the finding that must be raised; empty: accepted under Policy, with nothing but notes
	Class    attest.Class
	Position int // of the finding, or NoPosition
	Effects  Effects

	// Check is the check that an exception at Position can relax for this
	// phone; empty: no exception can ever change the outcome.
	Check string

	also []string          // checks that Exception relaxes too, at the same position
	set  map[string]string // values that the policy has instead of DemoPolicy's
	make maker
	lab  *lab
}

// NoPosition is the position of a finding that is about no certificate.
const NoPosition = -1

// Silent is the effect of a code that a policy does not raise.
const Silent attest.Effect = "silent"

// Effects are what the finding does under either profile.
type Effects struct {
	Google, Strict attest.Effect // under a policy file like Policy
	Genuine        attest.Effect // under the built-in policy, if it trusted this CA, whatever its profile; empty: as under a policy file
}

// Under returns the effect under a profile, of a policy file or of the
// built-in policy.
func (e Effects) Under(profile string, genuine bool) attest.Effect {
	if genuine && e.Genuine != "" {
		return e.Genuine
	}
	if profile == "strict" {
		return e.Strict
	}
	return e.Google
}

// Deviations lists every departure that evidence can show, and the good phones
// beside them. Each call returns a fresh catalogue, safe for concurrent use.
func Deviations() []Deviation {
	l := &lab{}
	var all []Deviation
	for _, group := range []struct {
		format attest.Format
		rows   []Deviation
	}{
		{attest.FormatAndroidChain, androidBaselines()},
		{attest.FormatAndroidChain, chainDeviations()},
		{attest.FormatAndroidChain, pathDeviations()},
		{attest.FormatAndroidChain, encodingDeviations()},
		{attest.FormatAndroidChain, revocationDeviations()},
		{attest.FormatAndroidChain, descriptionDeviations()},
		{attest.FormatAndroidChain, appraisalDeviations()},
		{attest.FormatAndroidChain, appDeviations()},
		{attest.FormatAndroidKey, webAuthnDeviations()},
		{attest.FormatAppleAppAttest, appleBaselines()},
		{attest.FormatAppleAppAttest, appleDeviations()},
		{attest.FormatAppleAppAttest, appleAppraisalDeviations()},
		{attest.FormatAppleAppAttest, embeddedReceiptDeviations()},
		{attest.FormatAppleAssertion, assertionDeviations()},
		{attest.FormatAppleReceipt, receiptDeviations()},
		{"", policyDeviations()},
	} {
		for _, d := range group.rows {
			d.lab = l
			if d.Format == "" {
				d.Format = group.format
			}
			if d.Code == "" {
				d.Position = NoPosition
			}
			all = append(all, d)
		}
	}
	return all
}

// Make makes the evidence, as of now. Two calls make two phones.
func (d Deviation) Make(now time.Time) (Sample, error) {
	if d.make == nil {
		return Sample{}, fmt.Errorf("attesttest: %s is not from Deviations", d.Name)
	}
	s, err := d.make(d.lab, now)
	if err != nil {
		return Sample{}, fmt.Errorf("%s: %w", d.Name, err)
	}
	return s, nil
}

// Policy returns the policy file (TOML) that the effects are stated for:
// DemoPolicy with the profile, and with the few values that the row is about.
func (d Deviation) Policy(profile string) string {
	set := map[string]string{"profile": fmt.Sprintf("%q", profile)}
	for k, v := range d.set {
		set[k] = v
	}
	return policyText(set)
}

// OwnPolicy reports whether Policy differs from DemoPolicy in more than the
// profile: such a row is about a rule of the policy.
func (d Deviation) OwnPolicy() bool { return len(d.set) > 0 }

// Exception returns the [[exception]] (TOML, to append to Policy) that relaxes
// the row's check for the software phone's model, valid around now; "" if the
// row has none. A row that cannot break one rule without another has two.
func (d Deviation) Exception(now time.Time) string {
	if d.Check == "" {
		return ""
	}
	text := ""
	for _, check := range append([]string{d.Check}, d.also...) {
		text += ExceptionText(d.Name+"-"+check, check, d.Position, now)
	}
	return text
}

// ExceptionText writes an [[exception]] (TOML) for the software phone's model,
// valid from a day before now to a year after.
func ExceptionText(id, check string, position int, now time.Time) string {
	return fmt.Sprintf(`
[[exception]]
id = %q
apps = ["%s"]
check = %q
position = %d
match = { models = [{ manufacturer = %q, model = %q }] }
owner = "test"
ticket = "TEST-1"
reason = "software phones do this on purpose"
not_before = %s
expires = %s
`, id, DemoApp, check, position, DemoManufacturer, DemoModel,
		now.UTC().Add(-24*time.Hour).Format(time.RFC3339), now.UTC().Add(year).Format(time.RFC3339))
}

// Effects that rows share.
func hard() Effects    { return Effects{attest.Reject, attest.Reject, ""} }          // no policy changes it
func byRule() Effects  { return Effects{attest.Note, attest.Reject, ""} }            // the profile decides
func rejects() Effects { return Effects{attest.Reject, attest.Reject, attest.Warn} } // the policy file's rule; genuine only tells
func refused() Effects { return Effects{attest.Reject, attest.Reject, Silent} }      // the policy file's rule; genuine has none
func warns() Effects   { return Effects{attest.Warn, attest.Warn, ""} }
func notes() Effects   { return Effects{attest.Note, attest.Note, ""} }

// maker makes one piece of evidence in a lab.
type maker func(l *lab, now time.Time) (Sample, error)

// then changes what the server knows, or the finished evidence.
func (m maker) then(edit func(*Sample)) maker {
	return func(l *lab, now time.Time) (Sample, error) {
		s, err := m(l, now)
		if err == nil {
			edit(&s)
		}
		return s, err
	}
}

// lab holds the CAs of a catalogue, made once for each time.
type lab struct {
	mu      sync.Mutex
	now     time.Time
	android *AndroidCA
	apple   *AppleCA
	given   *given // nil: it makes the keys itself
}

func (l *lab) cas(now time.Time) (*AndroidCA, *AppleCA, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.android != nil && l.now.Equal(now) {
		return l.android, l.apple, nil
	}
	android, err := TestAndroidCA(now)
	if err != nil {
		return nil, nil, err
	}
	apple, err := TestAppleCA(now)
	if err != nil {
		return nil, nil, err
	}
	l.now, l.android, l.apple = now, android, apple
	return android, apple, nil
}

// challenge is what the server has sent. A fixed one will do: the catalogue is
// about phones.
func challenge() []byte {
	sum := sha256.Sum256([]byte("attesttest challenge"))
	return sum[:]
}

// statusList is a snapshot with the given entries, fetched some time before
// now. Without entries it lists a serial that nobody has.
func statusList(now time.Time, age time.Duration, entries ...[2]string) []byte {
	list := `"57a0bad0": {"status": "REVOKED", "reason": "KEY_COMPROMISE"}`
	for _, e := range entries {
		list += fmt.Sprintf(`, %q: {"status": %q, "reason": "SUPERSEDED"}`, e[0], e[1])
	}
	return fmt.Appendf(nil, `{"fetched_at": %q, "list": {"entries": {%s}}}`, now.UTC().Add(-age).Format(time.RFC3339), list)
}

// Android phones that rows start from.
func rkp(*AndroidPhone)             {}
func rkpRSA(p *AndroidPhone)        { p.RSARoot = true }
func rkpStrongBox(p *AndroidPhone)  { p.Level = StrongBox }
func factory(p *AndroidPhone)       { p.Provisioning = Factory }
func unprovisioned(p *AndroidPhone) { p.Provisioning = None }
func factoryStrongBox(p *AndroidPhone) {
	p.Provisioning, p.Level = Factory, StrongBox
}

// chain makes an android-chain sample.
func chain(phone func(*AndroidPhone), opts ...AndroidOption) maker {
	return func(l *lab, now time.Time) (Sample, error) {
		ca, _, err := l.cas(now)
		if err != nil {
			return Sample{}, err
		}
		p := ca.Phone()
		phone(p)
		key, err := l.generate(p, now, opts)
		if err != nil {
			return Sample{}, err
		}
		return Sample{
			Format: attest.FormatAndroidChain, Chain: key.Chain(), Challenge: l.challenge(),
			StatusList: statusList(now, time.Hour), At: now,
		}, nil
	}
}

// at changes the certificate at a position.
func at(position int, edit func(*Certificate)) AndroidOption {
	return func(d *AndroidDraft) { edit(d.Chain[position]) }
}

// hardware and software change a list of the description.
func hardware(edit func(*AuthorizationList)) AndroidOption {
	return func(d *AndroidDraft) { edit(&d.Description.HardwareEnforced) }
}

func software(edit func(*AuthorizationList)) AndroidOption {
	return func(d *AndroidDraft) { edit(&d.Description.SoftwareEnforced) }
}

// boot changes what the boot loader said.
func boot(edit func(*RootOfTrust)) func(*AndroidPhone) {
	return func(p *AndroidPhone) { edit(&p.Boot) }
}
