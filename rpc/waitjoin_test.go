package rpc_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/gen/staunch/account/v1/accountv1connect"
	"github.com/staunchid/staunch/integrity"
)

// TestWaitJoin: the state at once, and again when it changes, until the join is
// open no more; each state once.
func TestWaitJoin(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []connect.ClientOption
	}{
		{"Connect", nil},
		{"JSON", []connect.ClientOption{connect.WithProtoJSON()}},
		{"gRPC-Web", []connect.ClientOption{connect.WithGRPCWeb()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, false, nil)
			b.accounts.joins = []integrity.JoinStatus{
				{Join: someJoin, State: "open"}, {Join: someJoin, State: "open"},
				{Join: someJoin, State: "confirmed", Account: someAccount, Ceremony: someCeremony, Options: []byte("{}")},
				{Join: someJoin, State: "never asked for"},
			}
			stream := waitJoin(t, b, someJoin, tt.opts...)
			var states []accountv1.JoinState
			for stream.Receive() {
				m := stream.Msg()
				states = append(states, m.GetState())
				if confirmed := m.GetState() == accountv1.JoinState_JOIN_STATE_CONFIRMED; m.GetJoin() != someJoin ||
					(m.GetCeremony() == someCeremony) != confirmed || (m.GetOptions() == "{}") != confirmed || (m.GetAccount() == someAccount) != confirmed {
					t.Errorf("%v", m)
				}
				if len(states) == 1 {
					go func() { b.accounts.news <- struct{}{}; b.accounts.news <- struct{}{} }()
				}
			}
			if err := stream.Err(); err != nil {
				t.Fatal(err)
			}
			want := []accountv1.JoinState{accountv1.JoinState_JOIN_STATE_OPEN, accountv1.JoinState_JOIN_STATE_CONFIRMED}
			if !slices.Equal(states, want) {
				t.Errorf("states %v", states)
			}
			if m := b.accounts.args[0].(*integrity.JoinWait); m.Message == nil || m.Message.SignatureInput != byPhone[len("Signature-Input: "):] || !m.Message.HasBody || m.Join != someJoin {
				t.Errorf("asked %s", b.accounts.asked())
			}
		})
	}
}

func waitJoin(t *testing.T, b *bench, id string, opts ...connect.ClientOption) *connect.ServerStreamForClient[accountv1.WaitJoinResponse] {
	t.Helper()
	req := connect.NewRequest(&accountv1.WaitJoinRequest{Join: id})
	req.Header().Set("Signature-Input", byPhone[len("Signature-Input: "):])
	stream, err := accountv1connect.NewJoinServiceClient(http.DefaultClient, b.URL, opts...).WaitJoin(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stream.Close() })
	return stream
}

func TestWaitJoinRefused(t *testing.T) {
	for _, tt := range []struct {
		name, id string
		err      error
		code     connect.Code
		reason   string
	}{
		{"unknown", someJoin, integrity.ErrJoinUnknown, connect.CodeNotFound, "JOIN_NOT_FOUND"},
		{"not proved", someJoin, &integrity.ProofError{ServerTime: at}, connect.CodeUnauthenticated, "PROOF_INVALID"},
		{"no join", "x", nil, connect.CodeInvalidArgument, "REQUEST_MALFORMED"},
	} {
		b := newBench(t, false, nil)
		b.accounts.err, b.accounts.joins = tt.err, []integrity.JoinStatus{{}}
		stream := waitJoin(t, b, tt.id)
		if stream.Receive() {
			t.Errorf("%s: %v", tt.name, stream.Msg())
		}
		if err := stream.Err(); connect.CodeOf(err) != tt.code {
			t.Errorf("%s: %v", tt.name, err)
		}
		b.Close()
		if n := len(b.calls); n != 1 || b.calls[0].Reason != tt.reason {
			t.Errorf("%s: observed %+v", tt.name, b.calls)
		}
	}
}

// TestWaitJoinLooksByItself: another server may have changed the join.
func TestWaitJoinLooksByItself(t *testing.T) {
	b := newBench(t, false, nil)
	b.accounts.joins = []integrity.JoinStatus{{State: "open"}, {State: "denied"}}
	begin := time.Now()
	stream := waitJoin(t, b, someJoin)
	n := 0
	for stream.Receive() {
		n++
	}
	if took := time.Since(begin); stream.Err() != nil || n != 2 || took > 10*time.Second {
		t.Errorf("%d states after %v: %v", n, took, stream.Err())
	}
}

// TestWaitJoinUnknownField: a stream reads its request as strictly as a call.
func TestWaitJoinUnknownField(t *testing.T) {
	b := newBench(t, false, nil)
	b.accounts.joins = []integrity.JoinStatus{{State: "denied"}}
	body := `{"join":"` + someJoin + `","x":1}`
	req, err := http.NewRequest(http.MethodPost, b.URL+joinPath+"WaitJoin", strings.NewReader("\x00\x00\x00\x00"+string(rune(len(body)))+body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/connect+json")
	req.Header.Set("Signature-Input", byPhone[len("Signature-Input: "):])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if data, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(data), `unknown field`) || b.accounts.method != "" {
		t.Errorf("%q %v, asked %q", data, err, b.accounts.method)
	}
}
