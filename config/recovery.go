package config

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// Recovery brings sealing keys back with a PIN, for all apps that have accounts.
type Recovery struct {
	// "kr1-2of3": the PIN never leaves the phone, and two of three vaults are
	// needed. "kr1-single": the same with one vault. "seed": one enclave learns the
	// PIN. "none": nothing is brought back by a PIN. A store keeps the profile that
	// it began with.
	Profile string `toml:"profile"`
	// "merge": a record that storage had lost an update of is filled in from the
	// vaults' own marks. "strict": it is refused until the update has landed.
	// Profile seed is always strict.
	Policy string `toml:"policy"`
	// Attempts at a PIN until it is locked for ever: 3 to 50.
	Limit int `toml:"limit"`
	// The fewest characters of a new PIN: 4 to 32.
	PINMinLength int `toml:"pin_min_length"`
	// What could not be stored is stored later. It never lies in the store whose
	// failure it repairs.
	Retry Retry `toml:"retry"`
}

// Retry is where records wait until their store takes them.
type Retry struct {
	// "wal": files in data_dir. "kafka": a topic, which several servers share.
	Kind string `toml:"kind"`
	// After so many attempts, about a week's, an entry is a dead letter, and
	// `staunch recovery dlq` shows it.
	MaxAttempts int `toml:"max_attempts"`
	// How many records are stored a second, at most. -1 is no limit; 0 stops: they
	// are kept, and none is stored.
	Rate int `toml:"rate"`
	// Keys that are not tried, because their record breaks something, as the log
	// writes them: "APP/VAULT/ACCOUNT". Their entries become dead letters at once.
	IgnoreKeys []string `toml:"ignore_keys"`
	// Addresses of Kafka brokers.
	Brokers []string `toml:"brokers"`
	// The topic; TOPIC-retry and TOPIC-dlq are used as well.
	Topic string `toml:"topic"`
	// Authorities, in PEM, that have signed the brokers' certificates, or "system" for
	// those that this machine trusts. "": no TLS, for brokers on a network of their own.
	TLSCAFile string `toml:"tls_ca_file"`
	// Certificate of this server, in PEM, where brokers want one.
	TLSCertFile string `toml:"tls_cert_file"`
	// Its private key, in PEM.
	TLSKeyFile string `toml:"tls_key_file"`
	// "SCRAM-SHA-512" or "SCRAM-SHA-256", or, with TLS only, "PLAIN". "": no login.
	// SCRAM without TLS lets whoever listens guess the password offline, as fast as he
	// can compute: give tls_ca_file, or a password of 128 random bits.
	SASLMechanism string `toml:"sasl_mechanism"`
	// Who logs in.
	SASLUser string `toml:"sasl_user"`
	// Its password, alone in a file, which is read at each login.
	SASLPasswordFile string `toml:"sasl_password_file"`
}

// SystemRoots stands for the authorities that the machine trusts.
const SystemRoots = "system"

// Vault is where the vaults are, and what they keep their counts by.
type Vault struct {
	// "spawn": `staunch serve` starts them as processes of its own, which are NOT
	// in trusted hardware. "remote": they run elsewhere, see replicas.
	Mode string `toml:"mode"`
	// "quorum": counts live in the memories of four witnesses. "tpm": of one, and
	// in the state that a TPM counts the starts of. Profile seed has "memory".
	Freshness string `toml:"freshness"`
	// What follows when all witnesses have forgotten. "checkpoint": their files
	// bring the counts back. "ceremony": the vaults wait for release keys to sign.
	// "tpm": the sealed state does. "": checkpoint for processes, ceremony for
	// trusted hardware.
	OnTotalAmnesia string `toml:"on_total_amnesia"`
	// How old a vault's evidence may be.
	EvidenceMaxAge Duration `toml:"evidence_max_age"`
	// How long a vault may take to answer before the next replica is asked.
	Timeout Duration `toml:"timeout"`
	// The signed vault set. Required for remote vaults; spawned ones have one that
	// the server signs, in data_dir.
	SetFile string `toml:"set_file"`
	// Ed25519 private key in PEM that signs vouchers, as `staunch config new-key`
	// makes it. "": made at the first start in data_dir, for spawned vaults alone.
	VoucherKeyFile string `toml:"voucher_key_file"`
	// Remote replicas, as "VAULT/NAME=ADDRESS": "v1/a=tcp:192.0.2.5:7443". Over tcp
	// both ends prove a key: link.key in data_dir is this server's.
	Replicas []string `toml:"replicas"`
	// Remote witnesses that are no vaults, as "NAME=ADDRESS": all that the vault set
	// names. With spawned vaults this server is the fourth one itself.
	Witnesses []string `toml:"witnesses"`
}

