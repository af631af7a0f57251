package rpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

const (
	someDevice   = "d_abcdefghijklmnopqrstuvwxyz"
	someSession  = "s_abcdefghijklmnopqrstuvwxyz"
	somePasskey  = "c_abcdefghijklmnopqrstuvwxyz"
	someCeremony = "y_abcdefghijklmnopqrstuvwxyz"
	someApproval = "v_abcdefghijklmnopqrstuvwxyz"
	someJoin     = "j_abcdefghijklmnopqrstuvwxyz"
	somePending  = "p_abcdefghijklmnopqrstuvwxyz"
	someToken    = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" // 0, 1, 2 ... 31
)

var at = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fakeAccounts are flows that remember what they were asked, and believe whoever
// says that he has signed.
type fakeAccounts struct {
	mu      sync.Mutex
	method  string
	caller  account.Caller
	args    []any
	message *request.Message
	token   integrity.Token
	revoked bool // a revoked key was allowed

	err    error
	state  account.State // of the device; zero: locked
	alerts []integrity.AlertRow
	news   chan struct{}
	joins  []integrity.JoinStatus // one answer each; the last one stays
	looks  int
}

func newFakeAccounts() *fakeAccounts { return &fakeAccounts{news: make(chan struct{}, 1)} }

func (f *fakeAccounts) enter(method string, c account.Caller, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.method, f.caller, f.args = method, c, args
	return f.err
}

func (f *fakeAccounts) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// asked is what a flow was asked, as text.
func (f *fakeAccounts) asked() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	texts := []string{f.method}
	for _, a := range f.args {
		data, err := json.Marshal(a)
		if err == nil && strings.HasPrefix(string(data), "{") {
			data, err = withoutZeros(data)
		}
		if err != nil {
			return err.Error()
		}
		texts = append(texts, string(data))
	}
	return strings.Join(texts, " ")
}

// withoutZeros leaves out what is not set, so that a text says what is.
func withoutZeros(data []byte) ([]byte, error) {
	var v map[string]any
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	prune(v)
	return json.Marshal(v)
}

func prune(m map[string]any) {
	for k, v := range m {
		if inner, ok := v.(map[string]any); ok {
			if prune(inner); len(inner) == 0 {
				delete(m, k)
			}
			continue
		}
		if v == nil || v == "" || v == false || v == float64(0) {
			delete(m, k)
		}
	}
}

func (f *fakeAccounts) Prove(_ context.Context, m *request.Message, token integrity.Token, allowRevoked bool) (account.Caller, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.message, f.token, f.revoked = m, token, allowRevoked
	if !strings.Contains(m.SignatureInput, `keyid="phone"`) {
		return account.Caller{}, &integrity.ProofError{Reason: "common.signature_missing", ServerTime: at}
	}
	c := account.Caller{Kind: account.Phone, App: "demo", Account: someAccount, Device: someDevice, Key: "phone"}
	if token != nil {
		c.Session = someSession
	}
	return c, nil
}

func (f *fakeAccounts) ProveBackend(_ context.Context, m *request.Message) (account.Caller, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.message = m
	if !strings.Contains(m.SignatureInput, `keyid="backend"`) {
		return account.Caller{}, &integrity.ProofError{Reason: "common.signature_missing", ServerTime: at}
	}
	return account.Caller{Kind: account.Backend, App: "demo"}, nil
}

func (*fakeAccounts) Network(addr string) string { return "network of " + addr }

func begun() *integrity.Begun {
	return &integrity.Begun{Ceremony: someCeremony, Options: json.RawMessage(`{"challenge":"x"}`), Challenge: []byte{1}, Account: someAccount, ExpiresAt: at}
}

func signed() *integrity.Signed {
	token := make(integrity.Token, 32)
	for i := range token {
		token[i] = byte(i)
	}
	return &integrity.Signed{
		Account: someAccount, AccountState: account.Active, Device: someDevice, DeviceState: account.Held, Credential: somePasskey,
		Session: someSession, Token: token, Until: at, Class: account.Person, Hold: account.Hold{Reason: account.HoldNew, Since: at, Until: at},
		Signals: signals(),
	}
}

