package load

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
)

// phone is a software phone with its owner. One goroutine has it at a time.
type phone struct {
	kind             Kind
	model            *model
	fleet            *fleet
	account, country string
	newer            bool // the newer of two releases of the app

	key       *key   // once it is registered
	challenge []byte // with which it was
	abuse     *registerAbuse
	turn      int // of requests
}

// key is a key of a phone.
type key struct {
	id   string
	sign func(now time.Time, r *http.Request, opts ...attesttest.RequestOption) error
}

// newAccount makes an account that nobody has.
func newAccount() string {
	b := make([]byte, 17) // 136 bits, of which 26 characters hold 130
	rand.Read(b)
	return "a_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))[:26]
}

// attest makes a key over a challenge, and the call that registers it. An abuse
// changes what it is changed by.
func (p *phone) attest(now time.Time, challenge []byte, a *registerAbuse) (*key, *attestv1.RegisterRequest, error) {
	call := &attestv1.RegisterRequest{Account: p.account, Challenge: challenge, Country: p.country, Hints: &attestv1.Hints{}}
	call.Hints.OsVersion, call.Hints.AppVersion, call.Hints.Model = p.hints()
	if a == nil {
		a = &registerAbuse{}
	}
	if p.model.platform == apple {
		return p.attestApple(now, call, a)
	}
	ca := p.model.ca
	if a.foreign {
		ca = p.fleet.foreign
	}
	phone := ca.Phone()
	p.model.phone(phone)
	phone.App.Packages[0].Version = p.versionCode()
	if a.android != nil {
		a.android(phone)
	}
	opts := []attesttest.AndroidOption{func(d *attesttest.AndroidDraft) {
		hw := &d.Description.HardwareEnforced
		hw.SetOctets(710, []byte(strings.ToLower(p.model.maker)))
		hw.SetOctets(716, []byte(p.model.maker))
		hw.SetOctets(717, []byte(p.model.name))
		hw.SetInteger(705, p.model.os)
	}}
	for _, o := range []attesttest.AndroidOption{p.model.draft, a.draft} {
		if o != nil {
			opts = append(opts, o)
		}
	}
	k, err := phone.GenerateKey(now, challenge, opts...)
	if err != nil {
		return nil, nil, err
	}
	call.Evidence = &attestv1.RegisterRequest_CertificateChain{CertificateChain: &attestv1.CertificateChain{Certificates: k.Chain()}}
	return &key{k.ID(), k.SignRequest}, call, nil
}

func (p *phone) attestApple(now time.Time, call *attestv1.RegisterRequest, a *registerAbuse) (*key, *attestv1.RegisterRequest, error) {
	ca := p.fleet.apple
	if a.foreign {
		ca = p.fleet.foreignApple
	}
	phone := ca.Phone()
	phone.OSVersion, phone.BundleVersion = p.model.ios, p.bundleVersion()
	if a.apple != nil {
		a.apple(phone)
	}
	k, hash := phone.GenerateKey(), sha256.Sum256(call.GetChallenge())
	object, err := k.Attest(now, hash[:])
	if err != nil {
		return nil, nil, err
	}
	call.Evidence = &attestv1.RegisterRequest_AttestationObject{AttestationObject: object}
	call.KeyId = base64.RawURLEncoding.EncodeToString(k.ID())
	return &key{call.GetKeyId(), k.SignRequest}, call, nil
}
