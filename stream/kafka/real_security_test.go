//go:build unix

package kafka

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/staunchid/staunch/stream/streamtest"
)

// TestSecureBroker: a real broker that wants TLS, a certificate and a password.
func TestSecureBroker(t *testing.T) {
	jars := jars(t)
	a := newAuthority(t)
	cert, key := a.issue("broker", "127.0.0.1")
	own, ownKey := a.issue("staunch", "")
	join := func(files ...string) (file string) {
		t.Helper()
		var all []byte
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		file = filepath.Join(a.dir, "store.pem")
		if err := os.WriteFile(file, all, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	b := newBrokerWith(t, jars, "SASL_SSL", strings.NewReplacer("KEYSTORE", join(key, cert), "CA", a.file).Replace(`
ssl.keystore.type=PEM
ssl.keystore.location=KEYSTORE
ssl.truststore.type=PEM
ssl.truststore.location=CA
listener.name.sasl_ssl.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="staunch" password="open sesame";
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="staunch" password="open sesame" user_staunch="open sesame";
`), "--add-scram", `SCRAM-SHA-512=[name="staunch",password="open sesame"]`)
	brokers := []string{b.addr}
	way := func(change func(*Security)) *Security {
		s := &Security{CAFile: a.file, CertFile: own, KeyFile: ownKey, Mechanism: ScramSHA512, User: "staunch", PasswordFile: a.secret("right", "open sesame\n")}
		if change != nil {
			change(s)
		}
		return s
	}
	for _, mechanism := range []string{ScramSHA512, Plain} {
		t.Run(mechanism, func(t *testing.T) {
			s := secure(t, brokers, way(func(s *Security) { s.Mechanism = mechanism }))
			store := streamtest.NewStore(nil)
			streamtest.Enqueue(t, s, streamtest.Record(7, 1, 1))
			streamtest.Run(t, s, store.Apply)
			store.Wait(t, "the record is stored", func() bool { return store.Ver(7) == 1 })
		})
	}
	refused(t, brokers, way(func(s *Security) { s.PasswordFile = a.secret("wrong", "open barley") }), "refuse the user or its password")
	refused(t, brokers, way(func(s *Security) { s.CAFile = newAuthority(t).file }), "unknown authority")
	if err := secure(t, brokers, way(func(s *Security) { s.CertFile, s.KeyFile = "", "" })).Check(t.Context()); err == nil {
		t.Error("without a certificate one is let in")
	}
	if err := secure(t, brokers, &Security{}).Check(t.Context()); err == nil || errors.Is(err, ErrSecurity) {
		t.Errorf("without TLS: %v", err)
	}
}
