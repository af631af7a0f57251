package rpc_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/rpc"
)

const recoveryPath = "/staunch.recovery.v1.RecoveryService/"

// fakeRecovery is a pillar recovery that remembers what it was asked.
type fakeRecovery struct {
	caller account.Caller
	asked  string
	err    error
}

func (f *fakeRecovery) enter(method string, c account.Caller, args ...any) error {
	f.caller, f.asked = c, method
	for _, a := range args {
		b, err := json.Marshal(a)
		if err != nil {
			return err
		}
		f.asked += " " + string(b)
	}
	return f.err
}

var someReg, someHash = [16]byte{1}, [32]byte{2}

func (f *fakeRecovery) GetConfig(_ context.Context, c account.Caller, nonce []byte) (*recovery.Config, error) {
	return &recovery.Config{
		Profile: "kr1-2of3", Limit: 10, PINMin: 6, Set: []byte{1}, Evidence: [][]byte{{2}, nil}, Operators: 1, Assurance: "process",
	}, f.enter("GetConfig", c, nonce)
}

func (f *fakeRecovery) GetBackup(_ context.Context, c account.Caller) (*recovery.BackupView, error) {
	return &recovery.BackupView{
		Account: someAccount, Accts: map[string][16]byte{"v2": {4}, "v1": {3}}, Found: true, Reg: someReg, Blob: someHash, Header: []byte{5}, Stage: recovery.Finalized,
		Blobs: []recovery.BlobView{{Reg: someReg, Hash: someHash, Blob: []byte{6}}},
	}, f.enter("GetBackup", c)
}

func (f *fakeRecovery) PutBlob(_ context.Context, c account.Caller, reg [16]byte, blob []byte) error {
	return f.enter("PutBlob", c, reg[0], blob)
}

func (f *fakeRecovery) CommitBackup(_ context.Context, c account.Caller, reg [16]byte, stage recovery.Stage, blob [32]byte) error {
	return f.enter("CommitBackup", c, reg[0], stage, blob[0])
}

func (f *fakeRecovery) OpenSession(_ context.Context, c account.Caller, id account.ID, ticket recovery.TicketSecret) (*recovery.SessionView, error) {
	return &recovery.SessionView{
		Secret: recovery.SessionSecret{7}, Account: id, Until: at, Accts: map[string][16]byte{"v1": {3}}, Reg: someReg,
		Blobs: []recovery.BlobView{{Reg: someReg, Hash: someHash, Blob: []byte{6}}},
	}, f.enter("OpenSession", c, id, []byte(ticket))
}

func (f *fakeRecovery) CallVault(_ context.Context, c account.Caller, in *recovery.VaultCall) (*recovery.VaultAnswer, error) {
	return &recovery.VaultAnswer{Answer: []byte{8}, Used: 3, Receipt: []byte{9}}, f.enter("CallVault", c, in.Vault, in.Op.String(), in.Epoch, in.Request, []byte(in.Session))
}

func (f *fakeRecovery) CallSeed(_ context.Context, c account.Caller, in *recovery.SeedCall) (*recovery.VaultAnswer, error) {
	return &recovery.VaultAnswer{Answer: []byte{8}, Used: 3, Receipt: []byte{9}}, f.enter("CallSeed", c, in.Op.String(), in.Epoch, in.Request, []byte(in.Session))
}

func (f *fakeRecovery) FinishSession(_ context.Context, c account.Caller, s recovery.SessionSecret) error {
	return f.enter("FinishSession", c, []byte(s))
}

func (f *fakeRecovery) ListReceipts(_ context.Context, c account.Caller, after uint64, limit int) ([]recovery.ReceiptRow, error) {
	return []recovery.ReceiptRow{{Seq: 4, Vault: "v1", Signed: []byte{9}, At: at}}, f.enter("ListReceipts", c, after, limit)
}

func b64(n int, first byte) string {
	b := make([]byte, n)
	b[0] = first
	return base64.StdEncoding.EncodeToString(b)
}

