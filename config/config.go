// Package config is the server's configuration: one TOML file, read strictly.
//
// A key that no field names, a value of the wrong type and a missing required
// key are errors that name the key and the line. Spelling counts, case
// included. Secrets are paths of files, never values; relative paths start at
// the folder of the configuration file. A key that is not required may be left
// out, and then has the value that the sample shows.
//
// The structs of this package are the documentation: [Sample] writes the commented
// sample from them, which is what `staunch config print` prints.
//
// An app is served with attestation alone until it has an rp_id. From then on it
// has accounts, and every value of their policy must be written: none of them
// has a default that nobody has looked at.
//
//	cfg, err := config.Load("staunch.toml")
//
// [Decode] reads any other file in the same strict way, such as the policy of
// package attest, and [Line] finds the line of a key for an error that a later
// check raises.
//
// The package reads no secret, opens no store and listens on nothing: it tells
// what is written, and the server tells whether that works.
package config

import "time"

// Config is the configuration file of a server.
type Config struct {
	// Address to listen on. An address that is not loopback needs
	// tls_cert_file and tls_key_file.
	Listen string `toml:"listen,required"`
	// Folder for the stores, one SQLite file an app. It is made when it is not
	// there, and one server at a time may use it.
	DataDir string `toml:"data_dir,required"`
	// Certificate chain in PEM, leaf first. Give both files or none; without
	// them the server speaks plain HTTP, on loopback only. SIGHUP reads them anew.
	TLSCertFile string `toml:"tls_cert_file"`
	// Private key of the certificate, in PEM.
	TLSKeyFile string `toml:"tls_key_file"`
	// Addresses of your own proxies in front of the server, such as "127.0.0.1" or
	// "10.0.0.0/8". Of whom they pass on they tell by X-Forwarded-For, which is
	// believed from them alone. Without them all who come through a proxy share the
	// limits of one network.
	TrustedProxies []string `toml:"trusted_proxies"`
	// Header in which they tell the country that a request comes from, as ISO 3166-1
	// alpha-2, such as "CF-IPCountry" or "CloudFront-Viewer-Country". It is believed
	// from trusted_proxies alone, each of which must overwrite what a client sends. A
	// phone in another country than its account's, or in one that they do not tell, is
	// a reason to hold a move, and alerts name the country. Let nobody but them reach
	// the server. "": no country is known.
	CountryHeader string `toml:"country_header"`
	// How long a stopping server waits for the calls that it is serving.
	ShutdownGrace Duration `toml:"shutdown_grace"`

	// What the server logs, to standard error: one line a call.
	Log Log `toml:"log"`
	// Attestation of phones.
	Attest Attest `toml:"attest"`
	// Recovery of sealing keys with a PIN, for the apps that have accounts.
	Recovery Recovery `toml:"recovery"`
	// The vaults that recovery needs.
	Vault Vault `toml:"vault"`
	// One table an app. An app has its own store, and nothing spans two apps.
	Apps []App `toml:"app,required"`

	file string // where Load has read it; empty: not by Load
	text []byte
}

// Log is what the server logs.
type Log struct {
	// "debug", "info", "warn" or "error".
	Level string `toml:"level"`
	// "text" or "json".
	Format string `toml:"format"`
}

// Attest is the attestation of phones, for all apps.
type Attest struct {
	// Policy and rollout file. Its [[app]] tables have the ids of the apps
	// below. SIGHUP reads it anew.
	PolicyFile string `toml:"policy_file,required"`
	// Where Android's revocation list is downloaded from, by https; the last
	// good list is kept in data_dir. Left out, it is Google's address, which
	// stands here. Nothing is downloaded when this is "", when status_list_file
	// is given instead, or when no app of the policy takes Android.
	StatusListURL string `toml:"status_list_url,silent"`
	// The same list from a file that somebody else keeps fresh: Google's JSON,
	// or a snapshot {"fetched_at", "list"}. SIGHUP reads it anew. It takes the
	// place of status_list_url: give one of them. Without a list every Android
	// phone is refused.
	StatusListFile string `toml:"status_list_file"`
	// How long the evidence of a registration is kept, so that its verdict can
	// be computed again. "0s" keeps none.
	EvidenceRetention Duration `toml:"evidence_retention"`
	// Keep evidence that names a phone (serial number, IMEI, MEID) as well.
	// Without it only the verdict of such evidence is kept.
	DangerousStoreDeviceIdentifiers bool `toml:"dangerous_store_device_identifiers"`
	// One table a team: the key with which Apple is asked for new receipts, which
	// tell a phone's risk metric. SIGHUP reads the keys anew. Without one Apple is
	// not asked.
	AppleKeys []AppleKey `toml:"apple_key"`
}

// AppleKey is a key of App Store Connect with the service DeviceCheck.
type AppleKey struct {
	// The team's id, as in the policy.
	TeamID string `toml:"team_id,required"`
	// The key's id.
	KeyID string `toml:"key_id,required"`
	// The .p8 file that App Store Connect gives out once.
	KeyFile string `toml:"key_file,required"`
}

// googleStatusURL is where Google publishes the list.
const googleStatusURL = "https://android.googleapis.com/attestation/status"

// Defaults is a configuration with the values of all keys that may be left out.
// It has no attest.status_list_url, which only a file gets by being silent: a
// program that makes its configuration itself downloads what it asks for.
func Defaults() Config {
	return Config{
		TrustedProxies: []string{},
		ShutdownGrace:  Duration{20 * time.Second},
		Log:            Log{Level: "info", Format: "text"},
		Recovery:       defaultRecovery(),
		Vault:          defaultVault(),
	}
}

// sample is what the sample file shows for the keys whose default is empty.
func sample() Config {
	c := Defaults()
	c.Listen = "127.0.0.1:8080"
	c.DataDir = "data"
	c.Attest.PolicyFile = "policy.toml"
	c.Attest.StatusListURL = googleStatusURL
	c.Attest.AppleKeys = []AppleKey{{TeamID: "A1B2C3D4E5", KeyID: "K1L2M3N4O5", KeyFile: "AuthKey_K1L2M3N4O5.p8"}}
	c.Apps = []App{sampleApp()}
	return c
}
