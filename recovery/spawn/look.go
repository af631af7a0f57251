package spawn

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/wire"
)

// View is a folder of vaults as it lies there.
type View struct {
	Signed    []byte // the vault set
	Vaults    []recovery.Vault
	Config    wire.Config // of the first vault; all have the same but for their name
	WitnessID string      // of the witness that runs in the server; empty: there is none
	Witness   string      // the path of its socket

	links []*recovery.LinkClient
}

// Look reads a folder for who only looks. It makes nothing, changes nothing and
// needs no private key, and a server may run meanwhile.
func Look(dir string) (*View, error) {
	v := &View{}
	var err error
	if v.Signed, err = os.ReadFile(filepath.Join(dir, setFile)); err != nil {
		return nil, fmt.Errorf("%w: %w: start the server once, or look at data_dir", ErrFolder, err)
	}
	doc, err := wire.Decode[wire.KofM](v.Signed)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, filepath.Join(dir, setFile), err)
	}
	set, err := wire.Decode[wire.VaultSet](doc.TBS)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, filepath.Join(dir, setFile), err)
	}
	shape, ok := shapes()[set.Profile]
	if !ok {
		return nil, fmt.Errorf("%w: %s is of profile %q, which this program does not run itself", ErrFolder, filepath.Join(dir, setFile), set.Profile)
	}
	if v.Config, err = replica.ReadConfig(filepath.Join(dir, set.Vaults[0].Vault)); err != nil {
		return nil, fmt.Errorf("spawn: %w", err)
	}
	if err := doc.Verify(v.Config.Release); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, filepath.Join(dir, setFile), err)
	}
	links := map[string]*recovery.LinkClient{}
	for _, c := range shape.children {
		l := recovery.DialLink("unix", filepath.Join(dir, c.folder(), "vault.sock"))
		links[c.name()], v.links = l, append(v.links, l)
	}
	v.Vaults = waysTo(shape, links)
	if shape.witness != "" {
		v.WitnessID, v.Witness = shape.witness, filepath.Join(dir, shape.witness, "peer.sock")
	}
	return v, nil
}

// Close ends the connections.
func (v *View) Close() {
	for _, l := range v.links {
		l.Close()
	}
}
