package rpc

import (
	"strings"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
)

// requestFromProto changes nothing: a text that was normalised on its way would
// not be what the phone signed.
func requestFromProto(app account.AppID, m *attestv1.VerifyRequestRequest) *registry.RequestCheck {
	return &registry.RequestCheck{
		App: app, Account: account.ID(m.GetAccount()), Country: m.GetCountry(),
		Message: &request.Message{
			Method: m.GetMethod(), Authority: m.GetAuthority(), Path: m.GetPath(), Query: m.GetQuery(), Fields: m.GetFields(),
			SignatureInput: m.GetSignatureInput(), Signature: m.GetSignature(),
			HasBody: m.GetHasBody(), BodySHA256: m.GetBodySha256(), BodySHA512: m.GetBodySha512(), BodyMembers: m.GetBodyMembers(),
		},
	}
}

func requestVerdictToProto(v *registry.RequestVerdict) *attestv1.VerifyRequestResponse {
	m := &attestv1.VerifyRequestResponse{
		Decision: decisionToProto(v.Decision), Advice: adviceToProto(v.Advice), Stage: v.Stage, Verdict: verdictToProto(*v.Verdict),
	}
	if k := v.Key; k != nil {
		m.Key = &attestv1.VerifiedKey{
			KeyId: k.ID, Account: string(k.Account), Platform: platformToProto(k.Platform),
			Tier: tierToProto(k.Tier), RegisteredAt: timeToProto(k.RegisteredAt),
		}
	}
	return m
}

func filterFromProto(m *attestv1.ListKeysRequest) (registry.KeyFilter, error) {
	f := registry.KeyFilter{Account: account.ID(m.GetAccount()), Serial: m.GetSerial(), Model: m.GetModel(), After: m.GetPageToken()}
	if m.GetState() == attestv1.KeyState_KEY_STATE_UNSPECIFIED {
		return f, nil
	}
	name, ok := attestv1.KeyState_name[int32(m.GetState())]
	if !ok {
		return f, errRequestf("there is no state %d", m.GetState())
	}
	f.State = registry.State(strings.ToLower(strings.TrimPrefix(name, "KEY_STATE_")))
	return f, nil
}
