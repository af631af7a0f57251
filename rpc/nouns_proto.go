package rpc

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/integrity"
)

// accountStateToProto and its like rely on the enumerations having our names; a
// test walks all of them.
func accountStateToProto(s account.State) accountv1.State {
	return accountv1.State(accountv1.State_value["STATE_"+strings.ToUpper(s.String())])
}

func assuranceToProto(c account.Class) accountv1.Class {
	return accountv1.Class(accountv1.Class_value["CLASS_"+strings.ToUpper(c.String())])
}

// assuranceFromProto gives NoClass, which nobody meets, for what is no class.
func assuranceFromProto(c accountv1.Class) account.Class {
	for out := account.AnonymousClass; out <= account.Bound; out++ {
		if assuranceToProto(out) == c {
			return out
		}
	}
	return account.NoClass
}

func phoneToProto(platform string) accountv1.Platform {
	return accountv1.Platform(accountv1.Platform_value["PLATFORM_"+strings.ToUpper(platform)])
}

func phoneFromProto(p accountv1.Platform) string {
	switch p {
	case accountv1.Platform_PLATFORM_ANDROID:
		return "android"
	case accountv1.Platform_PLATFORM_IOS:
		return "ios"
	default:
		return ""
	}
}

func sessionKindToProto(k account.SessionKind) accountv1.SessionKind {
	return accountv1.SessionKind(accountv1.SessionKind_value["SESSION_KIND_"+strings.ToUpper(string(k))])
}

func passkeyStateToProto(s account.CredentialState) accountv1.PasskeyState {
	return accountv1.PasskeyState(accountv1.PasskeyState_value["PASSKEY_STATE_"+strings.ToUpper(string(s))])
}

func holdReasonToProto(r account.HoldReason) accountv1.HoldReason {
	return accountv1.HoldReason(accountv1.HoldReason_value["HOLD_REASON_"+strings.ToUpper(string(r))])
}

// holdToProto gives nil for the zero Hold, which is none.
func holdToProto(h account.Hold) *accountv1.Hold {
	if h.Reason == "" {
		return nil
	}
	m := &accountv1.Hold{Reason: holdReasonToProto(h.Reason), Since: timeToProto(h.Since), Until: timeToProto(h.Until)}
	if h.Until.IsZero() {
		m.Left = durationpb.New(h.Left)
	}
	return m
}

func holdPtrToProto(h *account.Hold) *accountv1.Hold {
	if h == nil {
		return nil
	}
	return holdToProto(*h)
}

func accountToProto(a account.Account) *accountv1.Account {
	return &accountv1.Account{
		Account: string(a.ID), Handle: a.Handle, State: accountStateToProto(a.State),
		Hold: holdToProto(a.Hold), CreatedAt: timeToProto(a.CreatedAt),
	}
}

func deviceToProto(d account.Device) *accountv1.Device {
	return &accountv1.Device{
		Device: string(d.ID), Name: d.Name, Platform: phoneToProto(d.Platform), State: accountStateToProto(d.State),
		Hold: holdToProto(d.Hold), Tier: tierToProto(attest.Tier(d.Tier)), AttestedAt: timeToProto(d.AttestedAt),
		AddedAt: timeToProto(d.AddedAt), LastSeenAt: timeToProto(d.LastSeenAt),
		SealingAlg: d.SealingAlg, SealingKey: d.SealingKey,
	}
}

func deviceViewToProto(v integrity.DeviceView) *accountv1.Device {
	m := deviceToProto(v.Device)
	m.This, m.Older, m.Sessions = v.This, v.Older, count(v.Sessions)
	return m
}

func passkeyToProto(p integrity.PasskeyView) *accountv1.Passkey {
	m := &accountv1.Passkey{
		Passkey: string(p.Ref), Name: p.Name, Provider: p.Provider, Synced: p.Synced, State: passkeyStateToProto(p.State),
		AddedAt: timeToProto(p.AddedAt), LastUsedAt: timeToProto(p.LastUsedAt),
	}
	for _, d := range p.Devices {
		m.Devices = append(m.Devices, string(d))
	}
	return m
}

