package remote

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/wire"
)

// TestOpen: a set that its keys have signed, and a way to each of its vaults.
func TestOpen(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plan := &release.Plan{
		Profile: "kr1-2of3", Policy: "merge", OnAmnesia: "checkpoint", Limit: 10, From: time.Now(), Vouchers: wire.EdKey{1},
		Vaults: []release.Party{{ID: "v1", Operator: "a"}, {ID: "v2", Operator: "b"}, {ID: "v3", Operator: "c"}}, Witnesses: []release.Party{{ID: "w1", Operator: "d"}},
		Release:      wire.ReleaseKeys{K: 1, Keys: []wire.EdKey{release.Public(key)}},
		Measurements: []wire.Measurement{{Platform: "process", Values: map[string][]byte{"sha256": make([]byte, 32)}}},
	}
	for _, tt := range []struct {
		name   string
		plan   func(*release.Plan)
		change func(t *testing.T, o *Options)
		want   string
	}{
		{"good", nil, func(*testing.T, *Options) {}, ""},
		{"two replicas", nil, func(_ *testing.T, o *Options) { o.Replicas = append(o.Replicas, "v3/b=unix:/nowhere") }, ""},
		{"another limit", nil, func(_ *testing.T, o *Options) { o.Limit = 9 }, "limit of 10"},
		{"another profile", nil, func(_ *testing.T, o *Options) { o.Profile = "kr1-single" }, "of profile kr1-2of3"},
		{"no set", nil, func(_ *testing.T, o *Options) { o.SetFile += ".not" }, "no such file"},
		{"signed by too few", func(p *release.Plan) {
			p.Release = wire.ReleaseKeys{K: 2, Keys: []wire.EdKey{release.Public(key), {7}}}
		}, func(*testing.T, *Options) {}, "set.cbor: wire: "},
		{"no way to a vault", nil, func(_ *testing.T, o *Options) { o.Replicas = o.Replicas[:2] }, "no replica of v3"},
		{"a vault too many", nil, func(_ *testing.T, o *Options) { o.Replicas = append(o.Replicas, "v4/a=unix:/nowhere") }, "of no vault"},
		{"no link key", nil, func(_ *testing.T, o *Options) { o.Key = nil }, "no link key"},
		{"a network that is none", nil, func(_ *testing.T, o *Options) { o.Replicas[0] = "v1/a=vsock:16:7443" }, "write tcp:HOST:PORT"},
		{"profile seed", func(p *release.Plan) { p.Profile, p.Vaults, p.Witnesses = "seed", p.Vaults[:1], nil }, func(*testing.T, *Options) {}, `write mode = "spawn"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := *plan
			if tt.plan != nil {
				tt.plan(&p)
			}
			set, _, err := p.Make()
			if err != nil {
				t.Fatal(err)
			}
			doc, err := release.Document(&set, key)
			if err != nil {
				t.Fatal(err)
			}
			o := &Options{
				SetFile: filepath.Join(t.TempDir(), "set.cbor"), Profile: "kr1-2of3", Limit: 10, Key: key,
				Replicas: []string{"v1/a=tcp:127.0.0.1:1", "v2/a=tcp:127.0.0.1:2", "v3/a=unix:/nowhere/v3"},
			}
			if err := os.WriteFile(o.SetFile, doc, 0o600); err != nil {
				t.Fatal(err)
			}
			tt.change(t, o)
			s, err := Open(o)
			if tt.want != "" {
				if !errors.Is(err, ErrSet) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			n := 0
			for _, v := range s.Vaults() {
				n += len(v.Replicas)
			}
			if len(s.Vaults()) != 3 || n != len(o.Replicas) || len(s.Witnesses()) != 1 || string(s.Signed()) != string(doc) {
				t.Errorf("%+v", s.Vaults())
			}
			if _, err := s.Config(); err == nil {
				t.Error("a configuration from nowhere")
			}
		})
	}
}
