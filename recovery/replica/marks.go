package replica

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/staunchid/staunch/recovery/vault"
	"github.com/staunchid/staunch/recovery/wire"
)

// onAmnesiaCheckpoint is the configuration's word for a journal of the marks.
const onAmnesiaCheckpoint = "checkpoint"

// marksFile names the folder of the marks, if it is not marksFolder: after an
// amnesia ceremony they have one of their own, and keep it.
const (
	marksFolder = "marks"
	marksFile   = "marks.name"
)

// remember makes the witness, with its journal if there is one, and lets it begin
// anew where nothing is missed: at the very first start, and once after an amnesia
// ceremony.
func (p *replica) remember(id string) error {
	c := &p.config
	now, err := p.marksName()
	if err != nil {
		return err
	}
	name := now
	if p.ceremony != nil && p.ceremony.Kind == wire.CeremonyAmnesia {
		of := p.ceremony.Name()
		name = marksFolder + "-" + hex.EncodeToString(of[:])
	}
	w := &vault.WitnessOptions{
		ID: id, Boot: p.boot.ID, All: c.Witnesses,
		Q: int(c.Freshness.Q), R: int(c.Freshness.R), F: int(c.Freshness.F), Logger: p.o.Logger,
	}
	if c.OnAmnesia == onAmnesiaCheckpoint {
		w.Dir = filepath.Join(p.dir, name)
		if err := os.MkdirAll(w.Dir, 0o700); err != nil {
			return fmt.Errorf("replica: %w", err)
		}
	}
	if p.witness, err = vault.NewWitness(w); err != nil {
		return err
	}
	if name == now && !p.o.Create {
		return nil
	}
	if err := p.witness.Begin(); err != nil { // it remembers: it joins the others, as after any restart
		p.o.Logger.Info("nothing is begun anew", "witness", id, "reason", err)
	}
	return p.write(marksFile, []byte(name))
}

// marksName is the name of the folder where the marks are.
func (f *folder) marksName() (string, error) {
	b, err := os.ReadFile(filepath.Join(f.dir, marksFile))
	if errors.Is(err, fs.ErrNotExist) {
		return marksFolder, nil
	}
	name := string(b)
	if err != nil || filepath.Base(name) != name || !strings.HasPrefix(name, marksFolder) {
		return "", fmt.Errorf("%w: %s names no folder of marks: %q, %w", ErrFolder, marksFile, name, errors.Join(err, fs.ErrInvalid))
	}
	return name, nil
}
