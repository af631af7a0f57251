package rpc

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
)

func purposeFromProto(p attestv1.Purpose) (registry.Purpose, error) {
	switch p {
	case attestv1.Purpose_PURPOSE_REGISTER:
		return registry.PurposeRegister, nil
	case attestv1.Purpose_PURPOSE_REQUEST:
		return registry.PurposeRequest, nil
	default:
		return "", errRequestf("purpose must be PURPOSE_REGISTER or PURPOSE_REQUEST")
	}
}

func challengeToProto(c *registry.IssuedChallenge) *attestv1.CreateChallengeResponse {
	return &attestv1.CreateChallengeResponse{
		Challenge: c.Challenge, ExpiresAt: timestamppb.New(c.ExpiresAt), ServerTime: timestamppb.New(c.ServerTime),
	}
}

func registrationFromProto(app account.AppID, m *attestv1.RegisterRequest) *registry.Registration {
	return &registry.Registration{
		App: app, Account: account.ID(m.GetAccount()), Challenge: m.GetChallenge(),
		AttestationObject: m.GetAttestationObject(), CertificateChain: m.GetCertificateChain().GetCertificates(),
		ClientData: m.GetClientData(), KeyID: keyIDFromApple(m.GetKeyId()), Replaces: m.GetReplaces(),
		Country: m.GetCountry(),
		Hints: registry.Hints{
			OSVersion: m.GetHints().GetOsVersion(), AppVersion: m.GetHints().GetAppVersion(), Model: m.GetHints().GetModel(),
		},
	}
}

// keyIDFromApple turns the base64 of DCAppAttestService.generateKey into our
// spelling of a key id, and leaves that alone.
func keyIDFromApple(id string) string {
	return strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(id, "="))
}

// registeredToProto tells why only to a backend.
func registeredToProto(r *registry.Registered, backend bool) *attestv1.RegisterResponse {
	m := &attestv1.RegisterResponse{Decision: decisionToProto(r.Decision), Advice: adviceToProto(r.Advice), KeyId: r.KeyID}
	if backend {
		m.EvidenceId, m.Stage = r.Evidence, r.Stage
		if r.Verdict != nil {
			m.Verdict = verdictToProto(*r.Verdict)
		}
	}
	return m
}

func decisionToProto(d registry.Decision) attestv1.Decision {
	if d == registry.Allow {
		return attestv1.Decision_DECISION_ALLOW
	}
	return attestv1.Decision_DECISION_DENY
}

// adviceToProto and its like rely on the enumeration having our names; a test
// walks all of them.
func adviceToProto(a registry.Advice) attestv1.Advice {
	return attestv1.Advice(attestv1.Advice_value["ADVICE_"+string(a)])
}

func tierToProto(t attest.Tier) attestv1.Tier {
	return attestv1.Tier(attestv1.Tier_value["TIER_"+strings.ToUpper(string(t))])
}

func stateToProto(s registry.State) attestv1.KeyState {
	return attestv1.KeyState(attestv1.KeyState_value["KEY_STATE_"+strings.ToUpper(string(s))])
}

func platformToProto(p string) attestv1.Platform {
	return attestv1.Platform(attestv1.Platform_value["PLATFORM_"+strings.ToUpper(p)])
}

func classToProto(c attest.Class) attestv1.FindingClass {
	return attestv1.FindingClass(attestv1.FindingClass_value["FINDING_CLASS_"+strings.ToUpper(string(c))])
}

func effectToProto(e attest.Effect) attestv1.Effect {
	return attestv1.Effect(attestv1.Effect_value["EFFECT_"+strings.ToUpper(string(e))])
}

// verdictToProto leaves the claims out: they may name the phone.
func verdictToProto(v attest.Verdict) *attestv1.Verdict {
	m := &attestv1.Verdict{
		Accept: v.Accept(), Tier: tierToProto(v.Tier), Format: string(v.Format),
		Policy: v.Policy, PolicyDigest: v.PolicyDigest, Rules: int32(v.Rules), At: timeToProto(v.At),
	}
	for _, f := range v.Findings {
		pf := &attestv1.Finding{Code: f.Code, Class: classToProto(f.Class), Effect: effectToProto(f.Effect), Detail: strings.ToValidUTF8(f.Detail, "?")}
		if f.Position != nil {
			pos := int32(*f.Position)
			pf.Position = &pos
		}
		m.Findings = append(m.Findings, pf)
	}
	return m
}

func keyToProto(k registry.Key) *attestv1.Key {
	m := &attestv1.Key{
		KeyId: k.ID, Account: string(k.Account), Platform: platformToProto(k.Platform), PublicKey: k.SPKI,
		Algorithm: k.Algorithm, Tier: tierToProto(k.Tier), State: stateToProto(k.State),
		ModelClass: strings.ToValidUTF8(k.Model, "?"), OsVersion: strings.ToValidUTF8(k.OS, "?"),
		PolicyDigest: k.PolicyDigest, EvidenceId: k.Evidence, RegisteredAt: timeToProto(k.RegisteredAt),
	}
	if !k.LastUsed.IsZero() {
		m.LastUsedDay = k.LastUsed.UTC().Format(time.DateOnly)
	}
	return m
}

func timeToProto(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
