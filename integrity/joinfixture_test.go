package integrity_test

import (
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/integrity"
)

// joiner is a phone on its way into an account.
type joiner struct {
	*phone
	open *integrity.JoinOpened
}

// challenge is one of the registry for a key of no account.
func (r *rig) challenge() []byte {
	r.t.Helper()
	return must[*registry.IssuedChallenge](r.t)(r.reg.CreateChallenge(r.t.Context(), r.anonymous(), &registry.ChallengeRequest{
		App: "demo", Purpose: registry.PurposeRegister,
	})).Challenge
}

// joining is a new phone's request to join, with what it brings.
func (r *rig) joining() (*phone, *integrity.JoinRequest) {
	r.t.Helper()
	p := r.newPhone(nil)
	return p, &integrity.JoinRequest{Kind: integrity.JoinPhone, Phone: p.attest(r.challenge())}
}

var appleCA = sync.OnceValues(func() (*attesttest.AppleCA, error) { return attesttest.TestAppleCA(noon) })

// joinApple opens a join for a new iPhone.
func (r *rig) joinApple() *joiner {
	r.t.Helper()
	key := must[*attesttest.AppleCA](r.t)(appleCA()).Phone().GenerateKey()
	p := r.newPhone(nil)
	p.sign = key.SignRequest
	c := r.challenge()
	hash := sha256.Sum256(c)
	in := &integrity.JoinRequest{Kind: integrity.JoinPhone, Phone: &integrity.NewPhone{
		Name: "Pixel", Platform: "ios", Evidence: registry.Registration{
			Challenge: c, KeyID: base64.RawURLEncoding.EncodeToString(key.ID()), AttestationObject: must[[]byte](r.t)(key.Attest(r.clock(), hash[:])),
		}, Message: p.message(nil),
	}}
	return &joiner{p, must[*integrity.JoinOpened](r.t)(r.RequestJoin(r.t.Context(), elsewhere(r.anonymous()), in))}
}

// join opens a join for a new phone.
func (r *rig) join() *joiner {
	r.t.Helper()
	p, in := r.joining()
	return &joiner{p, must[*integrity.JoinOpened](r.t)(r.RequestJoin(r.t.Context(), elsewhere(r.anonymous()), in))}
}

// status is how the phone finds its join.
func (j *joiner) status() (*integrity.JoinStatus, error) {
	j.r.t.Helper()
	return j.r.JoinStatus(j.r.t.Context(), elsewhere(j.r.anonymous()), &integrity.JoinWait{Join: j.open.Join, Message: j.message(nil)})
}

// answer makes the passkey that finishes the join, which is confirmed.
func (j *joiner) answer() *integrity.JoinAnswer {
	j.r.t.Helper()
	s := must[*integrity.JoinStatus](j.r.t)(j.status())
	response := must[[]byte](j.r.t)(j.passkey.Create(s.Options, origin))
	return &integrity.JoinAnswer{Join: j.open.Join, Ceremony: s.Ceremony, Response: response, Message: j.message(nil)}
}

// finish answers it.
func (j *joiner) finish(in *integrity.JoinAnswer) (*integrity.Signed, error) {
	j.r.t.Helper()
	out, err := j.r.FinishJoin(j.r.t.Context(), elsewhere(j.r.anonymous()), in)
	if err == nil {
		j.account, j.device, j.token = out.Account, out.Device, out.Token
	}
	return out, err
}

// joinBrowser opens a join for a browser.
func (b *browser) join(kind string) *integrity.JoinOpened {
	b.r.t.Helper()
	return must[*integrity.JoinOpened](b.r.t)(b.r.RequestJoin(b.r.t.Context(), elsewhere(b.r.anonymous()), &integrity.JoinRequest{Kind: kind, Browser: b.at}))
}

func (b *browser) joinStatus(id account.JoinID) (*integrity.JoinStatus, error) {
	b.r.t.Helper()
	return b.r.JoinStatus(b.r.t.Context(), elsewhere(b.r.anonymous()), &integrity.JoinWait{Join: id, Browser: b.at})
}

// letIn lets a join in from an old phone.
func (p *phone) letIn(o *integrity.JoinOpened) {
	p.r.t.Helper()
	must[*integrity.Confirmed](p.r.t)(p.do(account.AddDevice, "join", o.Join, "number", o.Number))
}

// risk has the backend report one of an account.
func (r *rig) risk(p *phone, level account.Level) {
	r.t.Helper()
	err := r.ReportRisk(r.t.Context(), r.backend(), &integrity.RiskReport{Account: p.account, Name: "botnet", Level: level, For: time.Hour})
	if err != nil {
		r.t.Fatal(err)
	}
}

// backend is the app's backend, as the edge proves it.
func (r *rig) backend() account.Caller { return account.Caller{Kind: account.Backend, App: "demo"} }