// The profiles of recovery.
const (
	ProfileNone   = "none"
	ProfileSeed   = "seed"
	ProfileSingle = "kr1-single"
	Profile2of3   = "kr1-2of3"
)

// RecoveryOn reports whether anything is brought back: some app has accounts, and
// the profile is not "none".
func (c *Config) RecoveryOn() bool {
	return c.Recovery.Profile != "" && c.Recovery.Profile != ProfileNone && slices.ContainsFunc(c.Apps, func(a App) bool { return a.HasAccounts() })
}

func defaultRecovery() Recovery {
	return Recovery{
		Profile: Profile2of3, Policy: "merge", Limit: 10, PINMinLength: 6,
		Retry: Retry{Kind: "wal", MaxAttempts: 10000, Rate: -1, IgnoreKeys: []string{}, Brokers: []string{}, Topic: "staunch.recovery.records"},
	}
}

func defaultVault() Vault {
	return Vault{
		Mode: "spawn", Freshness: "quorum", EvidenceMaxAge: Duration{24 * time.Hour}, Timeout: Duration{2 * time.Second},
		Replicas: []string{}, Witnesses: []string{},
	}
}

// checkRecovery judges [recovery] and [vault].
func (c *Config) checkRecovery(bad report) {
	oneOf := func(bad report, key, value string, words ...string) bool {
		if slices.Contains(words, value) {
			return true
		}
		bad(key, "%q is none of %s", value, `"`+strings.Join(words, `", "`)+`"`)
		return false
	}
	r, of := &c.Recovery, bad.below("recovery")
	oneOf(of, "profile", r.Profile, Profile2of3, ProfileSingle, ProfileSeed, ProfileNone)
	oneOf(of, "policy", r.Policy, "merge", "strict")
	if r.Limit < 3 || r.Limit > 50 {
		of("limit", "%d attempts; write 3 to 50", r.Limit)
	}
	if r.PINMinLength < 4 || r.PINMinLength > 32 {
		of("pin_min_length", "%d characters; write 4 to 32", r.PINMinLength)
	}
	r.Retry.check(oneOf, of.below("retry"))
	v, of := &c.Vault, bad.below("vault")
	oneOf(of, "mode", v.Mode, "spawn", "remote")
	oneOf(of, "freshness", v.Freshness, "quorum", "tpm")
	oneOf(of, "on_total_amnesia", v.OnTotalAmnesia, "", "checkpoint", "ceremony", "tpm")
	if v.EvidenceMaxAge.Duration < time.Hour || v.EvidenceMaxAge.Duration > 24*time.Hour {
		of("evidence_max_age", `%s; write "1h" to "24h"`, v.EvidenceMaxAge)
	}
	if v.Timeout.Duration < 100*time.Millisecond || v.Timeout.Duration > time.Minute {
		of("timeout", `%s; write "100ms" to "1m"`, v.Timeout)
	}
	for i, text := range v.Replicas {
		vault, name, ok := strings.Cut(beforeAddress(text), "/")
		if !ok || !validVaultID(vault) || !validVaultID(name) || !validVaultAddress(text) {
			of(fmt.Sprintf("replicas[%d]", i), `%q is no replica; write "VAULT/NAME=ADDRESS", such as "v1/a=tcp:192.0.2.5:7443"`, text)
		}
	}
	for i, text := range v.Witnesses {
		if !validVaultID(beforeAddress(text)) || !validVaultAddress(text) {
			of(fmt.Sprintf("witnesses[%d]", i), `%q is no witness; write "NAME=ADDRESS", such as "w1=tcp:192.0.2.9:7443"`, text)
		}
	}
	v.checkMode(of)
}

// checkMode judges what remote vaults need, and spawned ones do not take.
func (v *Vault) checkMode(bad report) {
	if v.Mode == "remote" {
		if v.SetFile == "" {
			bad("set_file", "remote vaults need the signed vault set")
		}
		if v.VoucherKeyFile == "" {
			bad("voucher_key_file", "remote vaults need the key that signs vouchers; `staunch config new-key FILE` makes one")
		}
		if len(v.Replicas) == 0 {
			bad("replicas", "remote vaults need their addresses")
		}
		return
	}
	for key, set := range map[string]bool{"set_file": v.SetFile != "", "replicas": len(v.Replicas) > 0, "witnesses": len(v.Witnesses) > 0} {
		if set {
			bad(key, `is of remote vaults; write mode = "remote", or leave it out`)
		}
	}
	if v.Freshness == "tpm" || v.OnTotalAmnesia == "tpm" {
		bad("freshness", "spawned vaults have no TPM")
	}
}

