package insider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/spawn"
	"github.com/staunchid/staunch/recovery/wire"
)

// APIName is the API among the parts of a kit; the others are called as their
// folders are: v1, v2, v3 and w1; of profile seed v1, v1-b and v1-c.
const APIName = "api"

// startWait is how long a part may take to start on a busy machine.
const startWait = 2 * time.Minute

// Options say what is installed.
type Options struct {
	Dir     string // whose path is short, for sockets are in there
	Profile string
	Limit   int
	Log     io.Writer // gets what the parts log; nil: nobody
}

// Kit is an installation in the hands of an insider.
type Kit struct {
	o     *Options
	set   wire.VaultSet
	vouch *spawn.Set
	parts map[string]*process
	links map[string]*recovery.LinkClient // by part
	keys  map[string]*wire.Binding        // by vault
	api   *apiClient
}

// New makes an installation and starts it.
func New(ctx context.Context, o *Options) (*Kit, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	k := &Kit{o: o, parts: map[string]*process{}, links: map[string]*recovery.LinkClient{}, keys: map[string]*wire.Binding{}}
	o.Log = &oneByOne{w: o.Log}
	if err := os.MkdirAll(k.folder(APIName), 0o700); err != nil {
		return nil, fmt.Errorf("insider: %w", err)
	}
	var err error
	if k.vouch, err = openSet(o.Dir, o.Profile, o.Limit); err != nil {
		return nil, err
	}
	signed, err := wire.Decode[wire.KofM](k.vouch.Signed())
	if err != nil {
		return nil, err
	}
	if k.set, err = wire.Decode[wire.VaultSet](signed.TBS); err != nil {
		return nil, err
	}
	k.lay()
	for name, p := range k.parts {
		if name == APIName {
			continue
		}
		if err := p.start("--create"); err != nil {
			return nil, errors.Join(err, k.Close())
		}
	}
	err = k.parts[APIName].start()
	if err == nil {
		err = k.Ready(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// openSet reads the folder of the vaults, or makes it.
func openSet(dir, profile string, limit int) (*spawn.Set, error) {
	policy := recovery.PolicyMerge
	if profile == recovery.ProfileSeed {
		policy = recovery.PolicyStrict
	}
	return spawn.Open(&spawn.Options{
		Dir: filepath.Join(dir, "vaults"), Profile: profile, Policy: policy, Limit: limit, Command: []string{childWord, roleVault},
	})
}

// lay says which processes there are.
func (k *Kit) lay() {
	part := func(name, role string, join bool, args ...string) {
		k.parts[name] = &process{name: name, join: join, log: k.o.Log, args: append([]string{role, "--dir", k.folder(name)}, args...)}
		if role == roleVault {
			k.links[name] = recovery.DialLink("unix", filepath.Join(k.folder(name), "vault.sock"))
		}
	}
	keys := "unix:" + filepath.Join(k.o.Dir, "vaults", "v1", "keys.sock")
	switch k.o.Profile {
	case recovery.ProfileSeed:
		part("v1", roleVault, false, "--id", "v1", "--keys-on", keys)
		part("v1-b", roleVault, false, "--id", "v1", "--replica", "b", "--keys-from", keys)
		part("v1-c", roleVault, false, "--id", "v1", "--replica", "c", "--keys-from", keys)
	default:
		for _, m := range k.set.Vaults {
			part(m.Vault, roleVault, true, "--id", m.Vault)
		}
		for _, m := range k.set.WitnessesOnly {
			part(m.Vault, roleWitness, true, "--id", m.Vault)
		}
	}
	k.parts[APIName] = &process{name: APIName, log: k.o.Log, args: []string{
		roleAPI, "--dir", k.o.Dir, "--profile", k.o.Profile, "--limit", fmt.Sprint(k.o.Limit),
	}}
	k.api = &apiClient{socket: filepath.Join(k.folder(APIName), apiSocket)}
}

// folder is where a part has its files.
func (k *Kit) folder(name string) string {
	if name == APIName {
		return filepath.Join(k.o.Dir, APIName)
	}
	return filepath.Join(k.o.Dir, "vaults", name)
}

// Parts are the names of all vaults and witnesses.
func (k *Kit) Parts() (names []string) {
	for name := range k.parts {
		if name != APIName {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Ready waits until all parts that were started answer, and count.
func (k *Kit) Ready(ctx context.Context, names ...string) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	if len(names) == 0 {
		names = append(k.Parts(), APIName)
	}
	for _, name := range names {
		if err := k.parts[name].joined(ctx); err != nil {
			return err
		}
		if l := k.links[name]; l != nil {
			err := again(ctx, func() error {
				b, err := l.Info(ctx)
				if err == nil && k.keys[b.Vault] == nil { // they stay what they are
					k.keys[b.Vault] = b
				}
				return err
			})
			if err != nil {
				return fmt.Errorf("insider: %s does not answer: %w", name, err)
			}
		}
		if name == APIName {
			if err := again(ctx, func() error { return k.api.do(ctx, "Ping", &None{}, &None{}) }); err != nil {
				return fmt.Errorf("insider: the API does not answer: %w", err)
			}
		}
	}
	return nil
}

// Joined waits until a witness counts, or ctx ends.
func (k *Kit) Joined(ctx context.Context, name string) error { return k.parts[name].joined(ctx) }

// Kill ends parts at once.
func (k *Kit) Kill(names ...string) error {
	var all sync.WaitGroup
	errs := make([]error, len(names))
	for i, name := range names {
		all.Go(func() { errs[i] = k.parts[name].kill() })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Start starts parts that were killed, and does not wait for them: see Ready.
func (k *Kit) Start(names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, k.parts[name].start())
	}
	return errors.Join(errs...)
}

// Restart kills parts, all before the first is started again, and waits until
// they count.
func (k *Kit) Restart(ctx context.Context, names ...string) error {
	if err := k.Kill(names...); err != nil {
		return err
	}
	if err := k.Start(names...); err != nil {
		return err
	}
	return k.Ready(ctx, names...)
}

// Freeze stops parts where they are.
func (k *Kit) Freeze(names ...string) error { return k.freeze(true, names) }

// Thaw lets them go on.
func (k *Kit) Thaw(names ...string) error { return k.freeze(false, names) }

func (k *Kit) freeze(on bool, names []string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, k.parts[name].freeze(on))
	}
	return errors.Join(errs...)
}

// Close ends all parts.
func (k *Kit) Close() error {
	for _, l := range k.links {
		l.Close() //nolint:errcheck // nobody waits for it
	}
	k.api.close()
	return k.Kill(append(k.Parts(), APIName)...)
}

// oneByOne lets many write whole lines.
type oneByOne struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *oneByOne) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(p)
}
