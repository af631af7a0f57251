package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/client"
	"github.com/staunchid/staunch/config"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/passkey/passkeytest"
	"github.com/staunchid/staunch/transfer/handover"
)

// mover is a phone that moves, with its home in dir.
type mover struct {
	t      *testing.T
	dir    string
	origin string // of the server, the same after each of its starts
	hook   func(*http.Request) error
	told   func(client.MoveEvent) // nil: nobody
	phone  *client.Phone
	passk  *passkeytest.Authenticator
	key    client.Key

	mu     sync.Mutex
	events []string
	did    []string          // lock, unlock, wipe
	keys   map[string][]byte // the app's
}

type attested struct{ *attesttest.AndroidKey }

// Public is the key that its evidence is of.
func (k attested) Public() []byte { return k.PublicKey() }

// newMover is a phone of the app demo at origin.
func newMover(t *testing.T, origin string) *mover {
	t.Helper()
	m := &mover{t: t, dir: t.TempDir(), origin: origin}
	var err error
	if m.passk, err = passkeytest.New(&passkeytest.Options{}); err != nil {
		t.Fatal(err)
	}
	to := at(t, origin).Port()
	pool := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", to))
	}}
	t.Cleanup(pool.CloseIdleConnections)
	m.phone, err = client.NewPhone(&client.PhoneOptions{
		URL: origin, App: "demo", Hardware: m, Passkeys: m, Patience: 45 * time.Second,
		Keep: func(context.Context, client.PhoneState) error { return nil },
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if m.hook != nil {
				if err := m.hook(r); err != nil {
					return nil, err
				}
			}
			return pool.RoundTrip(r)
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.phone.Close)
	return m
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// NewKey is hardware.
func (m *mover) NewKey(_ context.Context, challenge []byte) (*client.NewKey, error) {
	ca, err := attesttest.TestAndroidCA(time.Now())
	if err != nil {
		return nil, err
	}
	key, err := ca.Phone().GenerateKey(time.Now(), challenge)
	if err != nil {
		return nil, err
	}
	m.key = attested{key}
	return &client.NewKey{Key: m.key, Platform: "android", CertificateChain: key.Chain()}, nil
}

// Create and Get are the authenticator.
func (m *mover) Create(_ context.Context, options json.RawMessage) (json.RawMessage, error) {
	return m.passk.Create(options, m.origin)
}

func (m *mover) Get(_ context.Context, options json.RawMessage) (json.RawMessage, error) {
	return m.passk.Get(options, m.origin)
}

// SealingPublic and the rest are the app.
func (m *mover) SealingPublic(context.Context) ([]byte, error) {
	return publicOf(m.keys["sealing"]), nil
}

func (m *mover) Secrets(context.Context) (map[string][]byte, error) { return maps.Clone(m.keys), nil }

func (m *mover) SealingKey(secrets map[string][]byte) ([]byte, error) {
	return publicOf(secrets["sealing"]), nil
}

func (m *mover) Take(_ context.Context, secrets map[string][]byte) error {
	m.keys = map[string][]byte{}
	for name, b := range secrets {
		m.keys[name] = bytes.Clone(b)
	}
	return nil
}

func (m *mover) Lock(context.Context) error   { return m.note("lock") }
func (m *mover) Unlock(context.Context) error { return m.note("unlock") }
func (m *mover) Wipe(context.Context) error   { return m.note("wipe") }

func (m *mover) note(what string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.did = append(m.did, what)
	return nil
}

func publicOf(private []byte) []byte {
	sum := sha256.Sum256(append([]byte("public of "), private...))
	return sum[:]
}

func (m *mover) history() string { return filepath.Join(m.dir, "history") }

func (m *mover) moving(told func(client.MoveEvent)) client.Moving {
	return client.Moving{Dir: filepath.Join(m.dir, "transfer"), Home: m, Loopback: true, Events: func(e client.MoveEvent) {
		m.mu.Lock()
		if e.Event != client.EventProgress && e.Event != client.EventRetry {
			m.events = append(m.events, e.Event)
		}
		m.mu.Unlock()
		if m.told != nil {
			m.told(e)
		}
		told(e)
	}}
}

// moved is how a move has ended on one phone.
type moved struct {
	*client.Moved
	err error
}

// move runs both phones to their ends: from, which is enrolled, hands its account to n.
func (m *mover) move(ctx context.Context, n *mover) (of, to moved) {
	number, uri := make(chan string, 1), make(chan string, 1)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() {
		to.Moved, to.err = n.phone.ReceiveMove(ctx, &client.ReceiveOptions{
			Moving: n.moving(func(e client.MoveEvent) {
				if e.Event == client.EventOffer {
					uri <- e.URI
				}
			}),
			Enrolment: client.Enrolment{Name: "New"}, Info: client.MoveInfo{Model: "N", OS: "16", App: "2"}, Judge: demoJudge(m.t),
			Importer: client.NewFolderImporter(filepath.Join(n.dir, "transfer", "receive", "staging"), n.history()),
			Number: func(ctx context.Context, _ int) (string, error) {
				select {
				case <-ctx.Done():
					return "", ctx.Err()
				case typed := <-number:
					return typed, nil
				}
			},
		})
	})
	both.Go(func() {
		var code string
		select {
		case code = <-uri:
		case <-ctx.Done():
			of.err = ctx.Err()
			return
		}
		source, err := client.NewFolderSource(&client.FolderSourceOptions{Dir: m.history()})
		if err != nil {
			of.err = err
			return
		}
		of.Moved, of.err = m.phone.SendMove(ctx, &client.SendOptions{
			Moving: m.moving(func(e client.MoveEvent) {
				if e.Event == client.EventNumber {
					number <- e.Number
				}
			}),
			URI: code, Source: source, Judge: demoJudge(m.t), Name: "Old", Info: client.MoveInfo{Model: "C", OS: "15", App: "1"},
			Ask:  func(context.Context, *client.Peer) (bool, error) { return true, nil },
			Show: func(string) error { return nil },
		})
	})
	both.Wait()
	return of, to
}

