package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/attesttest"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
)

// account is whose phone it is.
const account = "a_demodemodemodemodemodemode"

// phone is a software phone with one key.
type phone struct {
	platform string
	evidence *attestv1.RegisterRequest // once there is a key
	sign     func(now time.Time, r *http.Request, opts ...attesttest.RequestOption) error
}

func newPhone(platform string) (*phone, error) {
	if platform != "android" && platform != "apple" {
		return nil, fmt.Errorf("-platform is android or apple, not %q", platform)
	}
	return &phone{platform: platform}, nil
}

// attest makes the key, and the evidence that it was made for the challenge.
func (p *phone) attest(challenge []byte) error {
	now := time.Now()
	p.evidence = &attestv1.RegisterRequest{App: attesttest.DemoApp, Account: account, Challenge: challenge}
	if p.platform == "android" {
		ca, err := attesttest.TestAndroidCA(now)
		if err != nil {
			return err
		}
		key, err := ca.Phone().GenerateKey(now, challenge)
		if err != nil {
			return err
		}
		p.evidence.Evidence = &attestv1.RegisterRequest_CertificateChain{CertificateChain: &attestv1.CertificateChain{Certificates: key.Chain()}}
		p.sign = key.SignRequest
		return nil
	}
	ca, err := attesttest.TestAppleCA(now)
	if err != nil {
		return err
	}
	key, hash := ca.Phone().GenerateKey(), sha256.Sum256(challenge)
	object, err := key.Attest(now, hash[:])
	if err != nil {
		return err
	}
	p.evidence.Evidence = &attestv1.RegisterRequest_AttestationObject{AttestationObject: object}
	p.evidence.KeyId = base64.RawURLEncoding.EncodeToString(key.ID())
	p.sign = key.SignRequest
	return nil
}

// register does what docs/api.md describes: the backend gets a challenge for the
// account, and the phone sends its evidence.
func (p *phone) register(staunch, tokenFile string) error {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return fmt.Errorf("-token: %w: it is in the folder of `staunch dev --dir`", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	service := attestv1connect.NewAttestServiceClient(http.DefaultClient, staunch)

	ask := connect.NewRequest(&attestv1.CreateChallengeRequest{App: attesttest.DemoApp, Account: account, Purpose: attestv1.Purpose_PURPOSE_REGISTER})
	ask.Header().Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	challenge, err := service.CreateChallenge(ctx, ask)
	if err != nil {
		if connect.CodeOf(err) == connect.CodeUnavailable {
			return fmt.Errorf("%w: does `staunch dev` run? -staunch URL says where; this was %s", err, staunch)
		}
		return fmt.Errorf("create challenge: %w", err)
	}
	if err := p.attest(challenge.Msg.GetChallenge()); err != nil {
		return err
	}
	out, err := service.Register(ctx, connect.NewRequest(p.evidence))
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	if out.Msg.GetDecision() != attestv1.Decision_DECISION_ALLOW {
		return errors.New("register: refused with " + out.Msg.GetAdvice().String())
	}
	return nil
}