func signals() *integrity.Signals {
	return &integrity.Signals{
		AllAccepted: &passkey.AllAcceptedCredentials{RPID: "example.org", UserID: "AA", AllAcceptedCredentialIDs: []string{"BB"}},
		CurrentUser: &passkey.CurrentUserDetails{RPID: "example.org", UserID: "AA", Name: "n", DisplayName: "dn"},
	}
}

func (f *fakeAccounts) BeginEnrol(_ context.Context, c account.Caller, b *integrity.Browser) (*integrity.Begun, error) {
	return begun(), f.enter("BeginEnrol", c, b)
}

func (f *fakeAccounts) FinishEnrol(_ context.Context, c account.Caller, in *integrity.EnrolAnswer) (*integrity.Enrolled, error) {
	return &integrity.Enrolled{Signed: *signed(), FreezeCode: account.FreezeCode{1}, Name: "Pixel", Platform: "android", At: at}, f.enter("FinishEnrol", c, in)
}

func (f *fakeAccounts) BeginDevice(_ context.Context, c account.Caller) (*integrity.Begun, error) {
	return begun(), f.enter("BeginDevice", c)
}

func (f *fakeAccounts) Reattest(_ context.Context, c account.Caller, in *integrity.NewPhone, oldProof []byte) error {
	return f.enter("Reattest", c, in, oldProof)
}

func (f *fakeAccounts) BeginSignIn(_ context.Context, c account.Caller, in *integrity.SignInStart) (*integrity.Begun, error) {
	return begun(), f.enter("BeginSignIn", c, in)
}

func (f *fakeAccounts) FinishSignIn(_ context.Context, c account.Caller, in *integrity.SignInAnswer) (*integrity.SignInResult, error) {
	if in.Phone != nil {
		return &integrity.SignInResult{Join: &integrity.Joined{Join: someJoin, Number: "42", ExpiresAt: at}}, f.enter("FinishSignIn", c, in)
	}
	return &integrity.SignInResult{Signed: signed()}, f.enter("FinishSignIn", c, in)
}

func (f *fakeAccounts) SignInOnPhone(ctx context.Context, m *request.Message, token integrity.Token, network string, in *integrity.SignInAnswer) (account.Caller, *integrity.SignInResult, error) {
	c, err := f.Prove(ctx, m, token, false)
	if err != nil {
		return c, nil, err
	}
	c.Network = network
	out, err := f.FinishSignIn(ctx, c, in)
	return c, out, err
}

func (f *fakeAccounts) BeginStepUp(_ context.Context, c account.Caller, b *integrity.Browser) (*integrity.Begun, error) {
	return begun(), f.enter("BeginStepUp", c, b)
}

func (f *fakeAccounts) FinishStepUp(_ context.Context, c account.Caller, in *integrity.StepUpAnswer) (*integrity.Signed, error) {
	s := signed()
	s.Token = nil
	return s, f.enter("FinishStepUp", c, in)
}

func ended() *integrity.Ended {
	return &integrity.Ended{Sessions: 1, Ceremonies: 2, Approvals: 3, Joins: 4, Pending: 5}
}

func (f *fakeAccounts) SignOut(_ context.Context, c account.Caller) (*integrity.Ended, error) {
	return ended(), f.enter("SignOut", c)
}

func (f *fakeAccounts) SignOutOthers(_ context.Context, c account.Caller) (*integrity.Ended, error) {
	return ended(), f.enter("SignOutOthers", c)
}

func (f *fakeAccounts) EndSession(_ context.Context, c account.Caller, id account.SessionID) (*integrity.Ended, error) {
	return ended(), f.enter("EndSession", c, id)
}

func (f *fakeAccounts) BeginAdd(_ context.Context, c account.Caller, in *integrity.AddStart) (*integrity.Begun, error) {
	return begun(), f.enter("BeginAdd", c, in)
}