func (r *Retry) check(oneOf func(bad report, key, value string, words ...string) bool, bad report) {
	oneOf(bad, "kind", r.Kind, "wal", "kafka")
	if r.MaxAttempts < 1 {
		bad("max_attempts", "%d attempts; write at least 1", r.MaxAttempts)
	}
	if r.Rate < -1 {
		bad("rate", "%d a second; write -1 for no limit, 0 to stop, or a number", r.Rate)
	}
	for i, k := range r.IgnoreKeys {
		parts := strings.Split(k, "/")
		if len(parts) != 3 || parts[0] == "" || !validVaultID(parts[1]) || len(parts[2]) != 32 || strings.Trim(parts[2], "0123456789abcdef") != "" {
			bad(fmt.Sprintf("ignore_keys[%d]", i), `%q is no key; write "APP/VAULT/ACCOUNT" as the log has it, the account in 32 hex digits`, k)
		}
	}
	if r.Kind != "kafka" {
		for _, k := range []struct {
			key string
			set bool
		}{
			{"brokers", len(r.Brokers) > 0}, {"tls_ca_file", r.TLSCAFile != ""}, {"tls_cert_file", r.TLSCertFile != ""}, {"tls_key_file", r.TLSKeyFile != ""},
			{"sasl_mechanism", r.SASLMechanism != ""}, {"sasl_user", r.SASLUser != ""}, {"sasl_password_file", r.SASLPasswordFile != ""},
		} {
			if k.set {
				bad(k.key, `is of Kafka; write kind = "kafka", or leave it out`)
			}
		}
		return
	}
	r.checkSecurity(oneOf, bad)
	if len(r.Brokers) == 0 {
		bad("brokers", `Kafka needs the address of a broker at least, such as ["127.0.0.1:9092"]`)
	}
	for i, b := range r.Brokers {
		if _, _, err := net.SplitHostPort(b); err != nil {
			bad(fmt.Sprintf("brokers[%d]", i), `%q is no address; write HOST:PORT`, b)
		}
	}
	if r.Topic == "" || len(r.Topic) > 200 || strings.Trim(r.Topic, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
		bad("topic", `%q is no topic; write letters, digits, ".", "_" and "-"`, r.Topic)
	}
}

// checkSecurity judges the way to the brokers; whether the files are good, the server
// sees when it starts.
func (r *Retry) checkSecurity(oneOf func(bad report, key, value string, words ...string) bool, bad report) {
	if (r.TLSCertFile == "") != (r.TLSKeyFile == "") {
		bad("tls_cert_file", "goes with tls_key_file: write both, or none")
	}
	if r.TLSCertFile != "" && r.TLSCAFile == "" {
		bad("tls_ca_file", `is missing: the server's own certificate goes with TLS; name the brokers' authorities, or "system"`)
	}
	if !oneOf(bad, "sasl_mechanism", r.SASLMechanism, "", "SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN") {
		return
	}
	login := r.SASLMechanism != ""
	switch {
	case r.SASLMechanism == "PLAIN" && r.TLSCAFile == "":
		bad("sasl_mechanism", `"PLAIN" sends the password as it is; write tls_ca_file, or take "SCRAM-SHA-512"`)
	case login != (r.SASLUser != ""):
		bad("sasl_user", "goes with sasl_mechanism: write both, or none")
	case login != (r.SASLPasswordFile != ""):
		bad("sasl_password_file", "goes with sasl_mechanism: write both, or none")
	}
}

func beforeAddress(text string) string { before, _, _ := strings.Cut(text, "="); return before }

// validVaultID follows recovery's vault-id.
func validVaultID(id string) bool {
	return len(id) > 0 && len(id) <= 32 && id[0] != '-' && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// validVaultAddress reports whether what follows "=" is an address of a vault.
func validVaultAddress(text string) bool {
	_, addr, _ := strings.Cut(text, "=")
	network, at, _ := strings.Cut(addr, ":")
	switch network {
	case "unix":
		return at != ""
	case "tcp", "vsock":
		_, port, err := net.SplitHostPort(at)
		return err == nil && port != ""
	}
	return false
}
