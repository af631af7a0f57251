package replica

import (
	"strings"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
	"github.com/staunchid/staunch/tee/process"
)

// TestAppraise: a good peer and small changes to it.
func TestAppraise(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(h *host, b *wire.Binding, self *process.Report)
		after  func(h *host, evidence []byte) (binding, proof []byte) // nil: those of the peer
		want   string                                                 // "": accepted
	}{
		{"good", nil, nil, ""},
		{"a witness", func(h *host, b *wire.Binding, _ *process.Report) {
			c := h.configs["w1"]
			b.Vault, b.Replica = "w1", "w1"
			b.ConfigHash, _ = c.Hash()
		}, nil, ""},
		{"not in the set", func(_ *host, b *wire.Binding, _ *process.Report) { b.Vault = "v9" }, nil, "not in the vault set"},
		{"another configuration", func(_ *host, b *wire.Binding, _ *process.Report) { b.ConfigHash[0]++ }, nil, "configuration other than the set's"},
		{"another program", func(_ *host, _ *wire.Binding, self *process.Report) { self.Executable[0]++ }, nil, "TEE_MEASUREMENT_UNKNOWN"},
		{"another set's release key", func(h *host, _ *wire.Binding, _ *process.Report) {
			other := newHost(h.t)
			h.release = other.release
			h.sign(&wire.VaultSet{
				Profile: "kr1-2of3", Suite: wire.Suite1, N: 1, T: 1, Limit: 10, Release: h.keys(),
				Vaults: []wire.Member{{Vault: "v2", Measurements: []wire.Measurement{{Values: map[string][]byte{"sha256": {1}}}}}},
			})
		}, nil, "signed"},
		{"evidence of another binding", nil, func(h *host, evidence []byte) ([]byte, []byte) {
			e, err := tee.ParseEvidence(evidence)
			if err != nil {
				h.t.Fatal(err)
			}
			b, err := wire.Decode[wire.Binding](e.Binding)
			if err != nil {
				h.t.Fatal(err)
			}
			b.BootKey[0]++
			changed, err := wire.Encode(&b)
			if err != nil {
				h.t.Fatal(err)
			}
			return changed, evidence
		}, "another binding"},
		{"no evidence", nil, func(h *host, evidence []byte) ([]byte, []byte) {
			e, err := tee.ParseEvidence(evidence)
			if err != nil {
				h.t.Fatal(err)
			}
			return e.Binding, nil
		}, "tee"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t).kr1()
			self, err := process.Self()
			if err != nil {
				t.Fatal(err)
			}
			config := h.configs["v2"]
			b := &wire.Binding{Vault: "v2", Replica: "v2/a", Boot: wire.ID16{1}, BootKey: wire.EdKey{2}}
			if b.ConfigHash, err = config.Hash(); err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				c.change(h, b, self)
			}
			binding, err := wire.Encode(b)
			if err != nil {
				t.Fatal(err)
			}
			proof, err := tee.ProcessEvidence(self, binding)
			if err != nil {
				t.Fatal(err)
			}
			if c.after != nil {
				binding, proof = c.after(h, proof)
			}
			f := &folder{dir: h.folder("v1"), config: h.configs["v1"]}
			err = f.appraise(binding, proof)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