func signalsToProto(s *integrity.Signals) *accountv1.Signals {
	if s == nil {
		return nil
	}
	m := &accountv1.Signals{}
	if a := s.AllAccepted; a != nil {
		m.AllAcceptedCredentials = &accountv1.AllAcceptedCredentials{RpId: a.RPID, UserId: a.UserID, AllAcceptedCredentialIds: a.AllAcceptedCredentialIDs}
	}
	if u := s.CurrentUser; u != nil {
		m.CurrentUserDetails = &accountv1.CurrentUserDetails{RpId: u.RPID, UserId: u.UserID, Name: u.Name, DisplayName: u.DisplayName}
	}
	return m
}

func signedToProto(s *integrity.Signed) *accountv1.Signed {
	m := &accountv1.Signed{
		Account: string(s.Account), AccountState: accountStateToProto(s.AccountState),
		Device: string(s.Device), DeviceState: accountStateToProto(s.DeviceState),
		Passkey: string(s.Credential), Session: string(s.Session), Token: tokenToText(s.Token),
		Until: timeToProto(s.Until), Class: assuranceToProto(s.Class), Hold: holdToProto(s.Hold), Signals: signalsToProto(s.Signals),
	}
	return m
}

// newPhoneFromProto gives what the message says of a new phone, with the call
// that its key has signed. Without a phone there is none.
func newPhoneFromProto(m *accountv1.NewPhone, signed *request.Message) *integrity.NewPhone {
	if m == nil {
		return nil
	}
	return &integrity.NewPhone{
		Name: m.GetName(), Platform: phoneFromProto(m.GetPlatform()),
		Evidence: registry.Registration{
			Challenge: m.GetChallenge(), AttestationObject: m.GetAttestationObject(),
			CertificateChain: m.GetCertificateChain().GetCertificates(), KeyID: keyIDFromApple(m.GetKeyId()),
			Hints: registry.Hints{
				OSVersion: m.GetHints().GetOsVersion(), AppVersion: m.GetHints().GetAppVersion(), Model: m.GetHints().GetModel(),
			},
		},
		SealingAlg: m.GetSealingAlg(), SealingKey: m.GetSealingKey(), Message: signed,
	}
}

func endedToProto(e *integrity.Ended) *accountv1.Ended {
	return &accountv1.Ended{
		Sessions: count(e.Sessions), Ceremonies: count(e.Ceremonies), Approvals: count(e.Approvals),
		Joins: count(e.Joins), Pending: count(e.Pending),
	}
}

func approvalToProto(a integrity.ApprovalRow) *accountv1.Approval {
	return &accountv1.Approval{
		Approval: string(a.ID), Account: string(a.Account), Action: string(a.Action), Params: string(a.Params), Text: a.Text,
		Need: assuranceToProto(a.Need), State: approvalStateToProto(a.State), AskedBy: string(a.By.Kind),
		AskedByDevice: string(a.By.Device), CreatedAt: timeToProto(a.CreatedAt), ExpiresAt: timeToProto(a.ExpiresAt),
		EndedAt: timeToProto(a.EndedAt),
	}
}

func approvalStateToProto(state string) accountv1.ApprovalState {
	return accountv1.ApprovalState(accountv1.ApprovalState_value["APPROVAL_STATE_"+strings.ToUpper(state)])
}

// count is n as it is sent. There are never so many of anything.
func count(n int) int32 { return int32(min(max(n, 0), 1<<31-1)) }

// idFromProto checks that a text is an identifier of its kind, so that one which
// is not there is told from one that is misspelt.
func idFromProto[T interface {
	~string
	Validate() error
}](field, text string) (T, error) {
	id := T(text)
	if err := id.Validate(); err != nil {
		return "", errRequestf("%s: %v", field, err)
	}
	return id, nil
}

// pageFromProto is how many rows are wanted.
func pageFromProto(limit int32) (int, error) {
	switch {
	case limit == 0:
		return 100, nil
	case limit < 0 || limit > 500:
		return 0, errRequestf("limit is %d; it is 1 to 500, or 0 for 100", limit)
	}
	return int(limit), nil
}

// durationFromProto refuses what is no duration.
func durationFromProto(field string, d *durationpb.Duration) (time.Duration, error) {
	if d == nil {
		return 0, nil
	}
	if err := d.CheckValid(); err != nil {
		return 0, errRequestf("%s is no duration", field)
	}
	return d.AsDuration(), nil
}
