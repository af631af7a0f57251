package server

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/remote"
	"github.com/staunchid/staunch/recovery/spawn"
	"github.com/staunchid/staunch/store/sqlite"
)

// linkKeyFile proves to vaults on other machines that this server may call. It is
// in data_dir, and its public half with each vault.
const linkKeyFile = "link.key"

// vaults are those of this machine, or elsewhere.
type vaults interface {
	Signed() []byte           // the vault set
	Vaults() []recovery.Vault // the ways to them
	// Run keeps them, or the ways to them, until the context ends.
	Run(context.Context) error
	// Ready waits until each answers.
	Ready(context.Context) error
}

// openVaults opens what [vault] names. The key signs vouchers.
func (s *Server) openVaults() (vaults, ed25519.PrivateKey, error) {
	vouchers, err := s.voucherKey()
	if err != nil {
		return nil, nil, err
	}
	records, err := s.anyRecords()
	if err != nil {
		return nil, nil, err
	}
	if s.cfg.Vault.Mode == "remote" {
		set, err := openRemote(s.cfg)
		if err != nil {
			return nil, nil, err
		}
		return set, vouchers, nil
	}
	if len(s.vaultCommand) == 0 {
		return nil, nil, errors.New(`server: options: VaultCommand is required, for the configuration has [recovery]; or write profile = "none" there`)
	}
	set, err := spawn.Open(&spawn.Options{
		Dir: filepath.Join(s.cfg.DataDir, "vaults"), Profile: s.cfg.Recovery.Profile, Policy: s.recoveryPolicy(), Limit: s.cfg.Recovery.Limit,
		OnAmnesia: s.cfg.Vault.OnTotalAmnesia, Vouchers: vouchers, Records: records, Command: s.vaultCommand,
		LogArgs: []string{"--log-level", s.cfg.Log.Level, "--log-format", s.cfg.Log.Format}, Stderr: s.vaultLog, Logger: s.log, Now: s.now,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("server: %w", err)
	}
	return set, set.Vouchers(), nil
}

// openRemote opens the ways to vaults that others run.
func openRemote(cfg *config.Config) (*remote.Set, error) {
	v := &cfg.Vault
	o := &remote.Options{SetFile: v.SetFile, Profile: cfg.Recovery.Profile, Limit: cfg.Recovery.Limit, Replicas: v.Replicas}
	for _, text := range v.Replicas {
		if _, address, _ := strings.Cut(text, "="); strings.HasPrefix(address, "tcp:") && o.Key == nil {
			file := filepath.Join(cfg.DataDir, linkKeyFile)
			key, err := release.ReadKey(file)
			if err != nil {
				return nil, cfg.Wrong("vault.replicas", "vaults on other machines want a link key: `staunch config new-key %s` makes it, and %s.pub goes to each of them as --host-key: %v", file, file, err)
			}
			o.Key = key
		}
	}
	set, err := remote.Open(o)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	for _, id := range set.Witnesses() {
		if witnessAddress(cfg, id) == "" {
			return nil, cfg.Wrong("vault.witnesses", "the vault set names the witness %s: run it with `staunch vault witness`, and write its address: %s=tcp:HOST:PORT", id, id)
		}
	}
	return set, nil
}

// witnessAddress is where a remote witness is; empty: it is not listed.
func witnessAddress(cfg *config.Config, id string) string {
	for _, text := range cfg.Vault.Witnesses {
		if name, address, _ := strings.Cut(text, "="); name == id {
			return address
		}
	}
	return ""
}

// anyRecords reports whether a store has records of vaults, and refuses those of
// another profile.
func (s *Server) anyRecords() (any bool, err error) {
	for _, a := range s.apps {
		err := a.store.View(context.Background(), func(tx *sqlite.Tx) error {
			profile, found, err := tx.AnyRecovery(context.Background())
			if err != nil {
				return err
			}
			any = any || found
			if found && profile != s.cfg.Recovery.Profile {
				return s.cfg.Wrong("recovery.profile", "the store of app %s has records of profile %q, and a store never holds those of two profiles: put it back", a.id, profile)
			}
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	return any, nil
}

// warnOff says which stores have PINs that nothing answers while recovery is off.
func (s *Server) warnOff() error {
	for _, a := range s.apps {
		err := a.store.View(context.Background(), func(tx *sqlite.Tx) error {
			profile, found, err := tx.AnyRecovery(context.Background())
			if found {
				s.log.Warn("recovery is off, and people have set PINs: none of them brings anything back until recovery.profile is what it was", "app", a.id, "profile", profile)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("server: app %s: %w", a.id, err)
		}
	}
	return nil
}

// voucherKey reads the key that the configuration names. nil: it names none.
func (s *Server) voucherKey() (ed25519.PrivateKey, error) {
	file := s.cfg.Vault.VoucherKeyFile
	if file == "" {
		return nil, nil
	}
	key, err := release.ReadKey(file)
	if err != nil {
		return nil, s.cfg.Wrong("vault.voucher_key_file", "%v; `staunch config new-key` makes such a key", err)
	}
	return key, nil
}
