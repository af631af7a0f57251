package rpc_test

import (
	"context"
	"encoding/json"
	"testing"

	"connectrpc.com/connect"

	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
)

// TestJoinOverHTTP: a new phone joins an account, from its first call to its
// first status.
func TestJoinOverHTTP(t *testing.T) {
	f := newFlows(t, "demo")
	old, fresh := f.phone(t, "demo"), f.phone(t, "demo")
	made := old.enrol().GetSigned()
	old.stepUp()
	begun := call(t, fresh.accounts.BeginDevice, &accountv1.BeginDeviceRequest{})
	opened := call(t, fresh.joins.RequestJoin, &accountv1.RequestJoinRequest{Phone: fresh.attest(begun.GetChallenge())})
	stream, err := fresh.joins.WaitJoin(t.Context(), connect.NewRequest(&accountv1.WaitJoinRequest{Join: opened.GetJoin()}))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if !stream.Receive() || stream.Msg().GetState() != accountv1.JoinState_JOIN_STATE_OPEN {
		t.Fatalf("%v %v", stream.Msg(), stream.Err())
	}
	seen := call(t, old.joins.GetJoin, &accountv1.GetJoinRequest{Code: opened.GetCode()})
	if seen.GetJoin() != opened.GetJoin() || seen.GetKind() != accountv1.JoinKind_JOIN_KIND_PHONE || seen.GetName() != "Pixel" {
		t.Errorf("%v", seen)
	}
	params, err := json.Marshal(map[string]string{"join": opened.GetJoin(), "number": opened.GetNumber()})
	if err != nil {
		t.Fatal(err)
	}
	proposed := call(t, old.accounts.ProposeAction, &accountv1.ProposeActionRequest{Action: "device.add", Params: string(params)})
	done := call(t, old.accounts.ConfirmAction, &accountv1.ConfirmActionRequest{
		Approval: proposed.GetApproval().GetApproval(), Response: old.answer(old.passkey.Get([]byte(proposed.GetOptions()), flowOrigin)),
	})
	if done.GetApproval().GetState() != accountv1.ApprovalState_APPROVAL_STATE_CONFIRMED {
		t.Errorf("%v", done)
	}
	if !stream.Receive() || stream.Msg().GetState() != accountv1.JoinState_JOIN_STATE_CONFIRMED || stream.Msg().GetAccount() != made.GetAccount() {
		t.Fatalf("%v %v", stream.Msg(), stream.Err())
	}
	ready := stream.Msg()
	if stream.Receive() || stream.Err() != nil {
		t.Errorf("the stream does not end: %v %v", stream.Msg(), stream.Err())
	}
	in := call(t, fresh.joins.FinishJoin, &accountv1.FinishJoinRequest{
		Join: opened.GetJoin(), Ceremony: ready.GetCeremony(), Response: fresh.answer(fresh.passkey.Create([]byte(ready.GetOptions()), flowOrigin)),
	}).GetSigned()
	if in.GetAccount() != made.GetAccount() || in.GetDeviceState() != accountv1.State_STATE_HELD || in.GetHold().GetReason() != accountv1.HoldReason_HOLD_REASON_NEW {
		t.Errorf("%v", in)
	}
	fresh.token = in.GetToken()
	if s, reason := fresh.status(); reason != "" || s.GetDevice() != in.GetDevice() || s.GetHold() == nil {
		t.Errorf("%q %v", reason, s)
	}
	if s, reason := old.status(); reason != "" || len(s.GetRest().GetOthersHeld()) != 1 || !s.GetRest().GetOthersHeld()[0].GetMayVeto() || s.GetRest().GetAlertsUnread() == 0 {
		t.Errorf("%q %v", reason, s)
	}
	vetoed := call(t, old.accounts.Veto, &accountv1.VetoRequest{Target: &accountv1.VetoRequest_Device{Device: in.GetDevice()}})
	if vetoed.GetRemoved() != in.GetDevice() {
		t.Errorf("%v", vetoed)
	}
	if s, reason := fresh.status(); reason == "" {
		t.Errorf("a vetoed phone still asks: %v", s)
	}
}

// call makes a call that must succeed.
func call[Req, Res any](t *testing.T, do func(ctx context.Context, req *connect.Request[Req]) (*connect.Response[Res], error), msg *Req) *Res {
	t.Helper()
	res, err := do(t.Context(), connect.NewRequest(msg))
	if err != nil {
		t.Fatalf("%T: %s: %v", msg, reasonOf(err), err)
	}
	return res.Msg
}
