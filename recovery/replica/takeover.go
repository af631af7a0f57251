package replica

import (
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

// errProgram: who asks for the keys runs another program than who has them.
var errProgram = errors.New("it runs another program than this vault, and no hand-over ceremony names that")

// appraiseTaker judges who asks for the master keys: a member of the set, with the
// program that runs here, or the one that a hand-over names.
func (p *replica) appraiseTaker(binding, evidence []byte) error {
	if err := p.appraise(binding, evidence); err != nil {
		return err
	}
	self, err := process.Self()
	if err != nil {
		return err
	}
	may := []wire.Measurement{{Platform: process.Platform, Values: map[string][]byte{"sha256": self.Executable[:]}}}
	if p.handover != nil && p.handover.Measurement != nil {
		may = append(may, *p.handover.Measurement)
	}
	e, err := tee.ParseEvidence(evidence)
	if err != nil {
		return err
	}
	claims, err := tee.Verify(e, nil, time.Now())
	if err != nil {
		return err
	}
	policy := tee.Policy{Measurements: measurements(may), AllowProcess: true} // level process is the only one so far
	if v := policy.Appraise(claims, binding, time.Now()); !v.Accept() {
		return fmt.Errorf("%w: %v", errProgram, v.Refusals())
	}
	return nil
}

// TakeOver has the master keys of a vault handed over to the folder of its next
// configuration, and ends. KeysFrom is where they are served. The set in the folder
// lists the new configuration, and names the set before it, which must lie beside
// it and lists who has the keys.
func TakeOver(ctx context.Context, options *Options) error {
	o, err := options.filled()
	if err != nil {
		return err
	}
	p, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer p.close()
	switch have, err := p.hasKeys(); {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrFolder, err)
	case have:
		return fmt.Errorf("%w: %s has master keys already: nothing is taken over", ErrFolder, p.dir)
	}
	before, err := p.previous()
	if err != nil {
		return err
	}
	member := memberOf(before, o.ID)
	if member == nil {
		return fmt.Errorf("%w: the set in %s does not list %s", ErrFolder, PreviousFile, o.ID)
	}
	intro := p.introduction()
	intro.Appraise = func(binding, evidence []byte) error { return Appraise(before, binding, evidence, time.Now()) }
	links, err := intro.Links()
	if err != nil {
		return err
	}
	dial, err := dialer(o.KeysFrom)
	if err != nil {
		return err
	}
	conn, err := dial(ctx)
	if err != nil {
		return fmt.Errorf("replica: %s, where the keys are: %w: does the vault run, with the hand-over as %s?", o.KeysFrom, err, CeremonyFile)
	}
	keys, err := vault.TakeOver(ctx, conn, o.ID, member.ConfigHash, links)
	if err != nil {
		return err
	}
	return p.keep(keys)
}

// previous is the set before that of the folder, which has its hash.
func (f *folder) previous() (*wire.VaultSet, error) {
	now, err := f.set()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(f.dir, PreviousFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w: it lists who has the keys", ErrFolder, err)
	}
	if now.Previous == nil || wire.Sum(b) != *now.Previous {
		return nil, fmt.Errorf("%w: %s is not the set before version %d, as that one names it", ErrFolder, path, now.Version)
	}
	doc, err := wire.Decode[wire.KofM](b)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, path, err)
	}
	set, err := wire.Decode[wire.VaultSet](doc.TBS)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, path, err)
	}
	return &set, nil
}