func key() integrity.PasskeyView {
	return integrity.PasskeyView{Ref: somePasskey, Name: "k", Provider: "P", Synced: true, State: account.CredentialSuspect, Devices: []account.DeviceID{someDevice}, AddedAt: at}
}

func (f *fakeAccounts) FinishAdd(_ context.Context, c account.Caller, in *integrity.AddAnswer) (*integrity.Added, error) {
	return &integrity.Added{Passkey: key(), Signals: signals()}, f.enter("FinishAdd", c, in)
}

func (f *fakeAccounts) Passkeys(_ context.Context, c account.Caller) ([]integrity.PasskeyView, *integrity.Signals, error) {
	return []integrity.PasskeyView{key()}, signals(), f.enter("Passkeys", c)
}

func (f *fakeAccounts) RenamePasskey(_ context.Context, c account.Caller, ref account.CredentialRef, name string) (*integrity.Signals, error) {
	return signals(), f.enter("RenamePasskey", c, ref, name)
}

func (f *fakeAccounts) Status(_ context.Context, c account.Caller) (*integrity.Status, error) {
	hold := account.Hold{Reason: account.HoldRecovered, Since: at, Left: 90 * time.Second}
	state := f.state
	if state == account.Unset {
		state = account.Locked
	}
	return &integrity.Status{
		Account: someAccount, AccountState: account.Frozen, Device: someDevice, DeviceName: "Pixel", Platform: "ios", DeviceState: state,
		Hold: &hold, Class: account.OnDevice, At: at,
		Rest: &integrity.StatusRest{
			Passkeys: 1, Devices: 2, AlertsUnread: 3, Advice: []string{"reattest"},
			OthersHeld: []integrity.HeldDevice{{Device: someDevice, Name: "New", MayVeto: true, Hold: account.Hold{Reason: account.HoldNew, Until: at}}},
			Pending:    []integrity.PendingRow{{ID: somePending, Action: account.DeleteAccount, By: integrity.Creator{Device: someDevice}, OpensAt: at}},
		},
	}, f.enter("Status", c)
}

func sessions() []account.Session {
	return []account.Session{
		{ID: someSession, Account: someAccount, Kind: account.BrowserSession, Label: "Chromium", Place: "Berlin", Origin: "https://x", CreatedAt: at, Until: at},
	}
}

func device() account.Device {
	return account.Device{
		ID: someDevice, Account: someAccount, Name: "Pixel", Platform: "android", State: account.Active, Tier: "affirming", AddedAt: at,
		SealingAlg: "X", SealingKey: []byte{1}, KeyID: "secret-key-id",
	}
}

func (f *fakeAccounts) Account(_ context.Context, c account.Caller) (*integrity.AccountView, error) {
	return &integrity.AccountView{
		Account: account.Account{ID: someAccount, Handle: "ada", State: account.Active, CreatedAt: at}, Devices: []account.Device{device()},
		Passkeys: []integrity.PasskeyView{key()}, Sessions: sessions(),
	}, f.enter("Account", c)
}

func (f *fakeAccounts) Devices(_ context.Context, c account.Caller) ([]integrity.DeviceView, []account.Session, error) {
	return []integrity.DeviceView{{Device: device(), This: true, Older: true, Sessions: 2}}, sessions(), f.enter("Devices", c)
}

func (*fakeAccounts) Worth(account.Session) account.Class { return account.GuestClass }

func (f *fakeAccounts) Alerts(_ context.Context, c account.Caller, after uint64, limit int) (out []integrity.AlertRow, err error) {
	err = f.enter("Alerts", c, after, limit)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	for _, a := range f.alerts {
		if a.Seq > after && len(out) < limit {
			out = append(out, a)
		}
	}
	return out, err
}

func (f *fakeAccounts) AckAlerts(_ context.Context, c account.Caller, seq uint64) error {
	return f.enter("AckAlerts", c, seq)
}

