package rpc_test

import (
	"context"
	"encoding/json"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
)

const someTransfer = "t_abcdefghijklmnopqrstuvwxyz"

// seen is the transfer that the fake flows show.
func seen() *transfer.View {
	return &transfer.View{ID: someTransfer, State: transfer.Held, Version: 7, HoldReasons: []string{"class"}, Opens: at, At: at, Peer: "Pixel 10"}
}

// view answers a flow that was asked for something of a transfer.
func (f *fakeAccounts) view(method string, c account.Caller, args ...any) (*transfer.View, error) {
	if err := f.enter(method, c, args...); err != nil {
		return nil, err
	}
	return seen(), nil
}

// sent is a turn as a test reads it.
func sent(t transfer.Turn) string { return string(t.ID) + " " + string(t.Envelope) }

func (f *fakeAccounts) BeginMove(_ context.Context, c account.Caller) (*integrity.MoveBegun, error) {
	return &integrity.MoveBegun{Challenge: []byte{1}, ExpiresAt: at, At: at, OfferTTL: 2 * time.Minute, Audience: "demo@example.org"}, f.enter("BeginMove", c)
}

func (f *fakeAccounts) OfferMove(_ context.Context, c account.Caller, in *integrity.MoveOffer) (*transfer.View, error) {
	return f.view("OfferMove", c, string(in.Envelope), in.Place)
}

func (f *fakeAccounts) ClaimMove(_ context.Context, c account.Caller, id transfer.ID, _ [32]byte) (*integrity.MoveClaimed, error) {
	return &integrity.MoveClaimed{
		View: seen(), Offer: []byte{1}, Verdict: integrity.MoveVerdict{Verdict: "WARN", Findings: []string{"android.x"}}, SameNetwork: true,
		Audience: "demo@example.org", RecallFor: time.Hour,
	}, f.enter("ClaimMove", c, id)
}

func (f *fakeAccounts) HelloMove(_ context.Context, c account.Caller, t transfer.Turn) (*transfer.View, error) {
	return f.view("HelloMove", c, sent(t))
}

func (f *fakeAccounts) AnswerMove(_ context.Context, c account.Caller, t transfer.Turn) (*integrity.MoveAnswered, error) {
	return &integrity.MoveAnswered{View: seen(), Ceremony: someCeremony, Options: json.RawMessage(`{}`)}, f.enter("AnswerMove", c, sent(t))
}

func (f *fakeAccounts) MatchMove(_ context.Context, c account.Caller, t transfer.Turn, id account.CeremonyID) (*transfer.View, error) {
	return f.view("MatchMove", c, sent(t), id)
}

func (f *fakeAccounts) ConfirmMove(_ context.Context, c account.Caller, t transfer.Turn, share [32]byte) (*transfer.View, error) {
	return f.view("ConfirmMove", c, sent(t), share[31])
}

func (f *fakeAccounts) ReviseMove(_ context.Context, c account.Caller, t transfer.Turn, revision uint32, bytes uint64) (*transfer.View, error) {
	return f.view("ReviseMove", c, sent(t), revision, bytes)
}

func (f *fakeAccounts) SealMove(_ context.Context, c account.Caller, in *integrity.MoveSeal) (*transfer.View, error) {
	return f.view("SealMove", c, sent(in.Turn), in.CommitShare[31], in.Sealed)
}

func (f *fakeAccounts) CommitMove(_ context.Context, c account.Caller, t transfer.Turn) (*transfer.View, *integrity.Signed, error) {
	return seen(), &integrity.Signed{Account: someAccount, Device: someDevice}, f.enter("CommitMove", c, sent(t))
}

func (f *fakeAccounts) AckMove(_ context.Context, c account.Caller, t transfer.Turn) (*transfer.View, error) {
	return f.view("AckMove", c, sent(t))
}

func (f *fakeAccounts) RecallMove(_ context.Context, c account.Caller, t transfer.Turn) (*transfer.View, error) {
	return f.view("RecallMove", c, sent(t))
}

func (f *fakeAccounts) FinishMove(_ context.Context, c account.Caller, t transfer.Turn) (*transfer.View, error) {
	return f.view("FinishMove", c, sent(t))
}

func (f *fakeAccounts) CancelMove(_ context.Context, c account.Caller, id transfer.ID, token [32]byte, why transfer.Reason) (*transfer.View, error) {
	return f.view("CancelMove", c, id, token[31], why)
}

func (f *fakeAccounts) WaitMove(_ context.Context, c account.Caller, in *integrity.MoveWait) (*transfer.View, error) {
	return f.view("WaitMove", c, in.ID, in.Token[31], in.After, in.For)
}

func (f *fakeAccounts) Moves(_ context.Context, c account.Caller) ([]*transfer.View, error) {
	v, err := f.view("Moves", c)
	return []*transfer.View{v}, err
}
