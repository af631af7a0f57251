package recovery_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// TestVaultSet changes what the service shows of the set: nothing is believed
// that is not signed, and nothing older than what was seen.
func TestVaultSet(t *testing.T) {
	edited := func(p *phone, edit func(*wire.VaultSet)) func(*recovery.Config) {
		set := p.vaults.SetNow()
		edit(&set)
		return func(c *recovery.Config) { c.Set = p.vaults.SignSet(set, p.vaults.Keys()[:2]...) }
	}
	tests := []struct {
		name   string
		config func(*phone) func(*recovery.Config)
		ok     bool
	}{
		{"good", func(p *phone) func(*recovery.Config) { return func(*recovery.Config) {} }, true},
		{"another version", func(p *phone) func(*recovery.Config) {
			return edited(p, func(s *wire.VaultSet) { s.Version++ })
		}, true},
		{"signed by other two", func(p *phone) func(*recovery.Config) {
			return func(c *recovery.Config) { c.Set = p.vaults.SignSet(p.vaults.SetNow(), p.vaults.Keys()[1:]...) }
		}, true},
		{"signed by one", func(p *phone) func(*recovery.Config) {
			return func(c *recovery.Config) { c.Set = p.vaults.SignSet(p.vaults.SetNow(), p.vaults.Keys()[0]) }
		}, false},
		{"signed by one twice", func(p *phone) func(*recovery.Config) {
			return func(c *recovery.Config) {
				c.Set = p.vaults.SignSet(p.vaults.SetNow(), p.vaults.Keys()[0], p.vaults.Keys()[0])
			}
		}, false},
		{"signed by strangers", func(p *phone) func(*recovery.Config) {
			other := newVaults(p.T, recoverytest.Options{})
			return func(c *recovery.Config) { c.Set = p.vaults.SignSet(p.vaults.SetNow(), other.Keys()...) }
		}, false},
		{"changed after signing", func(p *phone) func(*recovery.Config) {
			return func(c *recovery.Config) { c.Set = bytes.Replace(c.Set, []byte("local"), []byte("lokal"), 1) }
		}, false},
		{"no set", func(p *phone) func(*recovery.Config) { return func(c *recovery.Config) { c.Set = nil } }, false},
		{"an older version", func(p *phone) func(*recovery.Config) {
			return edited(p, func(s *wire.VaultSet) { s.Version-- })
		}, false},
		{"another set of the same version", func(p *phone) func(*recovery.Config) {
			return edited(p, func(s *wire.VaultSet) { s.Vaults[0].Operator = "mallory" })
		}, false},
		{"valid from tomorrow", func(p *phone) func(*recovery.Config) {
			return edited(p, func(s *wire.VaultSet) { s.Version++; s.ValidFrom = uint64(time.Now().Add(24 * time.Hour).Unix()) })
		}, false},
		{"a vault twice", func(p *phone) func(*recovery.Config) {
			set := edited(p, func(s *wire.VaultSet) { s.Version++; s.Vaults[2] = s.Vaults[0] })
			return func(c *recovery.Config) { set(c); c.Evidence[2] = c.Evidence[0] }
		}, false},
		{"a profile that the service does not say", func(p *phone) func(*recovery.Config) {
			return func(c *recovery.Config) { c.Profile = recovery.ProfileSingle }
		}, false},
		{"a limit that the service does not say", func(p *phone) func(*recovery.Config) {
			return func(c *recovery.Config) { c.Limit++ }
		}, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p := newPhone(t, recoverytest.Options{})
			p.vaults.Change(func(*wire.VaultSet) {})
			p.must(p.register("482915", "secret")) // has seen version 2
			p.net.Config = tc.config(p)
			err := p.client.Update(t.Context(), p.journal(), payloadOf("two"))
			if tc.ok && err != nil || !tc.ok && !errors.Is(err, recovery.ErrEvidence) {
				t.Errorf("update: %v", err)
			}
		})
	}
}

// TestVersionIsRemembered: an attempt on a new phone, and the app itself.
func TestVersionIsRemembered(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	old := p.vaults.Set()
	p.vaults.Change(func(*wire.VaultSet) {})
	p.wrong("000000", 9)
	p.net.Config = func(c *recovery.Config) { c.Set = old }
	if _, err := p.recover("482915"); !errors.Is(err, recovery.ErrEvidence) {
		t.Errorf("an attempt has seen version 2, and takes version 1: %v", err)
	}
	p.attempt, p.backup = nil, nil
	p.client = p.newClient(func(o *recovery.ClientOptions) { o.SetVersion = 2 })
	if _, err := p.recover("482915"); !errors.Is(err, recovery.ErrEvidence) {
		t.Errorf("the app has version 2 built in, and takes version 1: %v", err)
	}
}

