package ts

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/transfer/handover"
	"github.com/staunchid/staunch/transfer/sealed"
)

// script is test/interplay/pure.ts: one half of a transfer in TypeScript.
type script struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

func newScript(t *testing.T, dir string) *script {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, "node", filepath.Join(dir, "test", "interplay", "pure.js"))
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error("node:", err)
		}
		cancel()
	})
	return &script{t, in, bufio.NewReader(out)}
}

// does calls something and gives what came of it.
func (s *script) does(call string, args map[string]string) reply {
	s.t.Helper()
	got := s.tries(call, args)
	if text, bad := got["error"]; bad {
		s.t.Fatalf("%s: %v", call, text)
	}
	return reply{s.t, got}
}

func (s *script) tries(call string, args map[string]string) map[string]any {
	s.t.Helper()
	asked := map[string]string{"do": call}
	for k, v := range args {
		asked[k] = v
	}
	b, err := json.Marshal(asked)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.in.Write(append(b, '\n')); err != nil {
		s.t.Fatal(err)
	}
	answer, err := s.out.ReadBytes('\n')
	if err != nil {
		s.t.Fatal(call, err)
	}
	got := map[string]any{}
	if err := json.Unmarshal(answer, &got); err != nil {
		s.t.Fatalf("%s: %v in %s", call, err, answer)
	}
	return got
}

// reply is what a call gave.
type reply struct {
	t   *testing.T
	got map[string]any
}

func (r reply) text(name string) string {
	s, _ := r.got[name].(string)
	return s
}

func (r reply) bytes(name string) []byte {
	r.t.Helper()
	b, err := base64.StdEncoding.DecodeString(r.text(name))
	if err != nil {
		r.t.Fatal(name, err)
	}
	return b
}

func (r reply) envelope() handover.Envelope {
	r.t.Helper()
	e, err := handover.DecodeEnvelope(r.bytes("envelope"))
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

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

// things is the history that both sides know: byte i of each content is i mod 251.
func things() []sealed.Entry {
	return []sealed.Entry{
		{Kind: sealed.Records, Path: "chats/1.jsonl", Size: 70_000, MTime: 1_760_000_000_123}, {Kind: sealed.Folder, Path: "chats", MTime: -1},
		{Kind: sealed.File, Path: "media/a/b"}, {Kind: sealed.File, Path: "media/a.bin", Size: 4<<20 + 99, MTime: 5}, {Kind: sealed.File, Path: "media/日本.txt", Size: 1, MTime: 6},
	}
}

func counted(n uint64) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

// history is their source, and a sink that wants exactly them.
type history struct {
	t     *testing.T
	next  int
	found []sealed.Entry
	got   []byte
}

func (h *history) Next() (sealed.Entry, error) {
	all := things()
	if h.next == len(all) {
		return sealed.Entry{}, io.EOF
	}
	h.next++
	return all[h.next-1], nil
}

func (h *history) Open(e sealed.Entry, from uint64) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(counted(e.Size)[from:])), nil
}

func (h *history) Start(sealed.Totals) error { return nil }

func (h *history) Entry(e sealed.Entry) error {
	h.found, h.got = append(h.found, e), nil
	return nil
}

func (h *history) Content(p []byte) error {
	h.got = append(h.got, p...)
	return nil
}

func (h *history) Finish() error {
	if e := h.found[len(h.found)-1]; !bytes.Equal(h.got, counted(e.Size)) {
		h.t.Errorf("another content in %s", e.Path)
	}
	return nil
}

// TestStreamWithGo: what Go seals TypeScript opens, and the reverse, to the same root.
func TestStreamWithGo(t *testing.T) {
	tools(t)
	s := newScript(t, compile(t))
	bulk := make([]byte, 32)
	rand.Read(bulk) //nolint:errcheck // crypto/rand: never returns an error
	key, err := sealed.NewKey(bulk)
	if err != nil {
		t.Fatal(err)
	}

	totals := sealed.Totals{Schema: 4, Objects: uint64(len(things()))}
	for _, e := range things() {
		totals.Bytes += e.Size
	}
	plain, err := io.ReadAll(sealed.NewWriter(totals, &history{t: t}))
	if err != nil {
		t.Fatal(err)
	}
	stream, segments := sealed.NewStream(7), []string(nil)
	for rest := plain; len(rest) > 0; {
		n := min(5*sealed.RecordSize, len(rest)) // other segments than TypeScript cuts
		h := sealed.Header{Revision: 7, First: stream.Records(), Plain: uint32(n)}
		segment, leaf, err := sealed.Seal(nil, key, h, rest[:n])
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Add(h, leaf); err != nil {
			t.Fatal(err)
		}
		segments, rest = append(segments, b64(segment)), rest[n:]
	}
	got := s.does("read", map[string]string{"bulk": b64(bulk), "segments": strings.Join(segments, ",")})
	if root := stream.Root(); !bytes.Equal(got.bytes("root"), root[:]) {
		t.Error("TypeScript comes to another root")
	}
	segments[0], segments[1] = segments[1], segments[0]
	if bad := s.tries("read", map[string]string{"bulk": b64(bulk), "segments": strings.Join(segments, ",")}); bad["code"] != "order" {
		t.Errorf("two segments that changed places: %v", bad)
	}

	made := s.does("write", map[string]string{"bulk": b64(bulk)})
	sink := &history{t: t}
	stream = sealed.NewStream(7)
	reader, back := sealed.NewReader(sink), []byte(nil)
	all, _ := made.got["segments"].([]any)
	for _, one := range all {
		segment, err := base64.StdEncoding.DecodeString(one.(string))
		if err != nil {
			t.Fatal(err)
		}
		opened, h, leaf, err := sealed.Open(nil, key, segment)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Add(h, leaf); err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Write(opened); err != nil {
			t.Fatal(err)
		}
		back = append(back, opened...)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if root := stream.Root(); !bytes.Equal(made.bytes("root"), root[:]) {
		t.Error("Go comes to another root")
	}
	if !bytes.Equal(back, plain) || len(sink.found) != len(things()) {
		t.Error("another stream than Go writes of the same")
	}
}