func (*fakeAccounts) AlertText(a integrity.AlertRow) string { return "text of " + a.Kind }

func (f *fakeAccounts) Watch(account.ID) (<-chan struct{}, func()) { return f.news, func() {} }

func (f *fakeAccounts) RenameDevice(_ context.Context, c account.Caller, id account.DeviceID, name string) error {
	return f.enter("RenameDevice", c, id, name)
}

func (f *fakeAccounts) Freeze(_ context.Context, c account.Caller) (*integrity.Frozen, error) {
	return &integrity.Frozen{State: account.Frozen, Changed: true}, f.enter("Freeze", c)
}

func (f *fakeAccounts) FreezeDevice(_ context.Context, c account.Caller, id account.DeviceID) (*integrity.Frozen, error) {
	return &integrity.Frozen{State: account.Frozen, Changed: true}, f.enter("FreezeDevice", c, id)
}

func (f *fakeAccounts) FreezeByCode(_ context.Context, c account.Caller, code string) error {
	return f.enter("FreezeByCode", c, code)
}

func (f *fakeAccounts) Veto(_ context.Context, c account.Caller, device account.DeviceID, pending account.PendingID) (*integrity.Vetoed, error) {
	return &integrity.Vetoed{State: account.Active, Removed: device}, f.enter("Veto", c, device, pending)
}

func (f *fakeAccounts) LeaveDevice(_ context.Context, c account.Caller) error {
	return f.enter("LeaveDevice", c)
}

func approval() integrity.ApprovalRow {
	return integrity.ApprovalRow{
		ID: someApproval, Account: someAccount, Action: "app.pay", Params: json.RawMessage(`{"n":1}`), Text: "Pay 1?", Nonce: []byte{9},
		Challenge: []byte{8}, Need: account.Bound, By: integrity.Creator{Kind: account.Backend, Device: someDevice}, CreatedAt: at, ExpiresAt: at,
		State: integrity.StateConfirmed, Proof: json.RawMessage(`{"p":1}`), EndedAt: at,
	}
}

func proposed() *integrity.Proposed {
	return &integrity.Proposed{Approval: approval(), Ceremony: someCeremony, Options: json.RawMessage(`{}`), Preimage: passkey.Approval{
		App: "demo", Account: someAccount, ID: someApproval, Action: "app.pay", Parameters: []byte("{}"), Text: "Pay 1?", Nonce: []byte{9}, Expires: at,
	}}
}

func (f *fakeAccounts) Propose(_ context.Context, c account.Caller, in *integrity.Proposal, b *integrity.Browser) (*integrity.Proposed, error) {
	return proposed(), f.enter("Propose", c, in.Action, string(in.Params), b)
}

func (f *fakeAccounts) OpenApproval(_ context.Context, c account.Caller, id account.ApprovalID, b *integrity.Browser) (*integrity.Proposed, error) {
	return proposed(), f.enter("OpenApproval", c, id, b)
}

func (f *fakeAccounts) Confirm(_ context.Context, c account.Caller, in *integrity.Confirmation) (*integrity.Confirmed, error) {
	return &integrity.Confirmed{Approval: approval(), Result: json.RawMessage(`{"freeze_code":"abcd"}`), Signals: signals()}, f.enter("Confirm", c, in)
}

func (f *fakeAccounts) Deny(_ context.Context, c account.Caller, id account.ApprovalID) error {
	return f.enter("Deny", c, id)
}

func (f *fakeAccounts) Approvals(_ context.Context, c account.Caller) ([]integrity.ApprovalRow, error) {
	return []integrity.ApprovalRow{approval()}, f.enter("Approvals", c)
}

func (f *fakeAccounts) RequestJoin(_ context.Context, c account.Caller, in *integrity.JoinRequest) (*integrity.JoinOpened, error) {
	return &integrity.JoinOpened{Join: someJoin, Code: "code", Number: "42", ExpiresAt: at}, f.enter("RequestJoin", c, in)
}

