package attesttest

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Provisioning is how a phone came by its batch certificate.
type Provisioning string

// The kinds of chains.
const (
	Factory Provisioning = "factory" // put in at the factory, under the RSA root
	RKP     Provisioning = "rkp"     // fetched from Google, for some weeks
	None    Provisioning = "none"    // issuers that say neither
)

// AndroidPhone is a software Android phone. Its fields may be changed before a
// key is made; it is not safe for concurrent use.
type AndroidPhone struct {
	Provisioning Provisioning
	RSARoot      bool   // rkp only: the chain ends in the RSA root, as before 2026
	Level        Level  // of the key store that makes the keys
	Algorithm    string // EC-P256, EC-P384, EC-P521, RSA-2048, ML-DSA-65 ...
	App          ApplicationID
	Boot         RootOfTrust
	Options      []AndroidOption // applied to every key, before those of the call

	ca    *AndroidCA
	batch map[Level]*Certificate
}

// AndroidOption changes a key's evidence before it is encoded and signed. Any
// function will do: the draft has a field for everything a phone writes.
//
//	func(d *attesttest.AndroidDraft) { d.Description.HardwareEnforced.SetInteger(702, 2) } // imported
type AndroidOption func(*AndroidDraft)

// AndroidDraft is the evidence of one key while it can still be changed.
type AndroidDraft struct {
	Now         time.Time
	Description KeyDescription
	Chain       []*Certificate // leaf first, root last; signed from the root down
	WebAuthn    *WebAuthnDraft // for Register; nil for GenerateKey
}

// Leaf is the certificate of the attested key, the first of the chain.
func (d *AndroidDraft) Leaf() *Certificate { return d.Chain[0] }

// Phone returns a good phone: keys in the TEE, provisioned by rkp under the
// P-384 root, boot loader locked, running the demo app.
func (ca *AndroidCA) Phone() *AndroidPhone {
	return &AndroidPhone{
		Provisioning: RKP,
		Level:        TEE,
		Algorithm:    "EC-P256",
		App:          ApplicationID{[]Package{{DemoPackage, DemoVersionCode}}, [][]byte{demoSigner()}},
		Boot:         RootOfTrust{VerifiedBootKey: demoBootKey(), DeviceLocked: true, VerifiedBootHash: demoBootHash()},
		ca:           ca,
		batch:        map[Level]*Certificate{},
	}
}

// GenerateKey makes a key that is attested for challenge at now.
func (p *AndroidPhone) GenerateKey(now time.Time, challenge []byte, opts ...AndroidOption) (*AndroidKey, error) {
	_, key, err := p.generate(now, challenge, nil, opts, nil)
	return key, err
}

// generate makes a key and its evidence; given is the public half of one that is
// somewhere else, nil: none is.
func (p *AndroidPhone) generate(now time.Time, challenge []byte, w *WebAuthnDraft, opts []AndroidOption, given []byte) (*AndroidDraft, *AndroidKey, error) {
	var signer crypto.Signer
	spki := given
	if given == nil {
		var err error
		if signer, spki, err = newLeafKey(p.Algorithm); err != nil {
			return nil, nil, err
		}
	}
	if p.ca == nil {
		return nil, nil, errNoCA
	}
	issuers, err := p.issuers(now)
	if err != nil {
		return nil, nil, err
	}
	leaf := &Certificate{
		Serial:    []byte{1}, // every leaf has serial 1
		Subject:   Name("CN", "Android Keystore Key"),
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(20 * year),
		PublicKey:  spki,
		Key:        signer,
		Extensions: []Extension{keyUsage(usageDigitalSignature), {OID: oidKeyDescription()}},
	}
	d := &AndroidDraft{
		Now:         now,
		Description: p.describe(now, challenge),
		Chain:       append([]*Certificate{leaf}, issuers...),
		WebAuthn:    w,
	}
	for _, opt := range p.Options {
		opt(d)
	}
	for _, opt := range opts {
		opt(d)
	}
	for _, c := range d.Chain {
		if e := c.Extension(oidKeyDescription()); e != nil && e.Value == nil {
			e.Value = d.Description.encode()
		}
	}
	chain, err := encodeChain(d.Chain)
	if err != nil {
		return nil, nil, err
	}
	return d, &AndroidKey{signer: signer, spki: spki, chain: chain}, nil
}

