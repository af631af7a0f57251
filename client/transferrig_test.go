package client_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	mrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/client"
	"github.com/staunchid/staunch/config"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/gen/staunch/account/v1/accountv1connect"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
	"github.com/staunchid/staunch/gen/staunch/passkey/v1/passkeyv1connect"
	"github.com/staunchid/staunch/gen/staunch/transfer/v1/transferv1connect"
	"github.com/staunchid/staunch/transfer/handover"
)

const newDevice = "d_bbcdefghijklmnopqrstuvwxy2"

// attested is a phone of the test roots.
type attested struct{ *attesttest.AndroidKey }

func (k attested) Public() []byte { return k.PublicKey() }

// hardware remembers the last key that it made.
type hardware struct{ made client.Key }

func (h *hardware) last(or client.Key) client.Key {
	if h.made != nil {
		return h.made
	}
	return or
}

func (h *hardware) NewKey(_ context.Context, challenge []byte) (*client.NewKey, error) {
	ca, err := attesttest.TestAndroidCA(time.Now())
	if err != nil {
		return nil, err
	}
	key, err := ca.Phone().GenerateKey(time.Now(), challenge)
	if err != nil {
		return nil, err
	}
	h.made = attested{key}
	return &client.NewKey{Key: h.made, Platform: "android", CertificateChain: key.Chain()}, nil
}

// app is what a phone keeps beside what package client writes.
type app struct {
	mu      sync.Mutex
	keys    map[string][]byte
	did     []string // lock, unlock, wipe
	fail    error    // of Take
	foreign bool     // the keys are not those that were granted
}

func (a *app) SealingPublic(context.Context) ([]byte, error) {
	return publicOf(a.keys["sealing"]), nil
}

func (a *app) Secrets(context.Context) (map[string][]byte, error) { return maps.Clone(a.keys), nil }

func (a *app) SealingKey(secrets map[string][]byte) ([]byte, error) {
	if a.foreign {
		return []byte("another"), nil
	}
	return publicOf(secrets["sealing"]), nil
}

func (a *app) Take(_ context.Context, secrets map[string][]byte) error {
	if a.fail != nil {
		return a.fail
	}
	a.keys = map[string][]byte{}
	for name, b := range secrets {
		a.keys[name] = append([]byte(nil), b...)
	}
	return nil
}

func (a *app) note(what string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.did = append(a.did, what)
	return nil
}

func (a *app) Lock(context.Context) error   { return a.note("lock") }
func (a *app) Unlock(context.Context) error { return a.note("unlock") }
func (a *app) Wipe(context.Context) error   { return a.note("wipe") }

func publicOf(private []byte) []byte {
	if private == nil {
		return nil
	}
	sum := sha256.Sum256(append([]byte("public of "), private...))
	return sum[:]
}

// handset is a phone with its home, over any number of starts.
type handset struct {
	*app
	t     *testing.T
	url   string
	hosts []string // PhoneOptions.Hosts
	dir   string
	state string // as Export writes it
	key   client.Key
	next  http.RoundTripper // nil: straight to the server
	more  func(*client.Moving)

	mu2    sync.Mutex
	events []client.MoveEvent
	number chan string // C gives, N takes
	uri    chan string // N gives, C takes
	typed  func(string) string
	ask    func(*client.Peer) (bool, error)
	source client.Source
	least  time.Duration // SendOptions.LeastRecall
}

func (h *handset) start() *client.Phone {
	h.t.Helper()
	hand, hw := &hand{response: `{}`}, &hardware{}
	o := &client.PhoneOptions{
		URL: h.url, Hosts: h.hosts, App: "demo", Hardware: hw, Passkeys: hand, Patience: 2 * time.Second, Transport: h.next, Key: h.key,
	}
	if h.state != "" {
		var err error
		if o.State, err = client.ParsePhoneState([]byte(h.state)); err != nil {
			h.t.Fatal(err)
		}
	}
	o.Keep = func(_ context.Context, s client.PhoneState) error {
		text, err := s.Export()
		h.state = string(text)
		h.key = hw.last(h.key)
		return err
	}
	p, err := client.NewPhone(o)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(p.Close)
	return p
}

func (h *handset) moving() client.Moving {
	m := client.Moving{Dir: filepath.Join(h.dir, "transfer"), Home: h.app, Loopback: true, Events: h.event}
	if h.more != nil {
		h.more(&m)
	}
	return m
}

func (h *handset) event(e client.MoveEvent) {
	h.mu2.Lock()
	h.events = append(h.events, e)
	h.mu2.Unlock()
	switch e.Event {
	case client.EventOffer:
		offer(h.uri, e.URI)
	case client.EventNumber:
		offer(h.number, e.Number)
	}
}

// offer leaves the newest in a channel of one.
func offer(c chan string, text string) {
	for {
		select {
		case c <- text:
			return
		case <-c:
		}
	}
}

// said lists events; progress is left out.
func (h *handset) said() string {
	h.mu2.Lock()
	defer h.mu2.Unlock()
	var all []string
	for _, e := range h.events {
		if e.Event != client.EventProgress {
			all = append(all, e.Event)
		}
	}
	return strings.Join(all, " ")
}