func (f *fakeAccounts) JoinStatus(_ context.Context, c account.Caller, in *integrity.JoinWait) (*integrity.JoinStatus, error) {
	err := f.enter("JoinStatus", c, in)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	if in.Again != (f.looks > 1) {
		return nil, errors.New("one proof is used twice, or never")
	}
	s := f.joins[0]
	if len(f.joins) > 1 {
		f.joins = f.joins[1:]
	}
	return &s, err
}

func (f *fakeAccounts) WatchJoin(account.JoinID) (<-chan struct{}, func()) { return f.news, func() {} }

func (f *fakeAccounts) Join(_ context.Context, c account.Caller, id account.JoinID, code string) (*integrity.JoinView, error) {
	return &integrity.JoinView{Join: someJoin, Kind: "guest", Name: "TV", Platform: "android", KeysHash: []byte{7}, Origin: "o", Place: "p", ExpiresAt: at}, f.enter("Join", c, id, code)
}

func (f *fakeAccounts) StartRecovery(_ context.Context, c account.Caller, in *integrity.RecoveryStart) (*integrity.RecoveryStarted, error) {
	return &integrity.RecoveryStarted{
		Pending: "p_", OpensAt: at, At: at, Ticket: integrity.Token{1}, Until: at, Ceremony: "y_", Options: json.RawMessage(`{"challenge":"x"}`), Finished: true,
	}, f.enter("StartRecovery", c, in)
}

func (f *fakeAccounts) FinishRecovery(_ context.Context, c account.Caller, in *integrity.RecoveryAnswer) (*integrity.Signed, error) {
	return signed(), f.enter("FinishRecovery", c, in)
}

func (f *fakeAccounts) ProveNewcomer(context.Context, *request.Message) (account.Caller, error) {
	return account.Caller{Kind: account.Phone, App: "demo", Key: "k"}, nil
}

func (f *fakeAccounts) FinishJoin(_ context.Context, c account.Caller, in *integrity.JoinAnswer) (*integrity.Signed, error) {
	return signed(), f.enter("FinishJoin", c, in)
}

func (f *fakeAccounts) CheckSession(_ context.Context, c account.Caller, t integrity.Token) (*integrity.SessionCheck, error) {
	return &integrity.SessionCheck{
		Session: someSession, Kind: account.PhoneSession, Account: someAccount, AccountState: account.Held, Device: someDevice, DeviceState: account.Active,
		Class: account.Fresh, Until: at, Proofs: []account.Proof{{Method: account.ByAssertion, At: at, Credential: somePasskey, Synced: true}},
	}, f.enter("CheckSession", c, []byte(t))
}

func (f *fakeAccounts) CreateApproval(_ context.Context, c account.Caller, in *integrity.AppApproval) (*integrity.ApprovalRow, error) {
	a := approval()
	return &a, f.enter("CreateApproval", c, in)
}

func (f *fakeAccounts) BackendApproval(_ context.Context, c account.Caller, id account.ApprovalID) (*integrity.ApprovalRow, error) {
	a := approval()
	return &a, f.enter("BackendApproval", c, id)
}

func (f *fakeAccounts) CancelApproval(_ context.Context, c account.Caller, id account.ApprovalID) error {
	return f.enter("CancelApproval", c, id)
}

func (f *fakeAccounts) FreezeAccount(_ context.Context, c account.Caller, id account.ID) (*integrity.Frozen, error) {
	return &integrity.Frozen{State: account.Frozen}, f.enter("FreezeAccount", c, id)
}

func (f *fakeAccounts) ReportRisk(_ context.Context, c account.Caller, in *integrity.RiskReport) error {
	return f.enter("ReportRisk", c, in)
}

func (f *fakeAccounts) PollEvents(_ context.Context, c account.Caller, after uint64, limit int) ([]event.Event, error) {
	return []event.Event{{ID: 7, Type: "session.started", Account: someAccount, Body: json.RawMessage(`{}`), At: at}}, f.enter("PollEvents", c, after, limit)
}
