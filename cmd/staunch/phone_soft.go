package main

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/client"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// softPhone is hardware and authenticator of a phone in the terminal. What it
// makes is written down by keep.
type softPhone struct {
	home *home

	mu       sync.Mutex
	key      *softKey                   // guarded by mu; nil: none yet
	next     *softKey                   // guarded by mu; nil: none beside key
	passkeys *passkeytest.Authenticator // device-bound; guarded by mu
}

// newSoftPhone is the phone of a home.
func newSoftPhone(h *home) (*softPhone, error) {
	p := &softPhone{home: h}
	if len(h.file.Device) > 0 {
		k, err := openSoftKey(h, h.file.Platform, h.file.Device)
		if err != nil {
			return nil, err
		}
		p.key = k
	}
	if len(h.file.NextDevice) > 0 {
		k, err := openSoftKey(h, h.file.Platform, h.file.NextDevice)
		if err != nil {
			return nil, err
		}
		p.next = k
	}
	return p, p.withPasskeys(h.file.Passkeys)
}

func (p *softPhone) withPasskeys(kept []json.RawMessage) error {
	o := &passkeytest.Options{}
	for _, data := range kept {
		c, err := passkeytest.ParseCredential(data)
		if err != nil {
			return err
		}
		o.Credentials = append(o.Credentials, c)
	}
	var err error
	p.passkeys, err = passkeytest.New(o)
	return err
}

// NewKey makes an attested key of the test roots.
func (p *softPhone) NewKey(_ context.Context, challenge []byte) (*client.NewKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k, out, err := p.attested(challenge)
	if err != nil {
		return nil, err
	}
	p.key, p.next = k, nil
	return out, p.withPasskeys(nil) // what an attempt that came to nothing has left is of no use
}

// RenewKey makes one beside the phone's own.
func (p *softPhone) RenewKey(_ context.Context, challenge []byte) (*client.NewKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k, out, err := p.attested(challenge)
	p.next = k
	return out, err
}

// attested makes a key of the phone's platform.
func (p *softPhone) attested(challenge []byte) (*softKey, *client.NewKey, error) {
	now := time.Now()
	k := &softKey{home: p.home}
	out := &client.NewKey{Key: k, Platform: p.home.file.Platform}
	if out.Platform == "ios" {
		ca, err := attesttest.TestAppleCA(now)
		if err != nil {
			return nil, nil, err
		}
		k.apple = ca.Phone().GenerateKey()
		hash := sha256.Sum256(challenge)
		out.AppleKeyID = base64.StdEncoding.EncodeToString(k.apple.ID())
		if out.AttestationObject, err = k.apple.Attest(now, hash[:]); err != nil {
			return nil, nil, err
		}
	} else {
		ca, err := attesttest.TestAndroidCA(now)
		if err != nil {
			return nil, nil, err
		}
		if k.android, err = ca.Phone().GenerateKey(now, challenge); err != nil {
			return nil, nil, err
		}
		out.CertificateChain = k.android.Chain()
	}
	return k, out, nil
}

// Create makes a passkey; the person says yes.
func (p *softPhone) Create(_ context.Context, options json.RawMessage) (json.RawMessage, error) {
	return p.answer(options, p.passkeys.Create)
}

// Get signs with a passkey; the person says yes.
func (p *softPhone) Get(_ context.Context, options json.RawMessage) (json.RawMessage, error) {
	return p.answer(options, p.passkeys.Get)
}

func (p *softPhone) answer(options json.RawMessage, by func([]byte, string, ...passkeytest.Change) ([]byte, error)) (json.RawMessage, error) {
	origin, err := p.origin(options)
	if err != nil {
		return nil, err
	}
	return by(options, origin)
}

// origin is where the platform says that the app is from. A real Android app has
// the hash of its certificate there, and an iPhone's the https origin.
func (p *softPhone) origin(options json.RawMessage) (string, error) {
	if p.home.file.Origin != "" {
		return p.home.file.Origin, nil
	}
	var o struct {
		RPID string `json:"rpId"`
		RP   struct {
			ID string `json:"id"`
		} `json:"rp"`
	}
	var outer struct {
		PublicKey json.RawMessage `json:"publicKey"`
	}
	err := json.Unmarshal(options, &outer)
	if err == nil && outer.PublicKey != nil {
		options = outer.PublicKey
	}
	if err == nil {
		err = json.Unmarshal(options, &o)
	}
	if err != nil {
		return "", fmt.Errorf("the server's options for the passkey are not those of WebAuthn: %w", err)
	}
	id := o.RPID + o.RP.ID // creation options have the one, request options the other
	if id != "localhost" {
		return "https://" + id, nil
	}
	u, err := url.Parse(p.home.file.Server)
	if err != nil {
		return "", err
	}
	if u.Port() == "" {
		return "http://localhost", nil
	}
	return "http://localhost:" + u.Port(), nil
}

// keep writes state and keys down.
func (p *softPhone) keep(_ context.Context, s client.PhoneState) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var passkeys []json.RawMessage
	for _, c := range p.passkeys.Credentials() {
		data, err := c.Export()
		if err != nil {
			return err
		}
		passkeys = append(passkeys, data)
	}
	return p.home.update(func(f *homeFile) error {
		if f.Left != nil && f.Left.Wiped { // by another program, meanwhile: what this one knows is of no use
			return nil
		}
		mine := p.home.file
		if f.State.Key != mine.State.Key { // another program has attested the phone anew
			return errOtherKey
		}
		f.Server, f.Origin, f.Name, f.Platform = mine.Server, mine.Origin, mine.Name, mine.Platform
		f.SealingAlg, f.SealingKey = mine.SealingAlg, mine.SealingKey
		f.State, f.Passkeys = s, passkeys
		if p.next != nil && p.next.ID() == s.Key {
			p.key = p.next
		}
		if s.NextKey == "" {
			p.next = nil
		}
		if p.key == nil {
			return nil
		}
		return errors.Join(p.key.into(&f.Device), p.next.into(&f.NextDevice))
	})
}

// sealingAlg names the sealing key's kind, as RFC 9180 does.
const sealingAlg = "X25519"

// newSealingKey makes the key that the app's end-to-end encryption would use.
func newSealingKey() (pkcs8 []byte, err error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

// sealingPublic is the public half of a sealing key.
func sealingPublic(pkcs8 []byte) ([]byte, error) {
	key, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, fmt.Errorf("sealing_key: %w", err)
	}
	k, ok := key.(*ecdh.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("sealing_key: %T, and X25519 is wanted", key)
	}
	return k.PublicKey().Bytes(), nil
}

// sealingSum is how a public sealing key is printed.
func sealingSum(public []byte) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:])
}

// sealingID names a sealing key: the SHA-256 of its public half.
func sealingID(public []byte) []byte {
	sum := sha256.Sum256(public)
	return sum[:]
}
