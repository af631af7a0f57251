package handover_test

import (
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/transfer/handover"
)

const audience = "demo@accounts.example.org"

func at() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// key is a phone's attested key.
type key struct{ *attesttest.AndroidKey }

func (k key) prove(value [32]byte) ([]byte, error) { return k.Sign(request.DeviceProof(value)) }

// testCA is made once, for its RSA signatures take longer than all else here.
var testCA = sync.OnceValues(func() (*attesttest.AndroidCA, error) { return attesttest.TestAndroidCA(at()) })

// hardware makes keys on phones of the test CA.
func hardware(t testing.TB, challenge []byte) key {
	t.Helper()
	ca, err := testCA()
	if err != nil {
		t.Fatal(err)
	}
	k, err := ca.Phone().GenerateKey(at(), challenge)
	if err != nil {
		t.Fatal(err)
	}
	return key{k}
}

// judge is the demo app's.
func judge(t testing.TB) handover.Judge {
	t.Helper()
	var file attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &file); err != nil {
		t.Fatal(err)
	}
	policy, err := attest.NewPolicy(&file)
	if err != nil {
		t.Fatal(err)
	}
	return handover.Judge{Policy: policy, Now: at}
}

// rig is two phones before they have met.
type rig struct {
	n, c     key
	receiver handover.ReceiverOptions
	sender   handover.SenderOptions
}

func newRig(t testing.TB) *rig {
	t.Helper()
	challenge := sha256.Sum256([]byte("challenge of Begin"))
	r := &rig{n: hardware(t, challenge[:]), c: hardware(t, []byte("of the enrolment"))}
	j := judge(t)
	r.receiver = handover.ReceiverOptions{
		Device: r.n.PublicKey(), Prove: r.n.prove, Audience: audience,
		Evidence:  handover.Evidence{Platform: handover.Android, Chain: r.n.Chain(), OSVersion: "16", Model: "N"},
		Challenge: challenge, Info: handover.DeviceInfo{Model: "New", OS: "16", App: "2.0"},
		SchemaLow: 1, SchemaHigh: 3, FreeBytes: 1 << 30,
		Beacons: handover.BeaconLAN, LAN: []string{"192.0.2.7:4711"}, Judge: j,
	}
	r.sender = handover.SenderOptions{
		Device: r.c.PublicKey(), Prove: r.c.prove, Audience: audience, Judge: j, Schema: 2, Bytes: 1000,
		Account: "u_alice", DeviceID: "d_current", Info: handover.DeviceInfo{Model: "Current", OS: "15", App: "1.9"}, Label: "Alice",
	}
	return r
}

// phones are both halves, and what has passed between them.
type phones struct {
	t testing.TB
	*rig
	n *handover.Receiver
	c *handover.Sender
	e map[handover.Step]handover.Envelope

	hold    handover.Secret
	granted *handover.Granted
}

// meet makes both halves: the offer is checked, nothing else has happened.
func (r *rig) meet(t testing.TB) *phones {
	t.Helper()
	n, err := handover.NewReceiver(&r.receiver)
	if err != nil {
		t.Fatal(err)
	}
	code, err := handover.ParseCode(n.Code().URI())
	if err != nil {
		t.Fatal(err)
	}
	c, err := handover.NewSender(code, n.Offer(), &r.sender)
	if err != nil {
		t.Fatal(err)
	}
	return &phones{t: t, rig: r, n: n, c: c, e: map[handover.Step]handover.Envelope{handover.StepOffer: n.Offer()}}
}

// must notes an envelope that was made.
func (p *phones) must(s handover.Step) func(handover.Envelope, error) {
	return func(e handover.Envelope, err error) {
		p.t.Helper()
		p.ok(s, err)
		p.e[s] = e
	}
}

func (p *phones) ok(what any, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%v: %v", what, err)
	}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func stepUp(name string) handover.StepUp {
	return handover.StepUp{Approval: "a_" + name, Assertion: []byte(`{"id":"` + name + `"}`)}
}

