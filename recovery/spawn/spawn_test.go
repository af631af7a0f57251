package spawn

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/wire"
)

// TestMain is a vault as well: the children of a Set are this program.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "vault" {
		if err := runVault(os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func runVault(args []string) error {
	o := &replica.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	f := flag.NewFlagSet("vault", flag.ContinueOnError)
	f.StringVar(&o.ID, "id", "", "")
	f.StringVar(&o.Dir, "dir", "", "")
	f.StringVar(&o.Replica, "replica", "", "")
	f.StringVar(&o.KeysOn, "keys-on", "", "")
	f.StringVar(&o.KeysFrom, "keys-from", "", "")
	f.BoolVar(&o.Create, "create", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	ctx, stop := replica.UntilStopped(context.Background(), os.Stdin)
	defer stop()
	return replica.Run(ctx, o)
}

// dir is a folder whose path is short enough for sockets.
func dir(t *testing.T) string {
	t.Helper()
	d, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(d) })
	return filepath.Join(d, "vaults")
}

// log is what children say, for a test that fails.
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

func options(dir string) *Options {
	return &Options{Dir: dir, Profile: "kr1-2of3", Policy: "merge", Limit: 10, Command: []string{"vault", "run"}}
}

// running runs a set until the test, or the function that it gives, ends it.
func running(t *testing.T, o *Options) (*Set, func()) {
	t.Helper()
	said := &log{}
	o.Stderr, o.Logger = said, slog.New(slog.NewTextHandler(said, nil))
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(said)
		}
	})
	t.Cleanup(stop)
	wait, end := context.WithTimeout(ctx, time.Minute)
	defer end()
	if err := s.Ready(wait); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return s, stop
}

func pid(t *testing.T, dir, folder string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, folder, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestProfiles: every profile starts its processes, which are still the same
// vaults after a restart, and ends them.
func TestProfiles(t *testing.T) {
	for profile, want := range map[string]string{"kr1-2of3": "v1:1 v2:1 v3:1", "kr1-single": "v1:1", "seed": "v1:3"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			d := dir(t)
			o := options(d)
			if o.Profile = profile; profile == "seed" {
				o.Policy = "strict"
			}
			s, stop := running(t, o)
			var got []string
			bindings := map[string]*wire.Binding{}
			for _, v := range s.Vaults() {
				got = append(got, fmt.Sprintf("%s:%d", v.ID, len(v.Replicas)))
				for _, r := range v.Replicas {
					b, err := s.links[r.Name].Info(t.Context())
					if err != nil || b.Vault != v.ID || b.Replica != r.Name {
						t.Errorf("%s is %+v, %v", r.Name, b, err)
					}
					bindings[r.Name] = b
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("vaults %v, want %s", got, want)
			}
			first := pid(t, d, "v1")
			stop()
			if p, err := os.FindProcess(first); err == nil && p.Signal(syscall.Signal(0)) == nil {
				t.Error("v1 still runs")
			}
			s, _ = running(t, o)
			for name, before := range bindings {
				b, err := s.links[name].Info(t.Context())
				if err != nil || !bytes.Equal(b.HPKE, before.HPKE) || b.ConfigHash != before.ConfigHash || b.Boot == before.Boot {
					t.Errorf("%s is another vault after a restart, or the same process: %v", name, err)
				}
			}
			for name, b := range bindings { // replicas of one vault have its keys
				if first := bindings["v1/a"]; b.Vault == first.Vault && !bytes.Equal(b.HPKE, first.HPKE) {
					t.Errorf("%s has other keys than v1/a", name)
				}
			}
		})
	}
}

