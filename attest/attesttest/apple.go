package attesttest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// ApplePhone is a software iPhone or Mac. Its fields may be changed before a
// key is made or used; it is not safe for concurrent use.
type ApplePhone struct {
	TeamID, BundleID string
	Development      bool   // App Attest's development environment
	MacOS            bool   // the leaf carries the access control list of a Mac
	OSVersion        string // "26.1", "27.0" ...; from 27 on the category and version map is written
	Build            string
	Category         uint32 // of the map: 4 App Store, 2 TestFlight, 3 development ...
	BundleVersion    string
	Options          []AppleOption // applied to everything, before those of the call

	ca *AppleCA
}

// Phone returns a good phone of iOS 27 with the demo app from the App Store.
func (ca *AppleCA) Phone() *ApplePhone {
	return &ApplePhone{
		TeamID: DemoTeamID, BundleID: DemoBundleID,
		OSVersion: "27.0", Build: "24A335", Category: 4, BundleVersion: "26.1.0",
		ca: ca,
	}
}

// AppID is what the phone's rpIdHash is the SHA-256 of.
func (p *ApplePhone) AppID() string { return p.TeamID + "." + p.BundleID }

// AppleKey is a key in the phone's Secure Enclave.
type AppleKey struct {
	phone   *ApplePhone
	key     *ecdsa.PrivateKey
	counter uint32
	leaf    []byte // of the last attestation; receipts repeat it
}

// GenerateKey makes a key.
func (p *ApplePhone) GenerateKey() *AppleKey {
	return &AppleKey{phone: p, key: newECKey(elliptic.P256())}
}

// ID is the key id: SHA-256 of the uncompressed point.
func (k *AppleKey) ID() []byte {
	sum := sha256.Sum256(k.Point())
	return sum[:]
}

// Point is the public key as an uncompressed point of 65 bytes.
func (k *AppleKey) Point() []byte { return ecPoint(&k.key.PublicKey) }

// PublicKey is the public key as DER SubjectPublicKeyInfo.
func (k *AppleKey) PublicKey() []byte { return spkiOf(k.key) }

// Counter is the counter of the last assertion.
func (k *AppleKey) Counter() uint32 { return k.counter }

// AppleOption changes evidence before it is encoded and signed. Any function
// will do: the draft has a field for everything a phone writes.
//
//	func(d *attesttest.AppleDraft) { d.Counter = 1 }
type AppleOption func(*AppleDraft)

// AppleDraft is an attestation or an assertion while it can still be changed.
// Assertions use the fields down to Signature.
type AppleDraft struct {
	Now               time.Time
	RPIDHash          []byte
	Flags             byte
	Counter           uint32
	Map               map[string]any // behind the key or, in assertions, behind the counter; nil: none
	Trailing          []byte         // behind the map, or instead of one
	AuthenticatorData []byte         // instead of all the fields above
	ClientDataHash    []byte
	Nonce             []byte // nil: SHA-256(authenticator data || ClientDataHash)
	Digest            []byte // assertions: what ECDSA signs; nil: SHA-256(Nonce), for the nonce is hashed once more
	Signature         []byte // assertions; nil: by the key

	Format        string // fmt
	AAGUID        []byte
	CredentialID  []byte
	CredentialKey []byte         // COSE key; nil: the attested key
	Chain         []*Certificate // leaf, CA 1, root; the root is not sent
	Receipt       *ReceiptDraft  // nil: no receipt
}

// Leaf is the certificate of the attested key.
func (d *AppleDraft) Leaf() *Certificate { return d.Chain[0] }

func (k *AppleKey) draft(now time.Time, clientDataHash []byte) *AppleDraft {
	p := k.phone
	rpIDHash := sha256.Sum256([]byte(p.AppID()))
	d := &AppleDraft{
		Now: now, RPIDHash: rpIDHash[:],
		Flags:          0x40, // in attestations and in assertions
		ClientDataHash: bytes.Clone(clientDataHash),
	}
	if p.OSVersion >= "27" {
		d.Map = map[string]any{
			"apple_validation_category_01": binary.LittleEndian.AppendUint32(nil, p.Category),
			"apple_bundle_version_01":      p.BundleVersion,
		}
	}
	return d
}

