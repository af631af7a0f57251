package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
)

// Status asks how device and account stand, in every state but deleted.
func (p *Phone) Status(ctx context.Context) (*accountv1.GetStatusResponse, error) {
	return ask(ctx, p, p.accounts.GetStatus, &accountv1.GetStatusRequest{})
}

// Devices lists the devices by the time they were added.
func (p *Phone) Devices(ctx context.Context) ([]*accountv1.Device, error) {
	m, err := ask(ctx, p, p.accounts.ListDevices, &accountv1.ListDevicesRequest{})
	return m.GetDevices(), err
}

// Sessions lists the sessions that have not ended.
func (p *Phone) Sessions(ctx context.Context) ([]*accountv1.Session, error) {
	m, err := ask(ctx, p, p.accounts.ListSessions, &accountv1.ListSessionsRequest{})
	return m.GetSessions(), err
}

// Freeze stops the account. Again it does nothing, and changed is false.
func (p *Phone) Freeze(ctx context.Context) (state string, changed bool, err error) {
	m, err := ask(ctx, p, p.accounts.Freeze, &accountv1.FreezeRequest{})
	return lower(m.GetState(), "STATE_"), m.GetChanged(), err
}

// Thawed is what an unfreeze leaves.
type Thawed struct {
	State   string
	Changed bool
	OpensAt time.Time // zero: it does not wait
}

// Unfreeze thaws the account: at once, or after a wait where the device cools
// off. It asks for the passkey over this very action. An account that is not
// frozen stays as it is.
func (p *Phone) Unfreeze(ctx context.Context) (*Thawed, error) {
	st, err := p.Status(ctx)
	if err != nil {
		return nil, err
	}
	if st.GetAccountState() != accountv1.State_STATE_FROZEN {
		return &Thawed{State: lower(st.GetAccountState(), "STATE_")}, nil
	}
	for _, w := range st.GetRest().GetPending() { // what this device has begun waits on
		if w.GetAction() == string(account.UnfreezeAccount) && w.GetDevice() == st.GetDevice() && st.GetDeviceState() == accountv1.State_STATE_HELD {
			return &Thawed{State: "frozen", OpensAt: w.GetOpensAt().AsTime()}, nil
		}
	}
	a, err := p.Propose(ctx, account.UnfreezeAccount, struct{}{})
	if err != nil {
		return nil, err
	}
	result, err := p.Confirm(ctx, a)
	if err != nil {
		return nil, err
	}
	var r struct {
		State   string    `json:"state"`
		OpensAt time.Time `json:"opens_at"`
	}
	if err := json.Unmarshal(result, &r); err != nil {
		return nil, fmt.Errorf("client: unfreeze: the server's answer: %w", err)
	}
	if !r.OpensAt.IsZero() {
		return &Thawed{State: "frozen", OpensAt: r.OpensAt}, nil
	}
	return &Thawed{State: r.State, Changed: true}, nil
}

// SignOutOthers ends all sessions but this one, and what was begun elsewhere.
func (p *Phone) SignOutOthers(ctx context.Context) (kept account.SessionID, ended *accountv1.Ended, err error) {
	m, err := ask(ctx, p, p.accounts.SignOutOthers, &accountv1.SignOutOthersRequest{})
	return account.SessionID(m.GetKept()), m.GetEnded(), err
}

// Veto removes a device that cools off.
func (p *Phone) Veto(ctx context.Context, device account.DeviceID) (state string, removed account.DeviceID, err error) {
	m, err := ask(ctx, p, p.accounts.Veto, &accountv1.VetoRequest{Target: &accountv1.VetoRequest_Device{Device: string(device)}})
	return lower(m.GetAccountState(), "STATE_"), account.DeviceID(m.GetRemoved()), err
}

// VetoPending cancels an action that waits.
func (p *Phone) VetoPending(ctx context.Context, id account.PendingID) (state string, err error) {
	m, err := ask(ctx, p, p.accounts.Veto, &accountv1.VetoRequest{Target: &accountv1.VetoRequest_Pending{Pending: string(id)}})
	return lower(m.GetAccountState(), "STATE_"), err
}

// renewFreezeCode has a new freeze code made; the old one counts no more.
func (p *Phone) renewFreezeCode(ctx context.Context) (string, error) {
	a, err := p.Propose(ctx, account.RenewFreezeCode, struct{}{})
	if err != nil {
		return "", err
	}
	result, err := p.Confirm(ctx, a)
	if err != nil {
		return "", err
	}
	var r struct {
		FreezeCode string `json:"freeze_code"`
	}
	if err := json.Unmarshal(result, &r); err != nil {
		return "", fmt.Errorf("client: new freeze code: the server's answer: %w", err)
	}
	if r.FreezeCode == "" {
		return "", errors.New("client: new freeze code: the server's answer has none")
	}
	return r.FreezeCode, nil
}

// ask makes a call, and signs in or steps up where it needs that. Its answer is
// nil on an error, which the getters of messages take.
func ask[Req, Res any](ctx context.Context, p *Phone, call func(context.Context, *connect.Request[Req]) (*connect.Response[Res], error), m *Req) (*Res, error) {
	var out *Res
	err := p.asNeeded(ctx, func() error {
		res, err := call(ctx, connect.NewRequest(m))
		if err != nil {
			return err
		}
		out = res.Msg
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// lower is the name of an enumeration's value as this package gives it: "active"
// for STATE_ACTIVE; empty for the value without a meaning.
func lower(v interface{ String() string }, prefix string) string {
	name := strings.ToLower(strings.TrimPrefix(v.String(), prefix))
	if name == "unspecified" {
		return ""
	}
	return name
}
