package vault

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// Introduction is what a process shows at the ends of its links to others.
type Introduction struct {
	Config  wire.Config // of the vault, or of the witness
	Replica string      // "v1/a"; of a witness-only process its witness-id
	Boot    *Boot
	Keys    *MasterKeys // nil: a witness only, or a replica that has yet to be given keys

	Attest   func(ctx context.Context, binding []byte) (evidence []byte, err error)
	Appraise AppraisePeer
	Logger   *slog.Logger
}

// Links are the options of its links. The evidence in a hello is made at once and
// by this machine's clock: the clocks of the others are at the far end of the
// links, and that the peer has the boot key now the handshake shows.
func (i *Introduction) Links() (*LinkOptions, error) {
	hash, err := i.Config.Hash()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	binding := wire.Binding{
		Vault: i.Config.Vault, Replica: i.Replica, Boot: i.Boot.ID, BootKey: i.Boot.Public(), ConfigHash: hash,
	}
	if i.Keys != nil {
		r, err := newRing(&i.Config, i.Keys)
		if err != nil {
			return nil, err
		}
		binding.Epoch, binding.HPKE = r.newest().number, r.newest().public
	}
	hello := func(ctx context.Context) ([]byte, []byte, error) {
		b := binding
		b.Issued = seconds(time.Now())
		encoded, err := wire.Encode(&b)
		if err != nil {
			return nil, nil, err
		}
		evidence, err := i.Attest(ctx, encoded)
		return encoded, evidence, err
	}
	return &LinkOptions{Boot: i.Boot.ID, Key: i.Boot.Key(), Hello: hello, Appraise: i.Appraise, Logger: i.Logger}, nil
}
