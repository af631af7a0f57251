package fetchtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/appattest"
)

// Exchange is a call of Apple's half.
type Exchange struct {
	Environment appattest.Environment
	Team, KeyID string
	IssuedAt    time.Time // of the JWT
	Token       string    // the JWT
	Receipt     []byte
	Refused     string // why the call was answered 400 or 401 unseen; empty: SetExchange's function has answered
}

// Answer is what Apple's half answers.
type Answer struct {
	Status  int
	Receipt []byte      // sent as base64 with status 200
	Body    string      // sent when there is no Receipt
	Header  http.Header // Retry-After, for one
	Fault   Fault       // instead of all that
}

// NewAppleKey makes a key with which a team may ask, and returns it as the .p8
// file that Apple gives out.
func (s *Server) NewAppleKey(team, keyID string) (p8 []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[keyID] = appleKey{team, &key.PublicKey}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// RemoveAppleKey revokes a key.
func (s *Server) RemoveAppleKey(keyID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, keyID)
}

// SetExchange sets what answers the calls that are in order.
func (s *Server) SetExchange(answer func(Exchange) Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exchange = answer
}

// Exchanges are the calls so far, refused ones too.
func (s *Server) Exchanges() []Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.exchanges)
}

func (s *Server) serveExchange(w http.ResponseWriter, r *http.Request, env appattest.Environment) {
	e := Exchange{Environment: env, Token: r.Header.Get("Authorization")}
	status := http.StatusUnauthorized
	err := s.authenticate(&e)
	if err == nil {
		status = http.StatusBadRequest
		err = readReceipt(r, &e)
	}
	if err != nil {
		e.Refused = err.Error()
	}
	s.mu.Lock()
	s.exchanges = append(s.exchanges, e)
	answer := s.exchange
	s.mu.Unlock()
	if err != nil {
		http.Error(w, e.Refused, status)
		return
	}
	a := answer(e)
	body := a.Body
	if a.Receipt != nil {
		body = base64.StdEncoding.EncodeToString(a.Receipt)
	}
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	if fails(w, r, a.Fault, []byte(body)) {
		return
	}
	w.WriteHeader(a.Status)
	if a.Status != http.StatusNotModified {
		io.WriteString(w, body)
	}
}

// authenticate checks the JWT as Apple does: RFC 7515, Section 5.2, with ES256
// only; iss is the team of the key, and iat at most an hour old.
func (s *Server) authenticate(e *Exchange) error {
	s.mu.Lock()
	now := s.now()
	s.mu.Unlock()
	parts := strings.Split(e.Token, ".")
	if len(parts) != 3 {
		return errors.New("the Authorization is not a JWT of three parts")
	}
	var raw [3][]byte
	for i, part := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return fmt.Errorf("part %d of the JWT is not base64url without padding", i)
		}
	}
	var header map[string]string
	if err := json.Unmarshal(raw[0], &header); err != nil || header["alg"] != "ES256" {
		return errors.New("the header of the JWT does not say ES256")
	}
	var claims map[string]json.RawMessage
	var iat int64
	if json.Unmarshal(raw[1], &claims) != nil || json.Unmarshal(claims["iss"], &e.Team) != nil || json.Unmarshal(claims["iat"], &iat) != nil {
		return errors.New("the claims of the JWT have no iss, or no iat in seconds")
	}
	e.KeyID, e.IssuedAt = header["kid"], time.Unix(iat, 0).UTC()
	s.mu.Lock()
	key, known := s.keys[e.KeyID]
	s.mu.Unlock()
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	switch {
	case !known:
		return errors.New("the kid is of no key")
	case key.team != e.Team:
		return errors.New("the iss is not the team of the key")
	case len(raw[2]) != 64:
		return errors.New("the signature is not R and S of 32 octets each")
	case !ecdsa.Verify(key.public, digest[:], new(big.Int).SetBytes(raw[2][:32]), new(big.Int).SetBytes(raw[2][32:])):
		return errors.New("the signature is not of the key")
	case now.Sub(e.IssuedAt) > time.Hour:
		return errors.New("the iat is more than an hour ago")
	case e.IssuedAt.Sub(now) > 5*time.Minute:
		return errors.New("the iat is in the future")
	}
	return nil
}

func readReceipt(r *http.Request, e *Exchange) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 64<<10))
	if err != nil {
		return errors.New("the body cannot be read")
	}
	if e.Receipt, err = base64.StdEncoding.Strict().DecodeString(string(body)); err != nil || len(body) == 0 {
		return errors.New("the body is not the base64 of a receipt")
	}
	return nil
}