func (h *handset) history() string { return filepath.Join(h.dir, "history") }

func (h *handset) receive(ctx context.Context) (*client.Moved, error) {
	return h.start().ReceiveMove(ctx, &client.ReceiveOptions{
		Moving: h.moving(), Enrolment: client.Enrolment{Name: "New"}, Info: client.MoveInfo{Model: "N", OS: "16", App: "2"},
		Importer: client.NewFolderImporter(filepath.Join(h.dir, "transfer", "receive", "staging"), h.history()),
		Number: func(ctx context.Context, _ int) (string, error) {
			if ctx.Err() != nil { // who is gone types nothing
				return "", ctx.Err()
			}
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case n := <-h.number:
				offer(h.number, n) // it stays on the other screen
				if h.typed != nil {
					n = h.typed(n)
				}
				return n, nil
			}
		},
	})
}

func (h *handset) send(ctx context.Context, uri string) (*client.Moved, error) {
	src := h.source
	if src == nil {
		var err error
		if src, err = client.NewFolderSource(&client.FolderSourceOptions{Dir: h.history()}); err != nil {
			return nil, err
		}
	}
	return h.start().SendMove(ctx, &client.SendOptions{
		Moving: h.moving(), URI: uri, Source: src, Judge: judge(h.t), Name: "Old", LeastRecall: h.least, Info: client.MoveInfo{Model: "C", OS: "15", App: "1"},
		Ask: func(_ context.Context, p *client.Peer) (bool, error) {
			if h.ask != nil {
				return h.ask(p)
			}
			return true, nil
		},
		Show: func(string) error { return nil },
	})
}

// judge is the demo app's, which trusts the test roots.
func judge(t *testing.T) handover.Judge {
	t.Helper()
	var file attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &file); err != nil {
		t.Fatal(err)
	}
	policy, err := attest.NewPolicy(&file)
	if err != nil {
		t.Fatal(err)
	}
	return handover.Judge{Policy: policy}
}

// pair is two phones and the server between them.
type pair struct {
	t     *testing.T
	n, c  *handset
	relay *relay
	url   string
}

func newPair(t *testing.T, files map[string]string) *pair {
	t.Helper()
	r := newRelay()
	f := &fakeServer{t: t, propose: proposal}
	f.signIn = func(*passkeyv1.FinishSignInRequest) (*passkeyv1.FinishSignInResponse, error) {
		return &passkeyv1.FinishSignInResponse{Result: &passkeyv1.FinishSignInResponse_Signed{Signed: &accountv1.Signed{
			Account: anAccount, Device: newDevice, Session: "s_abcdefghijklmnopqrstuvwxy2", Token: aToken,
		}}}, nil
	}
	mux := http.NewServeMux()
	sealing := make([]byte, 32)
	rand.Read(sealing) //nolint:errcheck // never returns an error
	r.sealing = publicOf(sealing)
	mux.Handle(accountv1connect.NewAccountServiceHandler(withSealing{f, r}))
	mux.Handle(passkeyv1connect.NewPasskeyServiceHandler(fakeKeys{f: f}))
	mux.Handle(transferv1connect.NewTransferServiceHandler(r))
	mux.Handle("/transfer/v1/", r)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	number, uri := make(chan string, 1), make(chan string, 1)
	old, err := new(hardware).NewKey(t.Context(), []byte("of the enrolment"))
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{t: t, relay: r, url: server.URL}
	p.c = &handset{app: &app{keys: map[string][]byte{"sealing": sealing, "recovery": []byte("state")}}, t: t, url: server.URL, dir: t.TempDir(), state: enrolled, key: old.Key, number: number, uri: uri, least: client.NoLeastRecall}
	p.n = &handset{app: &app{}, t: t, url: server.URL, dir: t.TempDir(), number: number, uri: uri}
	if len(files) > 0 {
		write(t, p.c.history(), files)
	}
	return p
}

// withSealing is the server of accounts, which has a sealing key for the phone that asks.
type withSealing struct {
	*fakeServer
	relay *relay
}

func (s withSealing) ListDevices(context.Context, *connect.Request[accountv1.ListDevicesRequest]) (*connect.Response[accountv1.ListDevicesResponse], error) {
	return answer(&accountv1.ListDevicesResponse{Devices: []*accountv1.Device{{Device: newDevice, SealingKey: []byte("of another")}, {Device: aDevice, This: true, SealingKey: s.relay.sealing}}}, nil)
}

// proposal is an approval of any action, in agreement with itself.
func proposal(q *accountv1.ProposeActionRequest) (*accountv1.ProposeActionResponse, error) {
	m := &accountv1.ProposeActionResponse{
		Approval: &accountv1.Approval{Approval: "v_abcdefghijklmnopqrstuvwxy2", Account: anAccount, Action: q.Action, Params: q.Params, Text: "Move?"},
		Preimage: &accountv1.ApprovalPreimage{
			App: "demo", Account: anAccount, Approval: "v_abcdefghijklmnopqrstuvwxy2", Action: q.Action, Params: []byte(q.Params), Text: "Move?", Nonce: make([]byte, 32),
		},
		Options: `{"challenge":""}`,
	}
	rehash(m)
	return m, nil
}

