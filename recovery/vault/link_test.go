package vault

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// end is one end of links: a process with a boot key.
type end struct {
	vault, replica string
	boot           wire.ID16
	key            ed25519.PrivateKey
	binding        func(*wire.Binding)
	appraise       func(binding, evidence []byte) error
}

func newEnd(t testing.TB, vault string) *end {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &end{vault: vault, replica: vault + "/a", boot: bootID(), key: key, binding: func(*wire.Binding) {}}
}

// options are those of a vault whose evidence is the word genuine.
func (e *end) options() *LinkOptions {
	return &LinkOptions{
		Boot: e.boot, Key: e.key,
		Hello: func(context.Context) ([]byte, []byte, error) {
			b := wire.Binding{
				Vault: e.vault, Replica: e.replica, Boot: e.boot, BootKey: wire.EdKey(e.key.Public().(ed25519.PublicKey)),
				HPKE: make([]byte, 1216), Issued: 1,
			}
			e.binding(&b)
			enc, err := wire.Encode(&b)
			return enc, []byte("genuine"), err
		},
		Appraise: func(binding, evidence []byte) error {
			if e.appraise != nil {
				return e.appraise(binding, evidence)
			}
			if string(evidence) != "genuine" {
				return errors.New("not genuine")
			}
			return nil
		},
	}
}

// serve lets w answer on a socket until the test ends; the function dials it.
func serve(t testing.TB, w *Witness, e *end) func(context.Context) (net.Conn, error) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := w.Serve(ctx, ln, e.options()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
}

func newLink(t testing.TB, id string, dial func(context.Context) (net.Conn, error), e *end) *Link {
	t.Helper()
	l, err := NewLink(id, dial, e.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestLinks: four witnesses and a vault behind TLS; one restarts and joins again.
func TestLinks(t *testing.T) {
	s := newSet(t, 4, 3, 3, 1)
	writer := newEnd(t, "v1")
	dials := make([]func(context.Context) (net.Conn, error), 4)
	for i, w := range s.witnesses {
		dials[i] = serve(t, w, newEnd(t, w.ID()))
		s.peers[i].become(newLink(t, w.ID(), dials[i], writer))
	}
	for n := range byte(5) {
		if m, err := charge(s.writer, acctOf(1), n+1); err != nil || m.Charges != uint32(n)+1 {
			t.Fatalf("attempt %d: %+v, %v", n, m, err)
		}
	}
	if _, err := s.writer.Now(t.Context()); err != nil {
		t.Error(err)
	}

	again := s.restart(3)
	e := newEnd(t, "v4")
	e.boot = again.boot
	s.peers[3].become(newLink(t, "v4", serve(t, again, e), writer))
	s.peers[0].cut(true)
	if _, err := charge(s.writer, acctOf(1), 6); !errors.Is(err, ErrUnavailable) {
		t.Errorf("with two that remember: %v", err)
	}
	var others []Peer
	for i := range 3 {
		others = append(others, newLink(t, fmt.Sprint("v", i+1), dials[i], e))
	}
	if err := again.Run(t.Context(), others); err != nil {
		t.Fatal(err)
	}
	if m, err := charge(s.writer, acctOf(1), 6); err != nil || m.Charges != 6 {
		t.Errorf("after it has joined: %+v, %v", m, err)
	}
}
