package replica

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/staunchid/staunch/recovery/vault"
	"github.com/staunchid/staunch/recovery/wire"
)

// onAmnesiaCheckpoint is the configuration's word for a journal of the marks.
const onAmnesiaCheckpoint = "checkpoint"

// remember makes the witness, with its journal if there is one, and lets it begin
// anew where nothing is missed: at the very first start, and once after an amnesia
// ceremony, whose marks have a folder of their own.
func (p *replica) remember(id string) error {
	c, suffix := &p.config, ""
	amnesia := p.ceremony != nil && p.ceremony.Kind == wire.CeremonyAmnesia
	if amnesia {
		name := p.ceremony.Name()
		suffix = "-" + hex.EncodeToString(name[:])
	}
	w := &vault.WitnessOptions{
		ID: id, Boot: p.boot.ID, All: c.Witnesses,
		Q: int(c.Freshness.Q), R: int(c.Freshness.R), F: int(c.Freshness.F), Logger: p.o.Logger,
	}
	if c.OnAmnesia == onAmnesiaCheckpoint {
		w.Dir = filepath.Join(p.dir, "marks"+suffix)
		if err := os.MkdirAll(w.Dir, 0o700); err != nil {
			return fmt.Errorf("replica: %w", err)
		}
	}
	var err error
	if p.witness, err = vault.NewWitness(w); err != nil {
		return err
	}
	begun := "begun" + suffix
	_, err = os.Stat(filepath.Join(p.dir, begun))
	switch {
	case err == nil && !p.o.Create:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("replica: %w", err)
	case !amnesia && !p.o.Create:
		return nil
	}
	if err := p.witness.Begin(); err != nil { // it remembers: it joins the others, as after any restart
		p.o.Logger.Info("nothing is begun anew", "witness", id, "reason", err)
	}
	return p.write(begun, nil)
}
