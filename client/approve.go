package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
)

// Approval is an action that waits for the person's passkey. Text is what he
// approves: show it exactly so, and nothing else.
type Approval struct {
	ID     account.ApprovalID
	Action account.Action
	Text   string
	Params json.RawMessage // what will be executed

	ceremony string
	options  string
}

// Propose opens an approval for an action (docs/api.md lists them with their
// params). It computes the challenge anew from what is shown and executed, and
// gives ErrMismatch if the server wants another one signed.
func (p *Phone) Propose(ctx context.Context, action account.Action, params any) (*Approval, error) {
	text, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("client: propose: %w", err)
	}
	var a *Approval
	return a, p.asNeeded(ctx, func() error {
		res, err := p.accounts.ProposeAction(ctx, connect.NewRequest(&accountv1.ProposeActionRequest{Action: string(action), Params: string(text)}))
		if err != nil {
			return err
		}
		if a, err = p.approval(res.Msg); err != nil {
			return err
		}
		if a.Action != action || !holds(a.Params, text) {
			return fmt.Errorf("%w: asked for %s %s, and it is %s %s", ErrMismatch, action, text, a.Action, a.Params)
		}
		return nil
	})
}

// OpenApproval is Propose for an approval that somebody else has opened, such as
// the app's backend.
func (p *Phone) OpenApproval(ctx context.Context, id account.ApprovalID) (*Approval, error) {
	var a *Approval
	return a, p.asNeeded(ctx, func() error {
		res, err := p.accounts.ProposeAction(ctx, connect.NewRequest(&accountv1.ProposeActionRequest{Approval: string(id)}))
		if err != nil {
			return err
		}
		if a, err = p.approval(res.Msg); err != nil {
			return err
		}
		if a.ID != id {
			return fmt.Errorf("%w: asked for approval %s, and it is %s", ErrMismatch, id, a.ID)
		}
		return nil
	})
}

// Confirm has the person approve a with his passkey, and the server does it in
// the same transaction. result is what was done, as JSON.
func (p *Phone) Confirm(ctx context.Context, a *Approval) (result json.RawMessage, err error) {
	response, err := p.get(ctx, a.options)
	if err != nil {
		return nil, err
	}
	res, err := p.accounts.ConfirmAction(ctx, connect.NewRequest(&accountv1.ConfirmActionRequest{Approval: string(a.ID), Response: response}))
	if err != nil {
		return nil, err
	}
	return json.RawMessage(res.Msg.GetResult()), nil
}

// Deny refuses an approval, which all devices of the account are told.
func (p *Phone) Deny(ctx context.Context, id account.ApprovalID) error {
	return p.asNeeded(ctx, func() error {
		_, err := p.accounts.DenyAction(ctx, connect.NewRequest(&accountv1.DenyActionRequest{Approval: string(id)}))
		return err
	})
}

// approval is the server's approval, if what it wants signed is what it shows
// (accounts, "Request-bound approval").
func (p *Phone) approval(m *accountv1.ProposeActionResponse) (*Approval, error) {
	a, pre := m.GetApproval(), m.GetPreimage()
	s := p.State()
	switch {
	case pre.GetApproval() != a.GetApproval(), pre.GetAction() != a.GetAction(), pre.GetText() != a.GetText(), string(pre.GetParams()) != a.GetParams():
		return nil, fmt.Errorf("%w: the approval has other parts than its preimage", ErrMismatch)
	case pre.GetAccount() != string(s.Account):
		return nil, fmt.Errorf("%w: it is for account %s", ErrMismatch, pre.GetAccount())
	case pre.GetApp() != string(s.App):
		return nil, fmt.Errorf("%w: it is for app %s", ErrMismatch, pre.GetApp())
	case len(pre.GetNonce()) != 32:
		return nil, fmt.Errorf("%w: a nonce of %d bytes", ErrMismatch, len(pre.GetNonce()))
	}
	var options struct {
		Challenge string `json:"challenge"`
		PublicKey struct {
			Challenge string `json:"challenge"`
		} `json:"publicKey"`
	}
	if err := json.Unmarshal([]byte(m.GetOptions()), &options); err != nil {
		return nil, fmt.Errorf("client: the options of the approval are not JSON: %w", err)
	}
	if options.PublicKey.Challenge != "" {
		options.Challenge = options.PublicKey.Challenge
	}
	got, err := base64.RawURLEncoding.DecodeString(options.Challenge)
	want := challenge(pre)
	if err != nil || subtle.ConstantTimeCompare(got, want[:]) != 1 {
		return nil, fmt.Errorf("%w: another challenge", ErrMismatch)
	}
	return &Approval{
		ID: account.ApprovalID(a.GetApproval()), Action: account.Action(a.GetAction()), Text: a.GetText(),
		Params: json.RawMessage(a.GetParams()), ceremony: m.GetCeremony(), options: m.GetOptions(),
	}, nil
}

// challenge is the SHA-256 of an approval's preimage. Vectors:
// spec/vectors/approval.json.
func challenge(m *accountv1.ApprovalPreimage) [32]byte {
	params := sha256.Sum256(m.GetParams())
	b := append([]byte("staunch/approval/v1"), 0)
	for _, part := range [][]byte{
		[]byte(m.GetApp()), []byte(m.GetAccount()), []byte(m.GetApproval()), []byte(m.GetAction()), params[:], []byte(m.GetText()), m.GetNonce(),
	} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part))) //nolint:gosec // of a message that was bounded
		b = append(b, part...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(m.GetExpires())) //nolint:gosec // a negative one gives another challenge than the server's
	return sha256.Sum256(b)
}

// holds reports whether the JSON object params has every member of asked with
// the same value. The server may add some.
func holds(params, asked []byte) bool {
	var have, want map[string]any
	if decodeNumbers(params, &have) != nil || decodeNumbers(asked, &want) != nil {
		return false
	}
	for name, v := range want {
		if w, ok := have[name]; !ok || !reflect.DeepEqual(v, w) {
			return false
		}
	}
	return true
}

func decodeNumbers(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}
