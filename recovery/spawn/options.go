package spawn

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"
)

// ErrFolder: the folder does not go with the configuration, or with the stores.
// The message says what to do.
var ErrFolder = errors.New("spawn: the folder of the vaults")

// Options are what Open takes. All that has no default is required.
type Options struct {
	Dir     string // "DATA/vaults"
	Profile string // "kr1-2of3", "kr1-single" or "seed"
	Policy  string // "merge" or "strict"; seed is strict
	Limit   int
	// OnAmnesia is "checkpoint" or "ceremony"; empty: checkpoint.
	OnAmnesia string
	// Vouchers signs vouchers. nil: a key of its own, made with the folder.
	Vouchers ed25519.PrivateKey
	// Records says that some store has records of vaults: then none are made.
	Records bool
	// Command are the arguments that make this program run a vault, before those of
	// one vault: "vault", "run".
	Command []string
	// LogArgs are more of them, for how children log.
	LogArgs []string
	// Stderr gets what children log. nil: nobody.
	Stderr io.Writer
	// Logger gets what an operator must know. nil discards.
	Logger *slog.Logger
	// Now is the clock. nil: time.Now.
	Now func() time.Time
}

// longestSocket is how long the path of a unix socket may be: sun_path has 104
// bytes on some systems, 108 on others, with its end.
const longestSocket = 103

func (o *Options) check() (shape, error) {
	s, ok := shapes()[o.Profile]
	switch {
	case !ok:
		return s, fmt.Errorf("spawn: options: there is no profile %q", o.Profile)
	case o.Dir == "" || len(o.Command) == 0:
		return s, errors.New("spawn: options: Dir and Command are required")
	case o.Policy != "merge" && o.Policy != "strict":
		return s, fmt.Errorf("spawn: options: there is no policy %q", o.Policy)
	case o.Limit < 3 || o.Limit > 50:
		return s, fmt.Errorf("spawn: options: %d attempts: 3 to 50", o.Limit)
	case o.Vouchers != nil && len(o.Vouchers) != ed25519.PrivateKeySize:
		return s, errors.New("spawn: options: Vouchers is an Ed25519 key")
	}
	abs, err := filepath.Abs(o.Dir)
	if err != nil {
		return s, fmt.Errorf("spawn: %w", err)
	}
	if n := len(filepath.Join(abs, "v1-b", "vault.sock")); n > longestSocket {
		return s, fmt.Errorf("%w %s: the paths of its sockets have %d bytes, and the system takes %d: choose a data_dir with a shorter path", ErrFolder, abs, n, longestSocket)
	}
	return s, nil
}