func secrets() handover.Secrets {
	return handover.Secrets{"sealing": []byte("the private key"), "recovery": []byte("state")}
}

const sealingPublic = "the public key"

func granting() *handover.Granting {
	return &handover.Granting{
		Revision: 1, Records: 3, Bytes: 150_000, Objects: 2, Root: sha256.Sum256([]byte("root")),
		SealingKeyHash: sha256.Sum256([]byte(sealingPublic)), Expires: 1_800_000_000, Secrets: secrets(),
	}
}

func receipt() handover.Receipt {
	g := granting()
	return handover.Receipt{Root: g.Root, Bytes: g.Bytes, Objects: g.Objects, Quarantined: 1}
}

// walk goes on until a step has been made and taken.
func (p *phones) walk(last handover.Step) *phones {
	p.t.Helper()
	for _, s := range []handover.Step{"hello", "answer", "matched", "confirm", "grant", "receipt", "ack"} {
		p.make(s)
		if s == last {
			p.take(s)
			return p
		}
		p.take(s)
	}
	return p
}

// make makes a message, as its sender does.
func (p *phones) make(s handover.Step) {
	p.t.Helper()
	switch s {
	case handover.StepHello:
		p.hello()
	case handover.StepAnswer:
		p.must(s)(p.n.Answer())
	case handover.StepMatched:
		number, err := p.c.Number()
		p.ok("number on C", err)
		p.ok("number on N", p.n.Number(number))
		p.must(s)(p.n.Matched([]byte(`{"passkey":1}`), nil))
	case handover.StepConfirm:
		e, hold, err := p.c.Confirm(stepUp("approve"), 1000)
		p.must(s)(e, err)
		p.hold = hold
	case handover.StepGrant:
		g, err := p.c.Grant(granting())
		p.ok(s, err)
		p.granted = g
		p.e[s] = g.Envelope
	case handover.StepReceipt:
		p.must(s)(p.n.Receipt(receipt()))
	case handover.StepAck:
		_, err := p.n.Open(p.granted.CommitShare, p.granted.Sealed)
		p.ok("open", err)
		p.must(s)(p.n.Ack([]byte(sealingPublic)))
	case handover.StepRecall:
		p.must(s)(p.c.Recall("lost", stepUp("recall")))
	case handover.StepFinal:
		p.must(s)(p.c.Final(stepUp("finish")))
	}
}

func (p *phones) hello() {
	p.t.Helper()
	class, beacon := handover.ClassNone, []byte(nil)
	if p.receiver.Beacons != 0 {
		b, err := p.n.Beacon()
		p.ok("beacon", err)
		class, beacon = handover.ClassLAN, b
		if p.receiver.Beacons&handover.BeaconLAN == 0 {
			class = handover.ClassNear
		}
	}
	p.must(handover.StepHello)(p.c.Hello(class, beacon))
}

// take hands a message to the other phone.
func (p *phones) take(s handover.Step) {
	p.t.Helper()
	p.ok(s, p.taken(s, p.e[s]))
}

// taken is what the other phone says of a message.
func (p *phones) taken(s handover.Step, e handover.Envelope) (err error) {
	switch s {
	case handover.StepHello:
		_, err = p.n.HandleHello(e)
	case handover.StepAnswer:
		err = p.c.HandleAnswer(e)
	case handover.StepMatched:
		_, err = p.c.HandleMatched(e)
	case handover.StepConfirm:
		_, err = p.n.HandleConfirm(e)
	case handover.StepGrant:
		_, err = p.n.HandleGrant(e)
	case handover.StepReceipt:
		_, err = p.c.HandleReceipt(e)
	case handover.StepAck:
		_, err = p.c.HandleAck(e)
	case handover.StepRecall:
		_, err = p.n.HandleRecall(e)
	case handover.StepFinal:
		err = p.n.HandleFinal(e)
	}
	return err
}