// demoJudge is the demo app's policy, which trusts the test roots.
func demoJudge(t *testing.T) handover.Judge {
	t.Helper()
	var file attest.PolicyFile
	err := config.Decode([]byte(attesttest.DemoPolicy()), &file)
	policy, err2 := attest.NewPolicy(&file)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return handover.Judge{Policy: policy}
}

// enrolled gives a phone an account, and a history of so many bytes.
func (m *mover) enrolled(size int) *mover {
	m.t.Helper()
	m.keys = map[string][]byte{"sealing": make([]byte, 32)}
	rand.Read(m.keys["sealing"]) //nolint:errcheck // never returns an error
	_, err := m.phone.Enroll(m.t.Context(), &client.Enrolment{Name: "Old", SealingAlg: "X25519", SealingKey: publicOf(m.keys["sealing"])})
	if err != nil {
		m.t.Fatal(err)
	}
	noise := make([]byte, size)
	rand.Read(noise) //nolint:errcheck // never returns an error
	must(m.t, os.MkdirAll(filepath.Join(m.history(), "photos"), 0o700))
	write(m.t, filepath.Join(m.history(), "photos", "p.jpg"), string(noise))
	write(m.t, filepath.Join(m.history(), "chat.jsonl"), "{\"text\":\"hello\"}\n")
	return m
}

func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		all[path] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// handedOver checks that account, keys and history are n's, and that m is signed out.
func (m *mover) handedOver(n *mover, of, to moved) {
	m.t.Helper()
	if of.err != nil || to.err != nil {
		m.t.Fatalf("old: %v, %v\nnew: %v, %v", of.err, m.events, to.err, n.events)
	}
	if got, want := tree(m.t, n.history()), tree(m.t, m.history()); !maps.Equal(got, want) {
		m.t.Errorf("the history is %v, was %v", got, want)
	}
	if !bytes.Equal(n.keys["sealing"], m.keys["sealing"]) || of.SealingKeySHA256 != to.SealingKeySHA256 {
		m.t.Error("the keys have not come along")
	}
	status, err := n.phone.Status(m.t.Context())
	if err != nil || account.ID(status.GetAccount()) != to.Account {
		m.t.Errorf("the new phone's account: %v, %v", status, err)
	}
	devices, err := n.phone.Devices(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	holds := map[string]accountv1.HoldReason{}
	for _, d := range devices {
		holds[d.GetDevice()] = d.GetHold().GetReason()
	}
	want := map[string]accountv1.HoldReason{string(of.Device): accountv1.HoldReason_HOLD_REASON_LEAVING, string(to.Device): accountv1.HoldReason_HOLD_REASON_NEW}
	if !maps.Equal(holds, want) {
		m.t.Errorf("the account's devices: %v", devices)
	}
	if !slices.Equal(m.did, []string{"lock"}) || len(n.did) > 0 {
		m.t.Errorf("old did %v, new %v", m.did, n.did)
	}
}
