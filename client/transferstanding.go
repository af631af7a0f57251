package client

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
)

// settled is the last move, with what is due done.
func (p *Phone) settled(ctx context.Context, m *Moving) (*moveRun, *transferv1.View, error) {
	r, err := p.lastMove(m)
	if err != nil {
		return nil, nil, err
	}
	if r == nil {
		return nil, nil, ErrNoMove
	}
	v, err := r.view(ctx)
	if err == nil {
		err = r.settle(ctx, v)
	}
	return r, v, err
}

// lastMove is the one that this phone sends or takes; else the one that it sent or took
// last; nil: none.
func (p *Phone) lastMove(m *Moving) (*moveRun, error) {
	if m.Dir == "" || m.Home == nil {
		return nil, errors.New("client: options: Dir and Home are required")
	}
	send, err := p.loadMove(m, RoleSender)
	if err != nil {
		return nil, err
	}
	receive, err := p.loadMove(m, RoleReceiver)
	if err != nil {
		return nil, err
	}
	last := send
	if receive != nil && (send == nil || receive.follows(send)) {
		last = receive
	}
	if last != nil {
		last.tell.of(last.file.Transfer)
	}
	return last, nil
}

// follows reports whether what this phone has taken comes after what it has sent. It
// hands over only what it has, so that of two which are not over the one that it sends
// is the later one.
func (r *moveRun) follows(send *moveRun) bool {
	switch {
	case r.file.over() != send.file.over():
		return send.file.over()
	case !send.file.over():
		return false
	}
	return r.file.Begun.After(send.file.Begun)
}

// loadMove reads the move of a role; nil: none.
func (p *Phone) loadMove(m *Moving, role string) (*moveRun, error) {
	r := p.newMoveRun(m, role)
	var err error
	if r.file, err = r.dir.load(); err != nil || r.file == nil {
		return nil, err
	}
	return r, nil
}

func (r *moveRun) role() string {
	if r.dir.receives {
		return RoleReceiver
	}
	return RoleSender
}

// view asks the server once.
func (r *moveRun) view(ctx context.Context) (*transferv1.View, error) {
	r.watch = r.p.watchMove(r.file.Transfer, r.file.Token, r.retry)
	res, err := r.p.moves.Wait(unsigned(ctx), connect.NewRequest(&transferv1.WaitRequest{Transfer: string(r.file.Transfer), Token: r.file.Token}))
	if err != nil {
		return nil, err
	}
	r.watch.take(res.Msg.GetView())
	return res.Msg.GetView(), nil
}

func (r *moveRun) sender() (*handover.Sender, error) {
	o, err := r.senderOptions(&SendOptions{})
	if err != nil {
		return nil, err
	}
	half, err := handover.RestoreSender(r.file.Half, o)
	if err != nil {
		return nil, fmt.Errorf("client: the move: %w", err)
	}
	return half, nil
}

func (r *moveRun) receiver() (*handover.Receiver, error) {
	o, err := r.receiverOptions(handover.Judge{})
	if err != nil {
		return nil, err
	}
	half, err := handover.RestoreReceiver(r.file.Half, o)
	if err != nil {
		return nil, fmt.Errorf("client: the move: %w", err)
	}
	return half, nil
}

func (r *moveRun) standing(v *transferv1.View) *MoveStanding {
	f, st := r.file, r.p.State()
	out := &MoveStanding{
		Role: r.role(), Transfer: f.Transfer, State: f.State, Reason: f.Reason, Class: f.Class, Account: st.Account, Device: st.Device,
		Done: f.Fraction[0], Total: f.Fraction[1], Reachable: v != nil,
	}
	if f.Plan != nil {
		out.Objects, out.Bytes, out.Total = f.Plan.Totals.Objects, f.Plan.Totals.Bytes, f.Plan.Bytes
	}
	if m := f.Result; m != nil {
		out.Objects, out.Bytes, out.Quarantined, out.SealingKey, out.RecallUntil = m.Objects, m.Bytes, m.Quarantined, m.SealingKeySHA256, m.RecallUntil
		if out.Account == "" {
			out.Account, out.Device = m.Account, m.Device
		}
	}
	if v == nil {
		return out
	}
	if !f.over() && !f.Left {
		out.State, out.Reason = moveState(v), v.GetReason()
	}
	if out.Done = max(out.Done, v.GetBytesAcked()); out.Total > 0 {
		out.Done = min(out.Done, out.Total)
	}
	if t := v.GetOpensAt(); t.IsValid() && v.GetState() == transferv1.TransferState_TRANSFER_STATE_HELD {
		out.HeldUntil = t.AsTime()
	}
	if t := v.GetRecallUntil(); t.IsValid() {
		out.RecallUntil = t.AsTime()
	}
	return out
}