// TestRecoveryMethods: who makes which call, what the pillar is asked, and what it
// answers. A key that is of no account yet may make those that have a ticket or a
// session, and no other.
func TestRecoveryMethods(t *testing.T) {
	const vault = `{"vault":"v1","op":"OP_EVALUATE","epoch":2,"request":"AQ=="`
	device := account.Caller{Kind: account.Phone, App: "demo", Account: someAccount, Device: someDevice, Session: someSession}
	newcomer := account.Caller{Kind: account.Phone, App: "demo", Key: "k"}
	reg, hash := b64(16, 1), b64(32, 2)
	blobs := `"blobs":[{"regId":"` + reg + `","hash":"` + hash + `","blob":"Bg=="}]`
	tests := []struct {
		method, body, by string
		caller           account.Caller
		asked, answer    string
	}{
		{"GetConfig", `{"nonce":"AQ=="}`, "", account.Caller{Kind: account.Anonymous, App: "demo"}, `GetConfig "AQ=="`,
			`{"profile":"kr1-2of3","limit":10,"pinMinLength":6,"vaultSet":"AQ==","evidence":["Ag==",""],"operators":1,"assurance":"process"}`},
		{"GetBackup", `{}`, byPhone, device, `GetBackup`,
			`{"account":"a_","accounts":[{"vault":"v1","acct":"` + b64(16, 3) + `"},{"vault":"v2","acct":"` + b64(16, 4) + `"}],"found":true,"regId":"` + reg + `","hash":"` + hash + `","header":"BQ==","stage":"STAGE_FINALIZED",` + blobs + `}`},
		{"PutBlob", `{"regId":"` + reg + `","blob":"Bg=="}`, byPhone, device, `PutBlob 1 "Bg=="`, `{}`},
		{"CommitBackup", `{"regId":"` + reg + `","stage":"STAGE_UPDATED","hash":"` + hash + `"}`, byPhone, device, `CommitBackup 1 "updated" 2`, `{}`},
		{"CommitBackup", `{"regId":"` + reg + `","stage":"STAGE_DELETING"}`, byPhone, device, `CommitBackup 1 "deleting" 0`, `{}`},
		{"OpenSession", `{"account":"a_","ticket":"AQ=="}`, byPhone, newcomer, `OpenSession "a_" "AQ=="`,
			`{"session":"Bw==","account":"a_","until":"AT","accounts":[{"vault":"v1","acct":"` + b64(16, 3) + `"}],"regId":"` + reg + `",` + blobs + `}`},
		{"CallVault", vault + `}`, byPhone, device, `CallVault "v1" "evaluate" 2 "AQ==" null`, `{"answer":"CA==","used":3,"receipt":"CQ=="}`},
		{"CallVault", vault + `,"session":"Bw=="}`, byPhone, newcomer, `CallVault "v1" "evaluate" 2 "AQ==" "Bw=="`, `{"answer":"CA==","used":3,"receipt":"CQ=="}`},
		{"CallSeed", `{"op":"OP_SEED_RESTORE","request":"AQ==","session":"Bw=="}`, byPhone, newcomer, `CallSeed "seed-restore" 0 "AQ==" "Bw=="`, `{"answer":"CA==","used":3,"receipt":"CQ=="}`},
		{"FinishSession", `{"session":"Bw=="}`, byPhone, newcomer, `FinishSession "Bw=="`, `{}`},
		{"ListReceipts", `{"after":"3"}`, byBackend, account.Caller{Kind: account.Backend, App: "demo"}, `ListReceipts 3 100`,
			`{"receipts":[{"seq":"4","vault":"v1","signed":"CQ==","at":"AT"}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.body, func(t *testing.T) {
			f := &fakeRecovery{}
			b := newBench(t, true, func(o *rpc.Options) { o.Apps[0].Recovery = f })
			header := []string{"Staunch-App: demo"}
			if tt.by == byPhone {
				header = append(header, session)
			}
			if tt.by != "" {
				header = append(header, tt.by)
			}
			a := b.call(t, recoveryPath+tt.method, long(tt.body), header...)
			if a.status != http.StatusOK {
				t.Fatalf("%d %s", a.status, a.body)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, []byte(a.body)); err != nil {
				t.Fatal(err)
			}
			if got := short(compact.String()); got != tt.answer {
				t.Errorf("answer\n%s\nwant\n%s", got, tt.answer)
			}
			if got := short(f.asked); got != tt.asked {
				t.Errorf("asked\n%s\nwant\n%s", got, tt.asked)
			}
			c := f.caller
			if c.Kind != tt.caller.Kind || c.App != "demo" || c.Account != tt.caller.Account || c.Device != tt.caller.Device || c.Key == "k" != (tt.caller.Key == "k") {
				t.Errorf("caller %+v, want %+v", c, tt.caller)
			}
			if c.Kind != account.Backend && c.Network != "network of 127.0.0.1" {
				t.Errorf("network %q", c.Network)
			}
			if log := b.log.String(); strings.Contains(log, someAccount) || strings.Contains(log, someToken) || strings.Contains(log, "Bw==") {
				t.Errorf("log: %s", log)
			}
			if n := len(b.calls); n != 1 || b.calls[0].Procedure != recoveryPath+tt.method || b.calls[0].Caller != tt.caller.Kind || b.calls[0].Code != "ok" {
				t.Errorf("observed %+v", b.calls)
			}
			op := map[string]string{"CallVault": "evaluate v1", "CallSeed": "seed-restore"}[tt.method]
			if got := strings.TrimSpace(b.calls[0].Op + " " + b.calls[0].Vault); got != op {
				t.Errorf("observed %q, want %q", got, op)
			}
		})
	}
}

// TestRecoveryRefusals: what is malformed, what a server without the pillar says,
// and the reasons of the pillar.
func TestRecoveryRefusals(t *testing.T) {
	reg := b64(16, 1)
	for _, tt := range []struct {
		method, body, reason string
	}{
		{"PutBlob", `{"regId":"AQ=="}`, "RECOVERY_MALFORMED"},
		{"CommitBackup", `{"regId":"AQ==","stage":"STAGE_UPDATED"}`, "RECOVERY_MALFORMED"},
		{"CommitBackup", `{"regId":"` + reg + `"}`, "RECOVERY_MALFORMED"},
		{"CommitBackup", `{"regId":"` + reg + `","stage":"STAGE_UPDATED","hash":"AQ=="}`, "RECOVERY_MALFORMED"},
		{"CallVault", `{"vault":"v1"}`, "RECOVERY_MALFORMED"},
		{"CallVault", `{"vault":"v1","op":9}`, "RECOVERY_MALFORMED"},
		{"CallSeed", `{"op":300}`, "RECOVERY_MALFORMED"},
		{"OpenSession", `{"account":"x"}`, "REQUEST_MALFORMED"},
		{"FinishSession", `{}`, "REQUEST_MALFORMED"},
		{"GetBackup", `{"x":1}`, "REQUEST_MALFORMED"},
	} {
		b := newBench(t, false, func(o *rpc.Options) { o.Apps[0].Recovery = &fakeRecovery{} })
		if a := b.call(t, recoveryPath+tt.method, tt.body, byPhone, session); a.reason() != tt.reason || leaks(a.body) {
			t.Errorf("%s %s: %s, want %s", tt.method, tt.body, a.body, tt.reason)
		}
	}
	for _, method := range []string{"GetConfig", "GetBackup", "OpenSession", "FinishSession"} {
		b := newBench(t, false, nil)
		if a := b.call(t, recoveryPath+method, map[bool]string{true: `{"session":"Bw=="}`, false: `{}`}[method == "FinishSession"], byPhone, session); a.reason() != "RECOVERY_OFF" {
			t.Errorf("%s without the pillar: %s", method, a.body)
		}
	}
	for _, err := range []error{recovery.ErrMalformed, recovery.ErrProfile, recovery.ErrVaultUnavailable} {
		b := newBench(t, false, func(o *rpc.Options) { o.Apps[0].Recovery = &fakeRecovery{err: err} })
		b.call(t, recoveryPath+"CallVault", `{"vault":"anything","op":"OP_EVALUATE","request":"AQ=="}`, byPhone, session)
		if got := b.calls[0]; (got.Vault == "anything") != (err == recovery.ErrVaultUnavailable) { //nolint:errorlint // it is this one
			t.Errorf("%v: observed %+v", err, got)
		}
	}
	for _, tt := range []struct {
		err    error
		status int
		reason string
	}{
		{recovery.ErrNotFound, 404, "RECOVERY_NOT_FOUND"},
		{recovery.ErrTicket, 403, "RECOVERY_TICKET"},
		{recovery.ErrSession, 400, "RECOVERY_SESSION"},
		{recovery.ErrStale, 409, "RECOVERY_STALE"},
		{recovery.ErrEpoch, 409, "RECOVERY_EPOCH"},
		{recovery.ErrAmnesia, 503, "RECOVERY_AMNESIA"},
		{recovery.ErrFuture, 503, "RECOVERY_FUTURE"},
		{recovery.ErrVaultUnavailable, 503, "RECOVERY_VAULT_UNAVAILABLE"},
		{recovery.ErrStoreUnavailable, 503, "RECOVERY_STORE_UNAVAILABLE"},
		{&recovery.RateError{RetryAt: at}, 429, "RECOVERY_RATE"},
		{recovery.ErrBlob, 400, "RECOVERY_BLOB"},
		{recovery.ErrMalformed, 400, "RECOVERY_MALFORMED"},
		{recovery.ErrProfile, 400, "RECOVERY_PROFILE"},
	} {
		f := &fakeRecovery{err: fmt.Errorf("%w: %s", tt.err, "more")}
		b := newBench(t, false, func(o *rpc.Options) { o.Apps[0].Recovery = f })
		a := b.call(t, recoveryPath+"GetBackup", `{}`, byPhone, session)
		if a.status != tt.status || a.reason() != tt.reason {
			t.Errorf("%v: %d %s", tt.err, a.status, a.body)
		}
		if tt.reason == "RECOVERY_RATE" && a.Details[0].Debug.Metadata["retry_at"] != "2026-11-22T12:00:00.000Z" {
			t.Errorf("%v", a.Details[0].Debug.Metadata)
		}
	}
}