// outcome is how one loop ended.
type outcome struct {
	moved *client.Moved
	err   error
}

// run runs both loops to their ends.
func (p *pair) run(ctx context.Context) (n, c outcome) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { n = p.receive(ctx) })
	wg.Go(func() { c = p.send(ctx) })
	wg.Wait()
	return n, c
}

func (p *pair) receive(ctx context.Context) (o outcome) {
	o.moved, o.err = p.n.receive(ctx)
	return o
}

// send scans the code, if that was not done yet.
func (p *pair) send(ctx context.Context) (o outcome) {
	uri := ""
	if _, err := os.Stat(filepath.Join(p.c.dir, "transfer", "send", "move.json")); err != nil {
		select {
		case uri = <-p.c.uri:
			offer(p.c.uri, uri)
		case <-ctx.Done():
		}
	}
	o.moved, o.err = p.c.send(ctx, uri)
	return o
}

// complete checks that the account has moved, with keys and history.
func (p *pair) complete(n, c outcome) {
	p.t.Helper()
	if n.err != nil || c.err != nil {
		p.t.Fatalf("new: %v\nold: %v\nnew said %s\nold said %s", n.err, c.err, p.n.said(), p.c.said())
	}
	p.same()
	if n.moved.Role != client.RoleReceiver || c.moved.Role != client.RoleSender || n.moved.Transfer != c.moved.Transfer ||
		n.moved.SealingKeySHA256 != c.moved.SealingKeySHA256 || n.moved.Objects != c.moved.Objects || n.moved.Bytes != c.moved.Bytes || n.moved.Quarantined != c.moved.Quarantined {
		p.t.Errorf("new %+v\nold %+v", n.moved, c.moved)
	}
	if p.n.keys["sealing"] == nil || string(p.n.keys["sealing"]) != string(p.c.keys["sealing"]) || string(p.n.keys["recovery"]) != "state" {
		p.t.Error("the keys have not come along")
	}
	var s struct{ Account, Device, Token string }
	for h, want := range map[*handset]string{p.n: anAccount + " " + newDevice + " true", p.c: anAccount + " " + aDevice + " false"} {
		s.Token = ""
		if err := json.Unmarshal([]byte(h.state), &s); err != nil {
			p.t.Fatal(err)
		}
		if got := fmt.Sprint(s.Account, " ", s.Device, " ", s.Token != ""); got != want {
			p.t.Errorf("%s, want %s", got, want)
		}
	}
	if len(p.c.did) == 0 || p.c.did[0] != "lock" {
		p.t.Errorf("the old phone did %v", p.c.did)
	}
}

// same compares the histories, byte for byte.
func (p *pair) same() {
	p.t.Helper()
	var got, want map[string]string
	if _, err := os.Stat(p.c.history()); err == nil {
		want = tree(p.t, p.c.history())
	}
	if _, err := os.Stat(p.n.history()); err == nil {
		got = tree(p.t, p.n.history())
	}
	if !maps.Equal(got, want) {
		p.t.Errorf("%d of %d files and folders, or other contents", len(got), len(want))
	}
}

// aHistory has all that is special, and is a few segments long.
func aHistory() map[string]string {
	noise := make([]byte, 5<<20)
	rand.Read(noise) //nolint:errcheck // never returns an error
	return map[string]string{
		"chats/one.jsonl": strings.Repeat(`{"text":"hello"}`+"\n", 5000), "chats/bad.jsonl": "{}\nno\n", "photos/p.jpg": string(noise),
		"photos/zeros": string(make([]byte, 3<<20)), "empty": "", "nothing/": "", "photos/a/b/c/deep": base64.StdEncoding.EncodeToString(noise[:100]),
	}
}

// cutter is a network that stops a phone at one of its calls: before it is sent, or
// when the answer is there.
type cutter struct {
	left  atomic.Int64 // calls until then
	after bool
	stop  context.CancelFunc
}

func (c *cutter) RoundTrip(r *http.Request) (*http.Response, error) {
	n := c.left.Add(-1)
	if n < 0 || n == 0 && !c.after {
		c.stop()
		return nil, errors.New("cut off")
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if n == 0 {
		if err == nil {
			io.Copy(io.Discard, res.Body) //nolint:errcheck // it is lost
			res.Body.Close()
		}
		c.stop()
		return nil, errors.New("cut off")
	}
	return res, err
}

// killed runs a loop, which is stopped at some call, and started again, so many
// times; then it may go on to its end.
func (h *handset) killed(ctx context.Context, times int, rnd *mrand.Rand, loop func(context.Context) outcome) outcome {
	for range times {
		ctx, stop := context.WithCancel(ctx)
		c := &cutter{after: rnd.IntN(2) == 0, stop: stop}
		c.left.Store(1 + rnd.Int64N(14))
		h.next = c
		o := loop(ctx)
		stop()
		if o.err == nil {
			return o
		}
		if ctx.Err() == nil {
			return o
		}
	}
	h.next = nil
	return loop(ctx)
}
