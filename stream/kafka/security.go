package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// ErrSecurity: TLS or the login at the brokers is not set up. The text names the
// file or the word, and what to do.
var ErrSecurity = errors.New("kafka: the way to the brokers")

// SystemRoots stands for the authorities that the machine trusts.
const SystemRoots = "system"

// The mechanisms of SASL: RFC 4616, and RFC 5802 with RFC 7677 and its like for
// SHA-512.
const (
	Plain       = "PLAIN"
	ScramSHA256 = "SCRAM-SHA-256"
	ScramSHA512 = "SCRAM-SHA-512"
)

// Security is how brokers are reached. The zero value is for brokers that anybody
// reaches, on a network of their own.
type Security struct {
	CAFile            string // in PEM, of the authorities of the brokers' certificates; SystemRoots; "": no TLS
	CertFile, KeyFile string // in PEM, of this client; "": it has none

	Mechanism    string // Plain, ScramSHA256 or ScramSHA512; "": no login
	User         string
	PasswordFile string // it is read again at each login
}

// Open reads the files. tls is nil without TLS, login without a mechanism.
func (s *Security) Open() (config *tls.Config, login sasl.Mechanism, err error) {
	if s.CAFile == "" && (s.CertFile != "" || s.KeyFile != "") {
		return nil, nil, fmt.Errorf("%w: a certificate of the client goes with TLS: name the brokers' authorities, or %q", ErrSecurity, SystemRoots)
	}
	if s.CAFile != "" {
		if config, err = s.tls(); err != nil {
			return nil, nil, err
		}
	}
	if login, err = s.login(); err != nil {
		return nil, nil, err
	}
	return config, login, nil
}

// tls is TLS 1.2 at least, with brokers whose certificate names the host that was
// dialled.
func (s *Security) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CAFile != SystemRoots {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSecurity, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: %s has no certificate in PEM", ErrSecurity, s.CAFile)
		}
	}
	if s.CertFile == "" && s.KeyFile == "" {
		return config, nil
	}
	own := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("%w: the client's certificate %q with the key %q: %w", ErrSecurity, s.CertFile, s.KeyFile, err)
		}
		return &pair, nil
	}
	if _, err := own(); err != nil {
		return nil, err
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own() } // it may have been renewed
	return config, nil
}

func (s *Security) login() (sasl.Mechanism, error) {
	switch {
	case s.Mechanism == "" && (s.User != "" || s.PasswordFile != ""):
		return nil, fmt.Errorf("%w: a user without a mechanism: choose %s, %s or %s", ErrSecurity, ScramSHA512, ScramSHA256, Plain)
	case s.Mechanism == "":
		return nil, nil
	case s.User == "":
		return nil, fmt.Errorf("%w: %s wants a user", ErrSecurity, s.Mechanism)
	case s.Mechanism == Plain && s.CAFile == "": // RFC 4616, Section 4: not without a data security layer
		return nil, fmt.Errorf("%w: %s sends the password as it is: use TLS, or %s", ErrSecurity, Plain, ScramSHA512)
	}
	if _, err := s.password(); err != nil {
		return nil, err
	}
	shake := func(context.Context) (scram.Auth, error) {
		p, err := s.password()
		return scram.Auth{User: s.User, Pass: p}, err
	}
	switch s.Mechanism {
	case Plain:
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			p, err := s.password()
			return plain.Auth{User: s.User, Pass: p}, err
		}), nil
	case ScramSHA256:
		return scram.Sha256(shake), nil
	case ScramSHA512:
		return scram.Sha512(shake), nil
	}
	return nil, fmt.Errorf("%w: there is no mechanism %q here: choose %s, %s or %s", ErrSecurity, s.Mechanism, ScramSHA512, ScramSHA256, Plain)
}

// password reads it, without the white space around it.
func (s *Security) password() (string, error) {
	b, err := os.ReadFile(s.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("%w: the password of %s: %w", ErrSecurity, s.User, err)
	}
	p := strings.TrimSpace(string(b))
	if p == "" {
		return "", fmt.Errorf("%w: %s is empty, and has the password of %s", ErrSecurity, s.PasswordFile, s.User)
	}
	return p, nil
}
