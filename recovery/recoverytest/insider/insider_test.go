package insider_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

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

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestHonest: the kit works, the search finds a PIN that is on its list, and the
// owner gets his secret.
func TestHonest(t *testing.T) {
	k, said := kit(t, recovery.ProfileKR1, 10)
	begin := time.Now()
	o, err := k.Enrol(t.Context(), ownersPIN)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if got, err := o.Recover(t.Context(), ownersPIN, wire.NewKey()); err != nil || got != o.Secret {
		t.Fatalf("the owner gets %q: %v", got, err)
	}
	if _, err := o.Recover(t.Context(), "000000", wire.NewKey()); !errors.Is(err, insider.ErrVerdict) {
		t.Fatalf("a wrong PIN: %v", err)
	}
	t.Log(time.Since(begin))
}