// issuers returns fresh copies of what stands above the leaf.
func (p *AndroidPhone) issuers(now time.Time) ([]*Certificate, error) {
	var above []*Certificate
	switch p.Provisioning {
	case Factory:
		above = []*Certificate{p.ca.batch[p.Level], p.ca.factory[p.Level], p.ca.rsaRoot}
	case None:
		above = []*Certificate{p.ca.vendorBatch, p.ca.vendor, p.ca.rsaRoot}
	case RKP:
		root := p.ca.ecRoot
		if p.RSARoot {
			root = p.ca.rsaRoot
		}
		batch, err := p.rkpBatch(now, p.ca.droidCA3[root])
		if err != nil {
			return nil, err
		}
		above = []*Certificate{batch, p.ca.droidCA3[root], p.ca.droidCA2[root], root}
	default:
		return nil, fmt.Errorf("attesttest: unknown provisioning %q", p.Provisioning)
	}
	copies := make([]*Certificate, len(above))
	for i, c := range above {
		if c == nil {
			return nil, fmt.Errorf("attesttest: no issuer for security level %d", p.Level)
		}
		copies[i] = c.clone()
	}
	return copies, nil
}

// rkpBatch is the phone's own batch certificate, the same one until it expires.
func (p *AndroidPhone) rkpBatch(now time.Time, above *Certificate) (*Certificate, error) {
	if c := p.batch[p.Level]; c != nil && now.Before(c.NotAfter) && !now.Before(c.NotBefore) {
		return c, nil
	}
	org := map[Level]string{Software: "Software", TEE: "TEE", StrongBox: "StrongBox"}[p.Level]
	c := issuer(elliptic.P256(), Name("CN", randomHex(16), "O", org), now.Add(-48*time.Hour), now.Add(20*24*time.Hour))
	c.Extensions = append(c.Extensions, Extension{OID: oidProvisioningInfo(), Value: provisioningInfo(4, DemoManufacturer)})
	if err := presign(c, above); err != nil {
		return nil, err
	}
	p.batch[p.Level] = c
	return c, nil
}

// describe is what a key store of 2026 says of a signing key.
func (p *AndroidPhone) describe(now time.Time, challenge []byte) KeyDescription {
	d := KeyDescription{
		AttestationVersion: 400, AttestationSecurityLevel: p.Level,
		KeyMintVersion: 400, KeyMintSecurityLevel: p.Level,
		AttestationChallenge: bytes.Clone(challenge),
	}
	sw, hw := &d.SoftwareEnforced, &d.HardwareEnforced
	sw.SetInteger(701, now.UnixMilli())
	sw.SetDER(709, p.App.DER())
	moduleHash := sha256.Sum256([]byte("staunch demo modules"))
	sw.SetOctets(724, moduleHash[:])

	hw.SetIntegers(1, 2, 3)
	hw.SetIntegers(5, 4)
	hw.SetNull(503)
	switch kind, size, _ := strings.Cut(p.Algorithm, "-"); kind {
	case "EC":
		curve := map[string][2]int64{"P224": {224, 0}, "P256": {256, 1}, "P384": {384, 2}, "P521": {521, 3}}[size]
		hw.SetInteger(2, 3)
		hw.SetInteger(3, curve[0])
		hw.SetInteger(10, curve[1])
	case "RSA":
		hw.SetInteger(2, 1)
		bits, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			panic("attesttest: " + err.Error()) // newLeafKey has read it already
		}
		hw.SetInteger(3, bits)
		hw.SetIntegers(6, 3, 5)
		hw.SetInteger(200, 65537)
	default:
		hw.SetInteger(2, 4)
		variant := map[string]int64{"DSA-65": 1, "DSA-87": 2}[size]
		hw.SetInteger(11, variant)
		hw.Remove(5)
		d.AttestationVersion, d.KeyMintVersion = 500, 500
	}
	hw.SetInteger(702, 0)
	hw.SetDER(704, p.Boot.DER())
	hw.SetInteger(705, 160000)
	hw.SetInteger(706, patchMonth(now))
	hw.SetOctets(710, []byte("staunch"))
	hw.SetOctets(711, []byte("software"))
	hw.SetOctets(712, []byte("software"))
	hw.SetOctets(716, []byte(DemoManufacturer))
	hw.SetOctets(717, []byte(DemoModel))
	hw.SetInteger(718, patchMonth(now)*100+5)
	hw.SetInteger(719, patchMonth(now)*100+5)
	return d
}

// patchMonth is the month before now as yyyymm.
func patchMonth(now time.Time) int64 {
	t := now.UTC().AddDate(0, 0, -now.UTC().Day()) // last day of the month before
	return int64(t.Year()*100 + int(t.Month()))
}
