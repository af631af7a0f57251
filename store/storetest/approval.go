package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// asked has no field at its zero value.
func asked(id account.ApprovalID, of account.ID) integrity.ApprovalRow {
	return integrity.ApprovalRow{
		ID: id, Account: of, Action: account.RemoveDevice, Params: json.RawMessage(`{"b": 1, "a":"é"}`), Text: "Remove “Pixel 8”?",
		Nonce: []byte{1, 0}, Challenge: []byte{2}, Need: account.Bound,
		By:        integrity.Creator{Kind: account.Phone, Device: "d_1", Session: "s_1"},
		CreatedAt: at(1), ExpiresAt: at(6), State: integrity.StateConfirmed, Proof: json.RawMessage(`{"p": 1}`), EndedAt: at(2), MAC: []byte{9, 0},
	}
}

func testApprovals(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	add := func(a integrity.ApprovalRow) {
		t.Helper()
		update(t, s, func(tx Tx) error { return tx.AddApproval(ctx, a) })
	}
	byID := func(id account.ApprovalID, wanted bool) integrity.ApprovalRow {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (integrity.ApprovalRow, bool, error) { return tx.Approval(ctx, id) })
	}
	least := integrity.ApprovalRow{ID: "v_2", Account: alice, CreatedAt: at(9), ExpiresAt: at(14), State: integrity.StateOpen, MAC: []byte{1}}
	for _, a := range []integrity.ApprovalRow{asked("v_1", alice), least} {
		add(a)
		same(t, a, byID(a.ID, true))
	}
	byID("v_9", false)
	refused(t, s, "an approval twice", func(tx Tx) error { return tx.AddApproval(ctx, least) })

	// The open ones of an account, by time.
	early, bobs := least, least
	early.ID, early.CreatedAt, bobs.ID, bobs.Account = "v_3", at(4), "v_4", bob
	add(early)
	add(bobs)
	all := look(t, s, func(tx Tx) ([]integrity.ApprovalRow, error) { return tx.Approvals(ctx, alice) })
	same(t, []integrity.ApprovalRow{early, least}, all)

	// Compare and swap: of many, one; and never again.
	proof := []byte(`{"signature": "x"}`)
	least.State, least.Proof, least.EndedAt, least.MAC = integrity.StateConfirmed, proof, at(10), []byte{2}
	swap := least
	swap.Text, swap.Need = "another", account.Exact // which does not change
	onlyOne(t, s, func(tx Tx) (bool, error) { return tx.EndApproval(ctx, swap) })
	same(t, least, byID("v_2", true))
	denied := func(id account.ApprovalID) integrity.ApprovalRow {
		return integrity.ApprovalRow{ID: id, State: integrity.StateDenied, EndedAt: at(11), MAC: []byte{3}}
	}
	for _, id := range []account.ApprovalID{"v_1", "v_2", "v_9"} {
		if act(t, s, func(tx Tx) (bool, error) { return tx.EndApproval(ctx, denied(id)) }) {
			t.Errorf("%s was ended a second time, or is not there", id)
		}
	}
	if !act(t, s, func(tx Tx) (bool, error) { return tx.EndApproval(ctx, denied("v_3")) }) {
		t.Error("v_3 was open")
	}
	early.State, early.EndedAt, early.MAC = integrity.StateDenied, at(11), []byte{3}
	same(t, early, byID("v_3", true))

	for i, id := range []account.ApprovalID{"v_5", "v_6", "v_7"} {
		old := asked(id, alice)
		old.ExpiresAt = at(5).Add(-time.Duration(i+1) * time.Microsecond)
		add(old)
	}
	kept := asked("v_8", alice)
	kept.ExpiresAt = at(5)
	add(kept)
	sweep(t, s, func(tx Tx, limit int) (int, error) { return tx.DeleteApprovals(ctx, at(5), limit) })
	byID("v_5", false)
	same(t, kept, byID("v_8", true))
}

