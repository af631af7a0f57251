package sqlite

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/store"
)

const alice, bob account.ID = "a_aaaaaaaaaaaaaaaaaaaaaaaaaa", "a_bbbbbbbbbbbbbbbbbbbbbbbbbb"

var rowKey = []byte("a key of the rows' MACs, 32 byte")

// peopled makes a store with two accounts, each with a device and a passkey,
// told of by one entry each; alice has a session, and an approval, a join and a
// pending action that are open. To be told apart, the ids of what is hers end in
// 1, and of what is his in 2.
func peopled(t *testing.T, s *Store) *Store {
	t.Helper()
	ctx := t.Context()
	err := s.Update(ctx, func(tx *Tx) error {
		for i, id := range []account.ID{alice, bob} {
			n := string(rune('1' + i))
			a := account.Account{ID: id, UserHandle: [64]byte{byte(i)}, State: account.Active, CreatedAt: noon}
			d := account.Device{ID: account.DeviceID("d_" + n), Account: id, State: account.Active, KeyID: "k" + n, AddedAt: noon}
			c := account.Credential{
				Ref: account.CredentialRef("c_" + n), Account: id, RPID: "example.org", CredentialID: []byte{byte(i)}, Record: []byte("{}"),
				State: account.CredentialActive, AddedAt: noon, Devices: []account.DeviceID{d.ID},
			}
			if i == 1 {
				d.State = account.Deleted // a tombstone is told of like any other
			}
			a.MAC, d.MAC, c.MAC = a.Seal(rowKey), d.Seal(rowKey), c.Seal(rowKey)
			e := audit.Entry{Account: id, Time: noon, Actor: audit.Actor{Kind: account.System}, Action: "account.enrol", Subject: string(id)}
			sum := a.Digest()
			e.Object = sum[:]
			var err error
			e.Detail, err = json.Marshal(audit.Detail{Rows: map[string]audit.Digest{string(d.ID): d.Digest(), string(c.Ref): c.Digest()}})
			if err != nil {
				return err
			}
			err = errors.Join(tx.PutAccount(ctx, a, ""), tx.PutDevice(ctx, d), tx.AddCredential(ctx, c, []byte("evidence")), tx.AppendAudit(ctx, e))
			if err != nil {
				return err
			}
		}
		sess := account.Session{ID: "s_1", Account: alice, Kind: account.PhoneSession, CreatedAt: noon, Until: noon, TokenHash: [32]byte{1}}
		v := integrity.ApprovalRow{ID: "v_1", Account: alice, CreatedAt: noon, ExpiresAt: noon, State: integrity.StateOpen}
		j := integrity.JoinRow{ID: "j_1", Account: alice, CreatedAt: noon, ExpiresAt: noon, State: integrity.StateOpen}
		p := integrity.PendingRow{ID: "p_1", Account: alice, CreatedAt: noon, OpensAt: noon, State: integrity.StateOpen}
		sess.MAC, v.MAC, j.MAC, p.MAC = sess.Seal(rowKey), v.Seal(rowKey), j.Seal(rowKey), p.Seal(rowKey)
		return errors.Join(tx.AddSession(ctx, sess, sess.TokenHash), tx.AddApproval(ctx, v), tx.AddJoin(ctx, j), tx.AddPending(ctx, p))
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestKeyedFindsChanges: a row that somebody changed at the file has a wrong MAC,
// or is not what the record tells.
func TestKeyedFindsChanges(t *testing.T) {
	tests := []struct {
		name, change string
		kinds        []string // that are found, and no others
	}{
		{"none", ``, nil},
		{"seen and used", `UPDATE device SET last_seen_at = 1; UPDATE session SET last_seen_at = 1`, nil},
		{"account unlocked", `UPDATE account SET state = 'frozen' WHERE id LIKE 'a_a%'`, []string{audit.RowDigest, audit.RowMAC}},
		{"account's end of a hold", `UPDATE account SET hold_until = 1 WHERE id LIKE 'a_a%'`, []string{audit.RowDigest, audit.RowMAC}},
		{"account deleted", `DELETE FROM account WHERE id LIKE 'a_a%'`, []string{audit.EntryWithoutRow}},
		{"device back from the dead", `UPDATE device SET state = 'active'`, []string{audit.RowDigest, audit.RowMAC}},
		{"device with another key", `UPDATE device SET key_id = 'k3' WHERE id = 'd_1'`, []string{audit.RowDigest, audit.RowMAC}},
		{"device moved", `UPDATE device SET account = 'a_bbbbbbbbbbbbbbbbbbbbbbbbbb'`, []string{audit.EntryWithoutRow, audit.RowMAC, audit.RowWithoutEntry}},
		{"device from nowhere", `INSERT INTO device SELECT 'd_3', account, name, platform, state, prior, hold_reason, hold_since, hold_until,
			hold_left, hold_by, 'k3', sealing_alg, sealing_key, tier, attested_at, added_by, added_at, last_seen_at, mac FROM device LIMIT 1`,
			[]string{audit.RowMAC, audit.RowWithoutEntry}},
		{"passkey moved", `UPDATE credential SET account = 'a_bbbbbbbbbbbbbbbbbbbbbbbbbb'`, []string{audit.EntryWithoutRow, audit.RowMAC, audit.RowWithoutEntry}},
		{"passkeys swapped", `UPDATE credential SET credential_id = x'00ff' WHERE ref = 'c_1'; UPDATE credential SET credential_id = x'00' WHERE ref = 'c_2';
			UPDATE credential SET credential_id = x'01' WHERE ref = 'c_1'`, []string{audit.RowDigest, audit.RowMAC}},
		{"counter put back, which the record does not tell", `UPDATE credential SET sign_count = 9 WHERE ref = 'c_1'`, []string{audit.RowMAC}},
		{"MAC emptied", `UPDATE account SET mac = x''`, []string{audit.RowMAC}},
		{"session revived", `UPDATE session SET until = until + 1`, []string{audit.RowMAC}},
		{"session's token swapped", `UPDATE session SET token_hash = randomblob(32)`, []string{audit.RowMAC}},
		{"approval moved", `UPDATE approval SET account = 'a_bbbbbbbbbbbbbbbbbbbbbbbbbb'`, []string{audit.RowMAC}},
		{"join confirmed", `UPDATE joining SET state = 'confirmed'`, []string{audit.RowMAC}},
		{"pending action brought forward", `UPDATE pending SET opens_at = 1`, []string{audit.RowMAC}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			s := peopled(t, openTest(t, path))
			if _, err := raw(t, path).Exec(tt.change); err != nil {
				t.Fatal(err)
			}
			report, err := s.CheckBy(t.Context(), func(tx *Tx) (audit.Report, error) {
				return audit.Check(t.Context(), tx.Keyed(rowKey), &audit.CheckOptions{Now: noon})
			})
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, p := range report.Problems {
				kinds = append(kinds, p.Kind)
			}
			slices.Sort(kinds)
			if kinds = slices.Compact(kinds); !slices.Equal(kinds, tt.kinds) {
				t.Errorf("found %+v, want %q", report.Problems, tt.kinds)
			}
		})
	}
}

// TestKeyedKey: every MAC is wrong by another key, and none is judged without.
func TestKeyedKey(t *testing.T) {
	s := peopled(t, openTest(t, filepath.Join(t.TempDir(), "a.db")))
	for name, tt := range map[string]struct {
		reader func(*Tx) audit.Reader
		want   int
	}{
		"right key":   {func(tx *Tx) audit.Reader { return tx.Keyed(rowKey) }, 0},
		"another key": {func(tx *Tx) audit.Reader { return tx.Keyed(make([]byte, 32)) }, 10},
		"no key":      {func(tx *Tx) audit.Reader { return tx }, 0},
	} {
		report, err := s.CheckBy(t.Context(), func(tx *Tx) (audit.Report, error) {
			return audit.Check(t.Context(), tt.reader(tx), &audit.CheckOptions{Now: noon})
		})
		if err != nil || len(report.Problems) != tt.want {
			t.Errorf("%s: %+v, %v; want %d problems", name, report.Problems, err, tt.want)
		}
	}
}

// TestUnreadable: a row that no program of this kind has written is damage; one
// that was only changed is read as it is, for its MAC to tell.
func TestUnreadable(t *testing.T) {
	const wild = `PRAGMA ignore_check_constraints = 1; `
	tests := []struct {
		change string
		want   error
	}{
		{`UPDATE account SET state = 'locked', mac = x'01', freeze_code = x'02', handle = char(0)`, nil},
		{`UPDATE account SET state = 'unlocked'`, store.ErrDamaged},
		{`UPDATE account SET state = ''`, store.ErrDamaged},
		{`UPDATE account SET prior = 'unlocked'`, store.ErrDamaged},
		{wild + `UPDATE account SET user_handle = x'01' WHERE id LIKE 'a_a%'`, store.ErrDamaged},
		{`UPDATE device SET state = 'frozen', tier = 'best', account = 'nobody'`, nil},
		{`UPDATE device SET state = 'Active'`, store.ErrDamaged},
		{`UPDATE credential SET state = 'best', sign_count = 4294967295, flags = 255, record = x'00'`, nil},
		{`UPDATE credential SET sign_count = 4294967296`, store.ErrDamaged},
		{`UPDATE credential SET sign_count = -1`, store.ErrDamaged},
		{`UPDATE credential SET flags = 256`, store.ErrDamaged},
		{`UPDATE session SET proofs = '[{"method":"best"}]', kind = 'best'`, nil},
		{`UPDATE session SET proofs = '[{'`, store.ErrDamaged},
		{`UPDATE session SET proofs = '[{"at":"yesterday"}]'`, store.ErrDamaged},
	}
	for _, tt := range tests {
		path := filepath.Join(t.TempDir(), "a.db")
		s := peopled(t, openTest(t, path))
		if _, err := raw(t, path).Exec(tt.change); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		err := s.View(ctx, func(tx *Tx) error {
			if _, _, err := tx.Account(ctx, alice); err != nil {
				return err
			}
			if _, _, err := tx.Device(ctx, "d_1"); err != nil {
				return err
			}
			if _, _, err := tx.Credential(ctx, "c_1"); err != nil {
				return err
			}
			_, _, err := tx.Session(ctx, "s_1")
			return err
		})
		if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", tt.change, err, tt.want)
		}
	}
}
