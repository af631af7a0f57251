package ts

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/transfer/handover"
)

func (r reply) envelope() handover.Envelope {
	r.t.Helper()
	e, err := handover.DecodeEnvelope(r.bytes("envelope"))
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// sent is the bytes of an envelope, for the script.
func sent(t *testing.T) func(handover.Envelope, error) map[string]string {
	return func(e handover.Envelope, err error) map[string]string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return map[string]string{"envelope": b64(b)}
	}
}

// signer is the key of a phone in Go, and its proofs.
func signer(t *testing.T) (spki []byte, prove handover.Prove) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if spki, err = x509.MarshalPKIXPublicKey(&k.PublicKey); err != nil {
		t.Fatal(err)
	}
	return spki, func(value [32]byte) ([]byte, error) {
		digest := sha256.Sum256(request.DeviceProof(value))
		r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
		if err != nil {
			return nil, err
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
	}
}

const (
	pureAudience = "demo@accounts.example.org"
	purePublic   = "the public key"
)

// TestHandshakeWithGo: a phone in TypeScript and one in Go come to the same keys and
// believe each other, whoever of them is the new one, and near or not.
func TestHandshakeWithGo(t *testing.T) {
	tools(t)
	dir := compile(t)
	for _, near := range []bool{false, true} {
		name := map[bool]string{false: "none", true: "lan"}[near]
		t.Run("from Go, "+name, func(t *testing.T) { fromGo(t, newScript(t, dir), near) })
		t.Run("to Go, "+name, func(t *testing.T) { toGo(t, newScript(t, dir), near) })
	}
}

// chain has a key of TypeScript attested, and gives the judge of that.
func chain(t *testing.T, spki, challenge []byte) (ders string, judge handover.Judge) {
	t.Helper()
	now := time.Now()
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ca.Phone().AttestKey(now, spki, challenge)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, der := range k.Chain() {
		all = append(all, b64(der))
	}
	var file attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &file); err != nil {
		t.Fatal(err)
	}
	policy, err := attest.NewPolicy(&file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, ","), handover.Judge{Policy: policy, Now: func() time.Time { return now }}
}

// fromGo: the new phone is in TypeScript.
func fromGo(t *testing.T, s *script, near bool) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	challenge := sha256.Sum256([]byte("challenge of Begin"))
	ders, judge := chain(t, s.does("key", nil).bytes("spki"), challenge[:])
	asked := map[string]string{"chain": ders, "challenge": b64(challenge[:]), "beacons": "0", "lan": ""}
	if near {
		asked["beacons"], asked["lan"] = "4", "192.0.2.7:4711"
	}
	offer := s.does("receive", asked)
	code, err := handover.ParseCode(offer.text("uri"))
	must(err)
	spki, prove := signer(t)
	c, err := handover.NewSender(code, offer.envelope(), &handover.SenderOptions{
		Device: spki, Prove: prove, Audience: pureAudience, Judge: judge, Schema: 2, Bytes: 1000,
		Account: "u_alice", DeviceID: "d_current", Info: handover.DeviceInfo{Model: "In Go", OS: "1", App: "1"}, Label: "Alice",
	})
	must(err)
	class, beacon := handover.ClassNone, []byte(nil)
	if near {
		class, beacon = handover.ClassLAN, offer.bytes("beacon")
	}
	answer := s.does("hello", sent(t)(c.Hello(class, beacon)))
	must(c.HandleAnswer(answer.envelope()))
	number, err := c.Number()
	must(err)
	_, err = c.HandleMatched(s.does("number", map[string]string{"number": number}).envelope())
	must(err)
	e, hold, err := c.Confirm(handover.StepUp{Approval: "a_1", Assertion: []byte("{}")}, 1000)
	confirm := sent(t)(e, err)
	confirm["share"] = b64(hold[:])
	bulk, err := c.BulkKey()
	must(err)
	if got := s.does("confirm", confirm).bytes("bulk"); !bytes.Equal(got, bulk) {
		t.Error("another key of the history")
	}
	g, err := c.Grant(&handover.Granting{
		Revision: 1, Records: 3, Bytes: 150_000, Objects: 2, Root: sha256.Sum256([]byte("root")), SealingKeyHash: sha256.Sum256([]byte(purePublic)),
		Expires: 1_800_000_000, Secrets: handover.Secrets{"sealing": []byte("private")},
	})
	must(err)
	_, err = c.HandleReceipt(s.does("grant", sent(t)(g.Envelope, nil)).envelope())
	must(err)
	open := s.does("open", map[string]string{"share": b64(g.CommitShare[:]), "sealed": b64(g.Sealed), "public": b64([]byte(purePublic))})
	if string(open.bytes("secret")) != "private" {
		t.Error("another secret")
	}
	_, err = c.HandleAck(open.envelope())
	must(err)
	if got := s.does("recalled", sent(t)(c.Recall("lost it", handover.StepUp{Approval: "a_2", Assertion: []byte("{}")}))); got.text("reason") != "lost it" {
		t.Error("another reason")
	}
}

// toGo: the new phone is in Go.
func toGo(t *testing.T, s *script, near bool) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	challenge := sha256.Sum256([]byte("challenge of Begin"))
	spki, prove := signer(t)
	o := &handover.ReceiverOptions{
		Device: spki, Prove: prove, Audience: pureAudience, Evidence: handover.Evidence{Platform: handover.Android, Chain: [][]byte{{1}}}, Challenge: challenge,
		Info: handover.DeviceInfo{Model: "In Go", OS: "1", App: "1"}, SchemaLow: 1, SchemaHigh: 3, FreeBytes: 1<<63 - 1, // no number of JavaScript's
	}
	class, beacon := "none", []byte(nil)
	if near {
		o.Beacons, o.LAN, class = handover.BeaconLAN, []string{"192.0.2.7:4711"}, "lan"
	}
	n, err := handover.NewReceiver(o)
	must(err)
	if near {
		beacon, err = n.Beacon()
		must(err)
	}
	offer := sent(t)(n.Offer(), nil)
	offer["uri"], offer["class"], offer["beacon"] = n.Code().URI(), class, b64(beacon)
	_, err = n.HandleHello(s.does("send", offer).envelope())
	must(err)
	number := s.does("answer", sent(t)(n.Answer())).text("number")
	must(n.Number(number))
	confirm := s.does("matched", sent(t)(n.Matched([]byte(`{"passkey":1}`), nil)))
	_, err = n.HandleConfirm(confirm.envelope())
	must(err)
	bulk, err := n.BulkKey(handover.Secret(confirm.bytes("share")))
	must(err)
	if !bytes.Equal(bulk, confirm.bytes("bulk")) {
		t.Error("another key of the history")
	}
	root := sha256.Sum256([]byte("root"))
	grant := s.does("seal", map[string]string{"root": b64(root[:]), "public": b64([]byte(purePublic))})
	_, err = n.HandleGrant(grant.envelope())
	must(err)
	s.does("receipt", sent(t)(n.Receipt(handover.Receipt{Root: root, Bytes: 150_000, Objects: 2})))
	secrets, err := n.Open(handover.Secret(grant.bytes("share")), grant.bytes("sealed"))
	must(err)
	if string(secrets["sealing"]) != "private" {
		t.Error("another secret")
	}
	recall := s.does("ack", sent(t)(n.Ack([]byte(purePublic))))
	m, err := n.HandleRecall(recall.envelope())
	must(err)
	if m.Reason != "changed my mind" {
		t.Errorf("reason %q", m.Reason)
	}
}