// TestKilled: a vault that is killed is started again.
func TestKilled(t *testing.T) {
	d := dir(t)
	s, _ := running(t, options(d))
	before, err := s.links["v2/a"].Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := os.FindProcess(pid(t, d, "v2"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	for {
		b, err := s.links["v2/a"].Info(t.Context())
		if err == nil && b.Boot != before.Boot {
			break
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestUpgrade: another program is one more that a vault may be, in a new version
// of the set which names the one before.
func TestUpgrade(t *testing.T) {
	d := dir(t)
	s, err := Open(options(d))
	if err != nil {
		t.Fatal(err)
	}
	old := s.set // as an older program has signed it
	for _, members := range [][]wire.Member{old.Vaults, old.WitnessesOnly} {
		for i := range members {
			members[i].Measurements[0].Values = map[string][]byte{"sha256": make([]byte, 32)}
		}
	}
	signed, err := release.Document(&old, s.release)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.publish(d, 1, signed); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(options(d)); err != nil {
		t.Fatal(err)
	}
	if s.set.Version != 2 || s.set.Previous == nil || len(s.set.Vaults[0].Measurements) != 2 || len(s.set.WitnessesOnly[0].Measurements) != 2 {
		t.Errorf("%+v", s.set)
	}
	for _, name := range []string{"sets/2.cbor", "set.cbor", "v1/set.cbor", "v3/set.cbor", "w1/set.cbor"} {
		if b, err := os.ReadFile(filepath.Join(d, name)); err != nil || !bytes.Equal(b, s.Signed()) {
			t.Errorf("%s is not the set: %v", name, err)
		}
	}
	again, err := Open(options(d))
	if err != nil || again.set.Version != 2 {
		t.Errorf("once more: %v", err)
	}
}

func otherKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestRefused: what does not go together is refused, and nothing is made anew.
func TestRefused(t *testing.T) {
	tests := []struct {
		name   string
		made   bool // there is a folder
		change func(t *testing.T, o *Options)
		want   string
	}{
		{"good", true, func(*testing.T, *Options) {}, ""},
		{"records without a folder", false, func(_ *testing.T, o *Options) { o.Records = true }, "records that only its vaults can open"},
		{"records with a folder", true, func(_ *testing.T, o *Options) { o.Records = true }, ""},
		{"another limit", true, func(_ *testing.T, o *Options) { o.Limit = 9 }, "limit of 10, and the configuration says kr1-2of3 and 9"},
		{"another profile", true, func(_ *testing.T, o *Options) { o.Profile = "kr1-single" }, "is of profile kr1-2of3"},
		{"another policy", true, func(_ *testing.T, o *Options) { o.Policy = "strict" }, "another policy (merge) than"},
		{"another rule for amnesia", true, func(_ *testing.T, o *Options) { o.OnAmnesia = "ceremony" }, "another on_total_amnesia (checkpoint) than"},
		{"another voucher key", true, func(t *testing.T, o *Options) { o.Vouchers = otherKey(t) }, "another voucher key than"},
		{"no profile", false, func(_ *testing.T, o *Options) { o.Profile = "x" }, "no profile"},
		{"no command", false, func(_ *testing.T, o *Options) { o.Command = nil }, "Command"},
		{"a long path", false, func(_ *testing.T, o *Options) { o.Dir = filepath.Join(o.Dir, strings.Repeat("x", 90)) }, "shorter path"},
		{"no release key", true, func(t *testing.T, o *Options) { remove(t, o.Dir, releaseFile) }, "restore it"},
		{"no voucher key", true, func(t *testing.T, o *Options) { remove(t, o.Dir, voucherFile) }, "restore it"},
		{"no set", true, func(t *testing.T, o *Options) { remove(t, o.Dir, setFile) }, "restore it"},
		{"a release key of somebody else", true, func(t *testing.T, o *Options) {
			if _, err := newKey(filepath.Join(o.Dir, releaseFile)); err != nil {
				t.Fatal(err)
			}
		}, "set.cbor"},
		{"a set that was changed", true, func(t *testing.T, o *Options) {
			b, err := os.ReadFile(filepath.Join(o.Dir, setFile))
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 1
			if err := os.WriteFile(filepath.Join(o.Dir, setFile), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "set.cbor"},
		{"a start that was cut off", false, func(t *testing.T, o *Options) {
			if err := os.MkdirAll(filepath.Join(o.Dir+".part", "v1"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options(dir(t))
			if tt.made {
				if _, err := Open(o); err != nil {
					t.Fatal(err)
				}
			}
			tt.change(t, o)
			_, err := Open(o)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%v, want %q", err, tt.want)
			}
			if there, _ := exists(o.Dir); err != nil && !tt.made && there {
				t.Error("a folder is made nevertheless")
			}
			if tt.name == "records without a folder" && !errors.Is(err, ErrFolder) {
				t.Errorf("%v", err)
			}
		})
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}
