package server_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/staunchid/staunch/attest/attesttest"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/gen/staunch/account/v1/accountv1connect"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
	"github.com/staunchid/staunch/gen/staunch/passkey/v1/passkeyv1connect"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// phone is a software phone that signs what it sends, once it has a key.
type phone struct {
	app, origin string
	to          *url.URL // the server
	key         *attesttest.AndroidKey
	passkey     *passkeytest.Authenticator
	token       string
	account     string

	accounts accountv1connect.AccountServiceClient
	passkeys passkeyv1connect.PasskeyServiceClient
}

// newPhone is a phone of an app at origin, which calls the server at to.
func newPhone(t testing.TB, app, origin string, to *url.URL) *phone {
	t.Helper()
	a, err := passkeytest.New(&passkeytest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{app: app, origin: origin, to: to, passkey: a}
	client := &http.Client{Transport: p, Timeout: 20 * time.Second}
	p.accounts = accountv1connect.NewAccountServiceClient(client, origin)
	p.passkeys = passkeyv1connect.NewPasskeyServiceClient(client, origin)
	return p
}

// at gives the address of a server to phones.
func at(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// moveTo has the phone call a server that listens elsewhere.
func (p *phone) moveTo(to *url.URL) {
	p.to, p.origin = to, "http://"+net.JoinHostPort(p.app+".localhost", to.Port())
}

// RoundTrip signs a call, with the session if there is one.
func (p *phone) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Staunch-App", p.app)
	if p.token != "" {
		r.Header.Set("Authorization", "Staunch "+p.token)
	}
	if p.key != nil {
		if err := p.key.SignRequest(time.Now(), r); err != nil {
			return nil, err
		}
	}
	r.URL.Host = p.to.Host
	return http.DefaultTransport.RoundTrip(r)
}

// enrol makes an account.
func (p *phone) enrol(ctx context.Context) error {
	begun, err := p.accounts.BeginEnrol(ctx, connect.NewRequest(&accountv1.BeginEnrolRequest{}))
	if err != nil {
		return err
	}
	ca, err := attesttest.TestAndroidCA(time.Now())
	if err != nil {
		return err
	}
	if p.key, err = ca.Phone().GenerateKey(time.Now(), begun.Msg.GetChallenge()); err != nil {
		return err
	}
	response, err := p.passkey.Create([]byte(begun.Msg.GetOptions()), p.origin)
	if err != nil {
		return err
	}
	done, err := p.accounts.FinishEnrol(ctx, connect.NewRequest(&accountv1.FinishEnrolRequest{
		Ceremony: begun.Msg.GetCeremony(), Response: string(response),
		Phone: &accountv1.NewPhone{
			Name: "Pixel", Platform: accountv1.Platform_PLATFORM_ANDROID, Challenge: begun.Msg.GetChallenge(),
			Evidence: &accountv1.NewPhone_CertificateChain{CertificateChain: &attestv1.CertificateChain{Certificates: p.key.Chain()}},
		},
	}))
	if err == nil {
		p.token, p.account = done.Msg.GetSigned().GetToken(), done.Msg.GetSigned().GetAccount()
	}
	return err
}

// signIn makes a new session.
func (p *phone) signIn(ctx context.Context) error {
	p.token = ""
	begun, err := p.passkeys.BeginSignIn(ctx, connect.NewRequest(&passkeyv1.BeginSignInRequest{}))
	if err != nil {
		return err
	}
	response, err := p.passkey.Get([]byte(begun.Msg.GetOptions()), p.origin)
	if err != nil {
		return err
	}
	done, err := p.passkeys.FinishSignIn(ctx, connect.NewRequest(&passkeyv1.FinishSignInRequest{Ceremony: begun.Msg.GetCeremony(), Response: string(response)}))
	if err == nil {
		p.token = done.Msg.GetSigned().GetToken()
	}
	return err
}

func (p *phone) freeze(ctx context.Context) error {
	_, err := p.accounts.Freeze(ctx, connect.NewRequest(&accountv1.FreezeRequest{}))
	return err
}

func (p *phone) unfreeze(ctx context.Context) error { return p.act(ctx, "account.unfreeze") }

// act proposes an action without parameters, and confirms it.
func (p *phone) act(ctx context.Context, action string) error {
	proposed, err := p.accounts.ProposeAction(ctx, connect.NewRequest(&accountv1.ProposeActionRequest{Action: action}))
	if err != nil {
		return err
	}
	response, err := p.passkey.Get([]byte(proposed.Msg.GetOptions()), p.origin)
	if err != nil {
		return err
	}
	_, err = p.accounts.ConfirmAction(ctx, connect.NewRequest(&accountv1.ConfirmActionRequest{
		Approval: proposed.Msg.GetApproval().GetApproval(), Response: string(response),
	}))
	return err
}

// state is the account's, as the server tells it.
func (p *phone) state(ctx context.Context) (accountv1.State, error) {
	s, err := p.accounts.GetStatus(ctx, connect.NewRequest(&accountv1.GetStatusRequest{}))
	if err != nil {
		return 0, err
	}
	if s.Msg.GetAccount() != p.account {
		return 0, fmt.Errorf("the account is %s, and was %s", s.Msg.GetAccount(), p.account)
	}
	return s.Msg.GetAccountState(), nil
}

// reason is that of a refusal; empty: the call was not answered with one.
func reason(err error) string {
	var ce *connect.Error
	if !errors.As(err, &ce) {
		return ""
	}
	for _, d := range ce.Details() {
		if v, err := d.Value(); err == nil {
			if info, ok := v.(*errdetails.ErrorInfo); ok {
				return info.GetReason()
			}
		}
	}
	return ""
}

// originOf is where the pages of an app are.
func originOf(app string, addr net.Addr) string {
	_, port, _ := net.SplitHostPort(addr.String())
	return "http://" + net.JoinHostPort(app+".localhost", port)
}