func testPendings(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	add := func(p integrity.PendingRow) {
		t.Helper()
		update(t, s, func(tx Tx) error { return tx.AddPending(ctx, p) })
	}
	byID := func(id account.PendingID, wanted bool) integrity.PendingRow {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (integrity.PendingRow, bool, error) { return tx.Pending(ctx, id) })
	}
	done := integrity.PendingRow{
		ID: "p_1", Account: alice, Action: account.DeleteAccount, Params: json.RawMessage(`{"b": 1}`),
		By:        integrity.Creator{Kind: account.Browser, Device: "d_1", Session: "s_1"},
		CreatedAt: at(1), OpensAt: at(2), State: integrity.StateCancelled, EndedAt: at(3), MAC: []byte{9, 0},
	}
	least := integrity.PendingRow{ID: "p_2", Account: alice, Action: account.DeleteAccount, CreatedAt: at(9), OpensAt: at(20), State: integrity.StateOpen, MAC: []byte{1}}
	first, bobs := least, least
	first.ID, first.CreatedAt, first.OpensAt, bobs.ID, bobs.Account, bobs.OpensAt = "p_3", at(4), at(30), "p_4", bob, at(10)
	bobs.Action = account.UnfreezeAccount
	both := []account.Action{account.DeleteAccount, account.UnfreezeAccount}
	due := func(p integrity.PendingRow) integrity.Due { return integrity.Due{At: p.OpensAt, ID: string(p.ID)} }
	for _, p := range []integrity.PendingRow{done, least, first, bobs} {
		add(p)
		same(t, p, byID(p.ID, true))
	}
	byID("p_9", false)

	same(t, []integrity.PendingRow{first, least}, look(t, s, func(tx Tx) ([]integrity.PendingRow, error) { return tx.Pendings(ctx, alice) }))
	for _, tt := range []struct {
		id     account.ID
		action account.Action
		since  time.Time
		want   []integrity.PendingRow
	}{
		{alice, account.DeleteAccount, at(1), []integrity.PendingRow{done, first, least}}, // in any state, by time
		{alice, account.DeleteAccount, at(1).Add(time.Microsecond), []integrity.PendingRow{first, least}},
		{alice, account.DeleteAccount, at(4), []integrity.PendingRow{first, least}},
		{alice, account.DeleteAccount, at(10), nil},
		{alice, account.UnfreezeAccount, at(1), nil},
		{bob, account.UnfreezeAccount, at(1), []integrity.PendingRow{bobs}},
	} {
		same(t, tt.want, look(t, s, func(tx Tx) ([]integrity.PendingRow, error) {
			return tx.PendingsSince(ctx, tt.id, tt.action, tt.since)
		}))
	}
	tests := []struct {
		now     time.Time
		actions []account.Action
		after   integrity.Due
		limit   int
		want    []integrity.PendingRow
	}{
		{at(10).Add(-time.Microsecond), both, integrity.Due{}, 9, nil},
		{at(10), both, integrity.Due{}, 9, []integrity.PendingRow{bobs}},
		{at(30), both, integrity.Due{}, 9, []integrity.PendingRow{bobs, least, first}},
		{at(30), both, integrity.Due{}, 2, []integrity.PendingRow{bobs, least}},
		{at(30), both, due(bobs), 9, []integrity.PendingRow{least, first}},
		{at(30), both[:1], integrity.Due{}, 9, []integrity.PendingRow{least, first}},
		{at(30), []account.Action{account.StartRecovery}, integrity.Due{}, 9, nil},
	}
	for _, tt := range tests {
		got := look(t, s, func(tx Tx) ([]integrity.Due, error) {
			return tx.PendingDue(ctx, tt.now, tt.actions, tt.after, tt.limit)
		})
		same(t, names(tt.want, due), got)
	}

	least.State, least.EndedAt, least.MAC = integrity.StateFinished, at(20), []byte{2}
	swap := least
	swap.Action, swap.OpensAt = account.UnfreezeAccount, at(21) // which do not change
	onlyOne(t, s, func(tx Tx) (bool, error) { return tx.EndPending(ctx, swap) })
	same(t, least, byID("p_2", true))
	for _, id := range []account.PendingID{"p_1", "p_2", "p_9"} {
		if act(t, s, func(tx Tx) (bool, error) {
			return tx.EndPending(ctx, integrity.PendingRow{ID: id, State: integrity.StateCancelled, EndedAt: at(21), MAC: []byte{3}})
		}) {
			t.Errorf("%s was ended a second time, or is not there", id)
		}
	}
	same(t, []integrity.Due{due(bobs), due(first)}, look(t, s, func(tx Tx) ([]integrity.Due, error) { return tx.PendingDue(ctx, at(30), both, integrity.Due{}, 9) }))
}
