package integrity_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// TestVerifyProof: what is kept of an approval proves it without the server, and
// whatever is changed proves nothing.
func TestVerifyProof(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	out := must[*integrity.Confirmed](t)(p.do(account.ChangeHandle, "handle", "Alice"))
	kept := read(r, func(tx integrity.Tx) (integrity.ApprovalRow, error) {
		row, _, err := tx.Approval(t.Context(), out.Approval.ID)
		return row, err
	})
	record := func(p *phone) passkey.Record {
		all := read(r, func(tx integrity.Tx) ([]account.Credential, error) { return tx.Credentials(t.Context(), p.account) })
		return must[passkey.Record](t)(passkey.ParseRecord(all[0].Record))
	}
	got, err := integrity.VerifyProof(r.opts.Passkey, record(p), kept.Proof)
	if err != nil {
		t.Fatal(err)
	}
	if got.Account != p.account || got.Approval != out.Approval.ID || got.Action != account.ChangeHandle || got.App != "demo" ||
		got.Parameters != sha256.Sum256([]byte(`{"handle":"Alice"}`)) || got.Text != out.Text || !got.Expires.Equal(out.Approval.ExpiresAt) {
		t.Errorf("approved %+v", got)
	}
	other := must[*passkey.RelyingParty](t)(passkey.New(&passkey.Options{
		App: "demo", RPID: "example.com", Name: "Demo", Origins: []string{"https://example.com"}, Policy: findingsPolicy(),
	}))
	if _, err := integrity.VerifyProof(other, record(p), kept.Proof); !errors.Is(err, integrity.ErrProof) {
		t.Errorf("another Relying Party: %v", err)
	}
	if _, err := integrity.VerifyProof(r.opts.Passkey, record(r.enrol()), kept.Proof); !errors.Is(err, integrity.ErrProof) {
		t.Errorf("another passkey: %v", err)
	}
	for name, change := range map[string]func(m map[string]any){
		"version":            func(m map[string]any) { m["v"] = 2 },
		"unknown member":     func(m map[string]any) { m["x"] = 1 },
		"preimage":           flipped("preimage"),
		"client data":        flipped("client_data"),
		"authenticator data": flipped("authenticator_data"),
		"signature":          flipped("signature"),
		"record":             flipped("record"),
		"empty":              func(m map[string]any) { clear(m) },
		"short preimage":     func(m map[string]any) { m["preimage"] = m["preimage"].([]byte)[:40] },
		"long preimage":      func(m map[string]any) { m["preimage"] = append(m["preimage"].([]byte), 0) },
	} {
		var m map[string]any
		if err := json.Unmarshal(kept.Proof, &m); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"preimage", "client_data", "authenticator_data", "signature", "record"} {
			var b []byte
			if err := json.Unmarshal([]byte(`"`+m[k].(string)+`"`), &b); err != nil {
				t.Fatal(err)
			}
			m[k] = b
		}
		change(m)
		if _, err := integrity.VerifyProof(r.opts.Passkey, record(p), must[[]byte](t)(json.Marshal(m))); !errors.Is(err, integrity.ErrProof) {
			t.Errorf("%s changed: %v", name, err)
		}
	}
}

// flipped changes the last bit of a member.
func flipped(member string) func(m map[string]any) {
	return func(m map[string]any) {
		b := m[member].([]byte)
		b[len(b)-1] ^= 1
	}
}