// TestEvidence spoils what one vault shows, then two. One of three is left out;
// two are too many. To register all must be good.
func TestEvidence(t *testing.T) {
	forged := func(edit func(*wire.Binding)) func(*phone, int) []byte {
		return func(p *phone, i int) []byte {
			e, err := p.vaults.List[i].Forge(p.Context(), edit)
			p.must(err)
			return e
		}
	}
	ago := func(d time.Duration) uint64 { return uint64(time.Now().Add(-d).Unix()) }
	tests := []struct {
		name  string
		spoil func(p *phone, i int) []byte
		ok    bool
	}{
		{"good", forged(func(*wire.Binding) {}), true},
		{"issued almost a day ago", forged(func(b *wire.Binding) { b.Issued = ago(24*time.Hour - time.Minute) }), true},
		{"issued a day ago", forged(func(b *wire.Binding) { b.Issued = ago(24*time.Hour + time.Minute) }), false},
		{"issued in the future", forged(func(b *wire.Binding) { b.Issued = ago(-6 * time.Minute) }), false},
		{"for somebody else's nonce", forged(func(b *wire.Binding) { b.Nonce = []byte("nonce") }), false},
		{"another configuration", forged(func(b *wire.Binding) { b.ConfigHash[0] ^= 1 }), false},
		{"that names another vault", forged(func(b *wire.Binding) { b.Vault = "v9" }), false},
		{"of another vault", func(p *phone, i int) []byte {
			e, err := p.vaults.List[(i+1)%3].Evidence(p.Context(), nil)
			p.must(err)
			return e
		}, false},
		{"without a key", forged(func(b *wire.Binding) { b.HPKE = nil }), false},
		{"with a key of the other suite", forged(func(b *wire.Binding) { b.HPKE = make([]byte, 65) }), false},
		{"that is not evidence", func(*phone, int) []byte { return []byte("trust me") }, false},
		{"with a changed byte", func(p *phone, i int) []byte {
			e := forged(func(*wire.Binding) {})(p, i)
			e = bytes.Clone(e)
			e[len(e)-3] ^= 1
			return e
		}, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p := newPhone(t, recoverytest.Options{})
			p.must(p.register("482915", "secret"))
			bad := 1
			p.net.Config = func(c *recovery.Config) {
				for i := range bad {
					c.Evidence[i] = tc.spoil(p, i)
				}
			}
			answered := p.recovers("482915", "secret").Answered
			if want := map[bool]int{true: 3, false: 2}[tc.ok]; answered != want {
				t.Errorf("%d vaults have answered, want %d", answered, want)
			}
			if err := p.register("739164", "secret"); tc.ok != (err == nil) || !tc.ok && !errors.Is(err, recovery.ErrEvidence) {
				t.Errorf("register: %v", err)
			}
			bad = 2
			pin := map[bool]string{true: "739164", false: "482915"}[tc.ok]
			if _, err := p.recover(pin); tc.ok != (err == nil) || !tc.ok && !errors.Is(err, recovery.ErrEvidence) {
				t.Errorf("recover with two: %v", err)
			}
		})
	}
}

// TestPolicy: the zero policy takes no process, and a set that lists another
// program takes nobody.
func TestPolicy(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	strict := p.newClient(func(o *recovery.ClientOptions) { o.Policy.AllowProcess = false })
	_, err := strict.Recover(t.Context(), owner, recovery.TicketSecret("t"), pinOf(t, "482915"), p.tried())
	if !errors.Is(err, recovery.ErrEvidence) {
		t.Errorf("a process for a zero policy: %v", err)
	}
	if n := p.net.Count(wire.OpEvaluate); n != 0 {
		t.Errorf("%d requests left the phone", n)
	}
	p.vaults.Change(func(s *wire.VaultSet) {
		for i := range s.Vaults {
			s.Vaults[i].Measurements[0].Values = map[string][]byte{"sha256": make([]byte, 32)}
		}
	})
	if _, err := p.recover("482915"); !errors.Is(err, recovery.ErrEvidence) {
		t.Errorf("another program: %v", err)
	}
}

func TestNewClientRefuses(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	good := recovery.ClientOptions{
		Transport: p.net, ReleaseKeys: p.vaults.ReleaseKeys,
		SaveBackup:  func(*recovery.Backup) error { return nil },
		SaveAttempt: func(*recovery.Attempt) error { return nil },
	}
	if _, err := recovery.NewClient(&good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*recovery.ClientOptions){
		"no transport":        func(o *recovery.ClientOptions) { o.Transport = nil },
		"no journal":          func(o *recovery.ClientOptions) { o.SaveBackup = nil },
		"no journal of tries": func(o *recovery.ClientOptions) { o.SaveAttempt = nil },
		"no release keys":     func(o *recovery.ClientOptions) { o.ReleaseKeys = wire.ReleaseKeys{} },
		"fewer keys than k":   func(o *recovery.ClientOptions) { o.ReleaseKeys.K = 4 },
		"measurements of the app": func(o *recovery.ClientOptions) {
			o.Policy.Measurements = append(o.Policy.Measurements, tee.Measurement{})
		},
		"PINs of three characters": func(o *recovery.ClientOptions) { o.PINMin = 3 },
		"PINs of 33 characters":    func(o *recovery.ClientOptions) { o.PINMin = 33 },
	} {
		o := good
		spoil(&o)
		if _, err := recovery.NewClient(&o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
