package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/streamtest"
)

// authority signs certificates for a test.
type authority struct {
	*testing.T
	dir  string
	file string // its certificate in PEM
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{T: t, dir: t.TempDir()}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	var der []byte
	der, a.key = a.sign(a.cert, nil)
	a.file = a.write("ca.pem", "CERTIFICATE", der)
	return a
}

// sign signs a certificate with the authority's key, or its own.
func (a *authority) sign(c *x509.Certificate, parent *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	a.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.Fatal(err)
	}
	signer := a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		a.Fatal(err)
	}
	return der, key
}

func (a *authority) write(name, kind string, der []byte) string {
	a.Helper()
	file := filepath.Join(a.dir, name)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.Fatal(err)
	}
	return file
}

// issue makes a certificate for a host, and its key.
func (a *authority) issue(name, host string) (certFile, keyFile string) {
	a.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter, DNSNames: []string{name}}
	if ip := net.ParseIP(host); ip != nil {
		c.IPAddresses = []net.IP{ip}
	}
	der, key := a.sign(c, a.cert)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.Fatal(err)
	}
	return a.write(name+".pem", "CERTIFICATE", der), a.write(name+"-key.pem", "PRIVATE KEY", pkcs8)
}

func (a *authority) secret(name, text string) string {
	a.Helper()
	file := filepath.Join(a.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		a.Fatal(err)
	}
	return file
}

// TestSecurityFiles: what cannot work is an error that names it, before any broker
// is asked.
func TestSecurityFiles(t *testing.T) {
	a := newAuthority(t)
	cert, key := a.issue("staunch", "")
	_, other := a.issue("other", "")
	password, empty := a.secret("password", "open sesame\n"), a.secret("empty", "\n")
	for _, tt := range []struct {
		name string
		s    Security
		tls  bool
		sasl string
		want string // in the error; empty: it is good
	}{
		{"nothing", Security{}, false, "", ""},
		{"TLS", Security{CAFile: a.file}, true, "", ""},
		{"the machine's authorities", Security{CAFile: SystemRoots}, true, "", ""},
		{"TLS and a certificate", Security{CAFile: a.file, CertFile: cert, KeyFile: key}, true, "", ""},
		{"SCRAM", Security{Mechanism: ScramSHA512, User: "u", PasswordFile: password}, false, ScramSHA512, ""},
		{"PLAIN with TLS", Security{CAFile: a.file, Mechanism: Plain, User: "u", PasswordFile: password}, true, Plain, ""},
		{"no such authority", Security{CAFile: a.file + "x"}, false, "", "ca.pemx: no such file"},
		{"an authority without a certificate", Security{CAFile: password}, false, "", "has no certificate in PEM"},
		{"a certificate without TLS", Security{CertFile: cert, KeyFile: key}, false, "", "goes with TLS"},
		{"another's key", Security{CAFile: a.file, CertFile: cert, KeyFile: other}, false, "", "private key does not match"},
		{"a certificate without a key", Security{CAFile: a.file, CertFile: cert}, false, "", "the client's certificate"},
		{"PLAIN without TLS", Security{Mechanism: Plain, User: "u", PasswordFile: password}, false, "", "sends the password as it is"},
		{"no mechanism", Security{User: "u", PasswordFile: password}, false, "", "a user without a mechanism"},
		{"no user", Security{Mechanism: ScramSHA256, PasswordFile: password}, false, "", "wants a user"},
		{"no password", Security{Mechanism: ScramSHA256, User: "u", PasswordFile: password + "x"}, false, "", "passwordx: no such file"},
		{"an empty password", Security{Mechanism: ScramSHA256, User: "u", PasswordFile: empty}, false, "", "is empty"},
		{"a mechanism of nobody", Security{Mechanism: "OAUTH", User: "u", PasswordFile: password}, false, "", `no mechanism "OAUTH"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config, login, err := tt.s.Open()
			if tt.want != "" {
				if !errors.Is(err, ErrSecurity) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "sesame") {
					t.Errorf("%v, want %q", err, tt.want)
				}
				return
			}
			if err != nil || (config != nil) != tt.tls || (login != nil) != (tt.sasl != "") || login != nil && login.Name() != tt.sasl {
				t.Errorf("%v, %v, %v", config, login, err)
			}
			if config != nil && (config.MinVersion < tls.VersionTLS12 || config.InsecureSkipVerify) {
				t.Error("TLS that proves nothing")
			}
		})
	}
}

// TestSecureBrokers: over TLS and with a password, against brokers in memory; and
// not with another password, nor where another authority is trusted.
func TestSecureBrokers(t *testing.T) {
	a := newAuthority(t)
	cert, key := a.issue("broker", "127.0.0.1")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}), kfake.EnableSASL(),
		kfake.Superuser(Plain, "staunch", "open sesame"), kfake.Superuser(ScramSHA256, "staunch", "open sesame"), kfake.Superuser(ScramSHA512, "staunch", "open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	right, wrong := a.secret("right", "open sesame\n"), a.secret("wrong", "open barley\n")
	for _, mechanism := range []string{Plain, ScramSHA256, ScramSHA512} {
		t.Run(mechanism, func(t *testing.T) {
			s := secure(t, c.ListenAddrs(), &Security{CAFile: a.file, Mechanism: mechanism, User: "staunch", PasswordFile: right})
			streamtest.Enqueue(t, s, streamtest.Record(7, 1, 1))
		})
	}
	refused(t, c.ListenAddrs(), &Security{CAFile: a.file, Mechanism: ScramSHA512, User: "staunch", PasswordFile: wrong}, "no broker of") // this one hangs up
	refused(t, c.ListenAddrs(), &Security{CAFile: newAuthority(t).file, Mechanism: ScramSHA512, User: "staunch", PasswordFile: right}, "unknown authority")
}

// secure opens a stream with a topic of its own.
func secure(t *testing.T, brokers []string, way *Security) *Stream {
	t.Helper()
	config, login, err := way.Open()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(&Options{Brokers: brokers, Topic: "t" + strings.ToLower(rand.Text()), Partitions: 3, TLS: config, SASL: login, Stream: stream.Options{Rate: -1}, testingOnlySession: 6 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func refused(t *testing.T, brokers []string, way *Security, why string) {
	t.Helper()
	if err := secure(t, brokers, way).Check(t.Context()); err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("%v, want %q", err, why)
	}
}