func (d *AppleDraft) apply(lists ...[]AppleOption) {
	for _, opts := range lists {
		for _, opt := range opts {
			opt(d)
		}
	}
}

// extensions is what stands behind the fixed part of authenticator data.
func (d *AppleDraft) extensions() []byte {
	var out []byte
	if d.Map != nil {
		out = encodeCBOR(d.Map)
	}
	return append(out, d.Trailing...)
}

// Attest makes the attestation object of the key at now, with an ATTEST receipt.
// clientDataHash is what the app hands to the system: usually the SHA-256 of
// the server's challenge.
func (k *AppleKey) Attest(now time.Time, clientDataHash []byte, opts ...AppleOption) ([]byte, error) {
	p := k.phone
	if p == nil || p.ca == nil {
		return nil, errNoCA
	}
	d := k.draft(now, clientDataHash)
	d.Format = "apple-appattest"
	d.AAGUID = []byte("appattest\x00\x00\x00\x00\x00\x00\x00")
	if p.Development {
		d.AAGUID = []byte("appattestdevelop")
	}
	d.CredentialID = k.ID()
	d.Chain = p.ca.chain(k, now)
	d.Receipt = k.newReceipt(now)
	d.apply(p.Options, opts)

	authData := d.AuthenticatorData
	if authData == nil {
		if d.CredentialKey == nil {
			d.CredentialKey = coseKey(&k.key.PublicKey)
		}
		authData = authenticatorData(d.RPIDHash, d.Flags, d.Counter, d.AAGUID, d.CredentialID, d.CredentialKey)
		authData = append(authData, d.extensions()...)
	}
	if d.Nonce == nil {
		sum := sha256.Sum256(append(bytes.Clone(authData), d.ClientDataHash...))
		d.Nonce = sum[:]
	}
	if len(d.Chain) == 0 {
		return nil, errNoSigner
	}
	if e := d.Leaf().Extension(oidApple(8, 2)); e != nil && e.Value == nil {
		e.Value = tlv(tagSequence, explicit(1, derOctets(d.Nonce)))
	}
	x5c, err := encodeChain(d.Chain)
	if err != nil {
		return nil, err
	}
	if len(x5c) > 0 {
		k.leaf = x5c[0] // which receipts repeat
	}
	statement := map[string]any{"x5c": x5c}
	if d.Receipt != nil {
		if d.Receipt.Certificate == nil {
			d.Receipt.Certificate = k.leaf
		}
		receipt, err := d.Receipt.encode()
		if err != nil {
			return nil, err
		}
		statement["receipt"] = receipt
	}
	return encodeCBOR(map[string]any{"fmt": d.Format, "attStmt": statement, "authData": authData}), nil
}

// Assert makes an assertion over clientDataHash and counts it.
func (k *AppleKey) Assert(now time.Time, clientDataHash []byte, opts ...AppleOption) ([]byte, error) {
	if k.phone == nil {
		return nil, errNoCA
	}
	k.counter++
	d := k.draft(now, clientDataHash)
	d.Counter = k.counter
	d.apply(k.phone.Options, opts)
	authData := d.AuthenticatorData
	if authData == nil {
		authData = append(bytes.Clone(d.RPIDHash), d.Flags)
		authData = binary.BigEndian.AppendUint32(authData, d.Counter)
		authData = append(authData, d.extensions()...)
	}
	if d.Nonce == nil {
		sum := sha256.Sum256(append(bytes.Clone(authData), d.ClientDataHash...))
		d.Nonce = sum[:]
	}
	sig := d.Signature
	if sig == nil {
		if d.Digest == nil {
			sum := sha256.Sum256(d.Nonce)
			d.Digest = sum[:]
		}
		var err error
		if sig, err = k.key.Sign(rand.Reader, d.Digest, crypto.SHA256); err != nil {
			return nil, fmt.Errorf("attesttest: sign: %w", err)
		}
	}
	return encodeCBOR(map[string]any{"signature": sig, "authenticatorData": authData}), nil
}

// errNotAttested: Apple gives receipts only for keys that were attested.
var errNotAttested = errors.New("attesttest: the key was never attested")

// commonName of a leaf is the key id in hex.
func (k *AppleKey) commonName() string { return hex.EncodeToString(k.ID()) }
