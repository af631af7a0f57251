package replica

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/staunchid/staunch/recovery/vault"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
	"github.com/staunchid/staunch/tee/process"
)

// attester makes evidence of this process. The executable is read once.
func attester() (func(context.Context, []byte) ([]byte, error), error) {
	self, err := process.Self()
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, binding []byte) ([]byte, error) {
		return tee.ProcessEvidence(self, binding)
	}, nil
}

// appraise judges a peer by the vault set in the folder, which k of m release
// keys of the configuration have signed (tee.md, sections 2 and 5).
func (f *folder) appraise(binding, evidence []byte) error {
	set, err := f.set()
	if err != nil {
		return err
	}
	return Appraise(set, binding, evidence, time.Now())
}

// Appraise judges evidence of a member of a set that was verified.
func Appraise(set *wire.VaultSet, binding, evidence []byte, now time.Time) error {
	b, err := wire.Decode[wire.Binding](binding)
	if err != nil {
		return err
	}
	member := memberOf(set, b.Vault)
	if member == nil {
		return fmt.Errorf("%s is not in the vault set of version %d", b.Vault, set.Version)
	}
	if b.ConfigHash != member.ConfigHash {
		return fmt.Errorf("%s runs with a configuration other than the set's", b.Vault)
	}
	e, err := tee.ParseEvidence(evidence)
	if err != nil {
		return err
	}
	if !bytes.Equal(e.Binding, binding) {
		return errors.New("its evidence is of another binding")
	}
	claims, err := tee.Verify(e, nil, now)
	if err != nil {
		return err
	}
	policy := tee.Policy{Measurements: measurements(member.Measurements), AllowProcess: true} // level process is the only one so far
	if v := policy.Appraise(claims, binding, now); !v.Accept() {
		return fmt.Errorf("%s: %v", b.Vault, v.Refusals())
	}
	return nil
}

// set reads the vault set.
func (f *folder) set() (*wire.VaultSet, error) {
	path := filepath.Join(f.dir, SetFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	signed, err := wire.Decode[wire.KofM](b)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, path, err)
	}
	if err := signed.Verify(f.config.Release); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, path, err)
	}
	set, err := wire.Decode[wire.VaultSet](signed.TBS)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, path, err)
	}
	return &set, nil
}

func memberOf(set *wire.VaultSet, id string) *wire.Member {
	for _, members := range [][]wire.Member{set.Vaults, set.WitnessesOnly} {
		for i := range members {
			if members[i].Vault == id {
				return &members[i]
			}
		}
	}
	return nil
}

// measurements are the set's, as a policy has them.
func measurements(in []wire.Measurement) (out []tee.Measurement) {
	for _, m := range in {
		t := tee.Measurement{
			Platform: m.Platform, Values: m.Values, Floor: m.Floor, LogIndex: m.LogIndex,
			NotBefore: time.Unix(int64(m.NotBefore), 0),
		}
		if m.NotAfter != nil {
			t.NotAfter = time.Unix(int64(*m.NotAfter), 0)
		}
		out = append(out, t)
	}
	return out
}

var _ vault.AppraisePeer = (*folder)(nil).appraise
