package insider_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest/insider"
	"github.com/staunchid/staunch/recovery/wire"
)

// TestMain is every process of a kit as well.
func TestMain(m *testing.M) {
	insider.Child()
	os.Exit(m.Run())
}

// ownersPIN is none of those that the insider tries, unless a test says so.
const ownersPIN = "271828"

// kit is an installation for one test.
func kit(t *testing.T, profile string, limit int) (*insider.Kit, *log) {
	t.Helper()
	dir, err := os.MkdirTemp("", "i") // a short path, for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	said := &log{}
	k, err := insider.New(t.Context(), &insider.Options{Dir: filepath.Join(dir, "k"), Profile: profile, Limit: limit, Log: said})
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(said)
		}
	})
	return k, said
}

// log is what the processes say.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) has(word string) bool { return strings.Contains(l.String(), word) }

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestHonest: the kit works. The owner gets his secret, whatever was restarted; the
// search finds a PIN that is on its list; and nobody is alarmed.
func TestHonest(t *testing.T) {
	t.Parallel()
	k, said := kit(t, recovery.ProfileKR1, 10)
	o, err := k.Enrol(t.Context(), ownersPIN)
	if err != nil {
		t.Fatal(err)
	}
	for used := range 3 {
		for range 2 * used { // there is much in the journals
			if _, err := o.Recover(t.Context(), "000000", wire.NewKey()); !errors.Is(err, insider.ErrVerdict) {
				t.Fatalf("a wrong PIN: %v", err)
			}
		}
		if err := k.Restart(t.Context(), append(k.Parts(), insider.APIName)...); err != nil {
			t.Fatal(err)
		}
		if got, err := o.Recover(t.Context(), ownersPIN, wire.NewKey()); err != nil || got != o.Secret {
			t.Fatalf("the owner gets %q: %v", got, err)
		}
	}
	s, err := k.Search(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, pin := range []string{"000000", "000001", ownersPIN} {
		if err := s.Try(t.Context(), pin, []string{"v1", "v2", "v3"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if s.Tested() != 3 || s.Found() != ownersPIN {
		t.Errorf("%d PINs tried, found %q", s.Tested(), s.Found())
	}
	if said.has(rolledBack) {
		t.Error("operators are alarmed, and nothing went back")
	}
}
