package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/staunchid/staunch/config"
)

func TestCheckRecovery(t *testing.T) {
	sample := sampleText(t)
	remote := strings.NewReplacer(`mode = "spawn"`, `mode = "remote"`, `# set_file = ""`, `set_file = "set"`, `# voucher_key_file = ""`, `voucher_key_file = "key"`,
		`replicas = []`, `replicas = ["v1/b=tcp:192.0.2.7:7443", "v2/a=unix:/run/v2.sock", "v3/a=vsock:16:7443"]`).Replace(sample)
	kafka := strings.NewReplacer(`kind = "wal"`, `kind = "kafka"`, `brokers = []`, `brokers = ["127.0.0.1:9092"]`).Replace(sample)
	topic := `topic = "staunch.recovery.records"`
	tests := []struct {
		name     string
		in       string
		old, new string
		want     string // in the message; empty: good
	}{
		{"remote vaults", remote, "", "", ""},
		{"Kafka", kafka, "", "", ""},
		{"profile", sample, `profile = "kr1-2of3"`, `profile = "kr1"`, `recovery.profile: "kr1" is none of`},
		{"none", sample, `profile = "kr1-2of3"`, `profile = "none"`, ""},
		{"seed", sample, `profile = "kr1-2of3"`, `profile = "seed"`, ""},
		{"policy", sample, `policy = "merge"`, `policy = "lax"`, `recovery.policy: "lax" is none of`},
		{"too few attempts", sample, `limit = 10`, `limit = 2`, "recovery.limit: 2 attempts"},
		{"too many attempts", sample, `limit = 10`, `limit = 51`, "recovery.limit: 51 attempts"},
		{"a short PIN", sample, `pin_min_length = 6`, `pin_min_length = 3`, "recovery.pin_min_length: 3 characters"},
		{"a long PIN", sample, `pin_min_length = 6`, `pin_min_length = 33`, "recovery.pin_min_length: 33 characters"},
		{"retry", sample, `kind = "wal"`, `kind = "redis"`, `recovery.retry.kind: "redis" is none of`},
		{"no attempts", sample, `max_attempts = 10000`, `max_attempts = 0`, "recovery.retry.max_attempts: 0 attempts"},
		{"stopped", sample, `rate = -1`, `rate = 0`, ""},
		{"a rate below", sample, `rate = -1`, `rate = -2`, "recovery.retry.rate: -2 a second"},
		{"an ignored key", sample, `ignore_keys = []`, `ignore_keys = ["demo/v1/0123456789abcdef0123456789abcdef"]`, ""},
		{"an ignored account", sample, `ignore_keys = []`, `ignore_keys = ["demo/v1/a_1"]`, `recovery.retry.ignore_keys[0]: "demo/v1/a_1" is no key`},
		{"an ignored vault", sample, `ignore_keys = []`, `ignore_keys = ["v1/0123456789abcdef0123456789abcdef"]`, `recovery.retry.ignore_keys[0]`},
		{"brokers without Kafka", sample, `brokers = []`, `brokers = ["127.0.0.1:9092"]`, "recovery.retry.brokers: is of Kafka"},
		{"Kafka without brokers", kafka, `["127.0.0.1:9092"]`, `[]`, "recovery.retry.brokers: Kafka needs"},
		{"a broker without a port", kafka, `"127.0.0.1:9092"`, `"127.0.0.1"`, `recovery.retry.brokers[0]: "127.0.0.1" is no address`},
		{"no topic", kafka, `"staunch.recovery.records"`, `""`, `recovery.retry.topic: "" is no topic`},
		{"a topic with a space", kafka, `"staunch.recovery.records"`, `"a b"`, `recovery.retry.topic: "a b" is no topic`},
		{"TLS", kafka, `# tls_ca_file = ""`, `tls_ca_file = "ca.pem"`, ""},
		{"the machine's authorities", kafka, `# tls_ca_file = ""`, `tls_ca_file = "system"`, ""},
		{"a login", kafka, `# sasl_mechanism = ""`, `sasl_mechanism = "SCRAM-SHA-512"
sasl_user = "staunch"
sasl_password_file = "password"
#`, ""},
		{"TLS without Kafka", sample, `# tls_ca_file = ""`, `tls_ca_file = "ca.pem"`, "recovery.retry.tls_ca_file: is of Kafka"},
		{"a login without Kafka", sample, `# sasl_mechanism = ""`, `sasl_mechanism = "PLAIN"`, "recovery.retry.sasl_mechanism: is of Kafka"},
		{"a certificate without its key", kafka, topic, topic + `
tls_cert_file = "c.pem"`, "recovery.retry.tls_cert_file: goes with tls_key_file"},
		{"a certificate without TLS", kafka, topic, topic + `
tls_cert_file = "c.pem"
tls_key_file = "k.pem"`, "recovery.retry.tls_ca_file: is missing"},
		{"a mechanism of nobody", kafka, `# sasl_mechanism = ""`, `sasl_mechanism = "OAUTH"`, `recovery.retry.sasl_mechanism: "OAUTH" is none of`},
		{"a password in the clear", kafka, `# sasl_mechanism = ""`, `sasl_mechanism = "PLAIN"
sasl_user = "staunch"
sasl_password_file = "password"
#`, `recovery.retry.sasl_mechanism: "PLAIN" sends the password as it is`},
		{"a login of nobody", kafka, `# sasl_mechanism = ""`, `sasl_mechanism = "SCRAM-SHA-512"`, "recovery.retry.sasl_user: goes with sasl_mechanism"},
		{"a user without a login", kafka, `# sasl_user = ""`, `sasl_user = "staunch"`, "recovery.retry.sasl_user: goes with"},
		{"a login without a password", kafka, `# sasl_mechanism = ""`, `sasl_mechanism = "SCRAM-SHA-512"
sasl_user = "staunch"
#`, "recovery.retry.sasl_password_file: goes with"},
		{"mode", sample, `mode = "spawn"`, `mode = "cloud"`, `vault.mode: "cloud" is none of`},
		{"freshness", sample, `freshness = "quorum"`, `freshness = "memory"`, `vault.freshness: "memory" is none of`},
		{"spawned with a TPM", sample, `freshness = "quorum"`, `freshness = "tpm"`, "vault.freshness: spawned vaults have no TPM"},
		{"remote with a TPM", remote, `freshness = "quorum"`, `freshness = "tpm"`, ""},
		{"amnesia", sample, `# on_total_amnesia = ""`, `on_total_amnesia = "hope"`, `vault.on_total_amnesia: "hope" is none of`},
		{"old evidence", sample, `evidence_max_age = "24h"`, `evidence_max_age = "25h"`, "vault.evidence_max_age: 25h"},
		{"no evidence", sample, `evidence_max_age = "24h"`, `evidence_max_age = "1m"`, "vault.evidence_max_age: 1m"},
		{"no time", sample, `timeout = "2s"`, `timeout = "1ms"`, "vault.timeout: 1ms"},
		{"all day", sample, `timeout = "2s"`, `timeout = "2m"`, "vault.timeout: 2m"},
		{"spawned with a set", sample, `# set_file = ""`, `set_file = "set"`, "vault.set_file: is of remote vaults"},
		{"spawned with replicas", sample, `replicas = []`, `replicas = ["v1/a=tcp:192.0.2.7:7443"]`, "vault.replicas: is of remote vaults"},
		{"spawned with witnesses", sample, `witnesses = []`, `witnesses = ["w1=tcp:192.0.2.7:7443"]`, "vault.witnesses: is of remote vaults"},
		{"remote without a set", remote, `set_file = "set"`, ``, "vault.set_file: remote vaults need"},
		{"remote without a voucher key", remote, `voucher_key_file = "key"`, ``, "vault.voucher_key_file: remote vaults need"},
		{"remote without replicas", remote, `"v1/b=tcp:192.0.2.7:7443", "v2/a=unix:/run/v2.sock", "v3/a=vsock:16:7443"`, ``, "vault.replicas: remote vaults need"},
		{"a replica without a name", remote, `"v1/b=tcp`, `"v1=tcp`, `vault.replicas[0]: "v1=tcp:192.0.2.7:7443" is no replica`},
		{"a replica without a port", remote, `"v1/b=tcp:192.0.2.7:7443"`, `"v1/b=tcp:192.0.2.7"`, "vault.replicas[0]:"},
		{"a replica by another network", remote, `"v1/b=tcp:`, `"v1/b=udp:`, "vault.replicas[0]:"},
		{"a vault in capitals", remote, `"v2/a=`, `"V2/a=`, "vault.replicas[1]:"},
		{"a witness without an address", remote, `witnesses = []`, `witnesses = ["w1"]`, `vault.witnesses[0]: "w1" is no witness`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(tt.in, tt.old) {
				t.Fatalf("%q is not in the sample", tt.old)
			}
			_, err := config.Parse([]byte(strings.Replace(tt.in, tt.old, tt.new, 1)))
			if (err == nil) != (tt.want == "") || err != nil && (!errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("err = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestRecoveryOn: with accounts, unless it is switched off; and for a program
// that makes its configuration itself, when it says so.
func TestRecoveryOn(t *testing.T) {
	c, err := config.Parse([]byte(sampleText(t)))
	if err != nil || !c.RecoveryOn() {
		t.Errorf("the sample: %v", err)
	}
	for _, profile := range []string{"none", ""} {
		if c.Recovery.Profile = profile; c.RecoveryOn() {
			t.Errorf("profile %q", profile)
		}
	}
	c.Recovery.Profile, c.Apps[0].RPID = "seed", ""
	if c.RecoveryOn() {
		t.Error("without accounts")
	}
}
