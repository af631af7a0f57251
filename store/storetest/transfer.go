package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
)

// moving has no field at its zero value.
func moving(id transfer.ID, of account.ID) transfer.Transfer {
	return transfer.Transfer{
		ID: id, Version: 7, State: transfer.Streaming, Reason: transfer.Quota, Account: of, SenderDevice: "d_1", SenderKey: "k1", ReceiverKey: "k2",
		NewDevice: "d_2", Class: handover.ClassLAN, HoldReasons: []string{"class", "new_country"},
		CreatedAt: at(1), ConfirmedAt: at(2), Opens: at(3), Moved: at(4), Deadline: at(5), CommittedAt: at(6), AckedAt: at(7), RecallUntil: at(8), FrozenSince: at(9),
		EndedAt: at(10), Revision: 2, BytesExpected: 1 << 40, BytesStored: 1 << 39, RecordAcked: 99,
		HoldShare: mac(1), CommitShare: mac(2), SealedKeys: []byte{3}, Passkey: []byte{4}, Verdict: `{"verdict":"pass"}`, Place: "Seoul, South Korea", Network: "n",
		Offer: []byte{11}, Hello: []byte{12}, Answer: []byte{13}, Matched: []byte{14}, Confirm: []byte{15}, Grant: []byte{16}, Receipt: []byte{17}, Ack: []byte{18},
		Recall: []byte{19}, Final: []byte{20}, Stamps: map[handover.Step]uint64{handover.StepOffer: 1, handover.StepHello: 3}, MAC: mac(9),
	}
}

// offered has few fields.
func offered(id transfer.ID, n int) transfer.Transfer {
	return transfer.Transfer{ID: id, Version: 1, State: transfer.Offered, CreatedAt: at(n), Deadline: at(n + 2), Offer: []byte{1}, MAC: mac(1)}
}

func transferOf(t *testing.T, s Store, id transfer.ID, wanted bool) transfer.Transfer {
	t.Helper()
	return get(t, s, wanted, func(tx Tx) (transfer.Transfer, bool, error) { return tx.Transfer(t.Context(), id) })
}

func addTransfer(t *testing.T, s Store, all ...transfer.Transfer) {
	t.Helper()
	for _, one := range all {
		update(t, s, func(tx Tx) error { return tx.AddTransfer(t.Context(), one) })
	}
}

// testTransfers: an account moves once at a time, and a phone hands it over once.
func testTransfers(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	full, least := moving("t_1", alice), offered("t_2", 1)
	addTransfer(t, s, full, least)
	same(t, full, transferOf(t, s, "t_1", true))
	same(t, least, transferOf(t, s, "t_2", true))
	transferOf(t, s, "t_9", false)

	put := func(v transfer.Transfer, was uint64) (ok bool, err error) {
		err = s.Update(ctx, func(tx Tx) (err error) {
			ok, err = tx.PutTransfer(ctx, v, was)
			return err
		})
		return ok, err
	}
	changed := moving("t_2", bob)
	changed.CreatedAt, changed.Offer = least.CreatedAt, least.Offer
	other := changed
	other.CreatedAt, other.Offer = at(90), []byte{90} // these never change
	for _, was := range []uint64{0, 2, 7} {
		if ok, err := put(other, was); ok || err != nil {
			t.Errorf("it was %d: %v, %v", was, ok, err)
		}
	}
	same(t, least, transferOf(t, s, "t_2", true))
	onlyOne(t, s, func(tx Tx) (bool, error) { return tx.PutTransfer(ctx, other, 1) })
	same(t, changed, transferOf(t, s, "t_2", true))
	if ok, err := put(moving("t_9", bob), 7); ok || err != nil {
		t.Errorf("changed what is not there: %v, %v", ok, err)
	}

	for _, tt := range []struct {
		name          string
		state         transfer.State
		of            account.ID
		by            account.DeviceID
		put, inserted error
	}{
		{"no account yet", transfer.Offered, "", "", nil, nil},
		{"another account", transfer.Claimed, "a_3", "d_3", nil, nil},
		{"ended", transfer.Aborted, alice, "d_1", nil, nil},
		{"recalled", transfer.Recalled, alice, "d_1", nil, nil},
		{"claimed", transfer.Claimed, alice, "d_3", transfer.ErrLive, transfer.ErrLive},
		{"held", transfer.Held, alice, "d_3", transfer.ErrLive, transfer.ErrLive},
		{"streaming", transfer.Streaming, alice, "d_3", transfer.ErrLive, transfer.ErrLive},
		{"sealed", transfer.Sealed, alice, "d_3", transfer.ErrLive, transfer.ErrLive},
		{"committed, another phone", transfer.Committed, alice, "d_3", nil, nil},
		{"committed", transfer.Committed, alice, "d_5", transfer.ErrConflict, transfer.ErrConflict},
		{"acked", transfer.Acked, bob, "d_5", transfer.ErrConflict, transfer.ErrConflict},
		{"final", transfer.Final, alice, "d_5", transfer.ErrConflict, transfer.ErrConflict},
		{"handed over, live", transfer.Claimed, "a_3", "d_5", nil, nil},
		{"ID", transfer.Offered, "", "", nil, transfer.ErrConflict},
	} {
		s := fresh(t, open)
		done := moving("t_5", "a_5")
		done.State, done.SenderDevice = transfer.Committed, "d_5"
		addTransfer(t, s, moving("t_1", alice), done, offered("t_2", 1))
		v := moving("t_3", tt.of)
		v.State, v.SenderDevice = tt.state, tt.by
		if tt.name == "ID" {
			v.ID = "t_2"
		}
		if err := s.Update(ctx, func(tx Tx) error { return tx.AddTransfer(ctx, v) }); !errors.Is(err, tt.inserted) || (err == nil) != (tt.inserted == nil) {
			t.Errorf("%s: added: %v, want %v", tt.name, err, tt.inserted)
		}
		if tt.inserted == nil {
			update(t, s, func(tx Tx) error { _, err := tx.PutTransfer(ctx, offered("t_3", 1), v.Version); return err })
		}
		v.ID = "t_2"
		err := s.Update(ctx, func(tx Tx) error { _, err := tx.PutTransfer(ctx, v, 1); return err })
		if !errors.Is(err, tt.put) || (err == nil) != (tt.put == nil) {
			t.Errorf("%s: put: %v, want %v", tt.name, err, tt.put)
		}
	}
	beyond := offered("t_8", 1)
	beyond.BytesExpected = 1 << 63
	refused(t, s, "a number that is none", func(tx Tx) error { return tx.AddTransfer(ctx, beyond) })
}

// testTransfersDue: whose time has come, and whose account and device they are of.
func testTransfersDue(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	in := func(id transfer.ID, of account.ID, by account.DeviceID, state transfer.State, change func(*transfer.Transfer)) transfer.Transfer {
		v := transfer.Transfer{ID: id, Version: 1, State: state, Account: of, SenderDevice: by, CreatedAt: at(1), Offer: []byte{1}, MAC: mac(1)}
		change(&v)
		addTransfer(t, s, v)
		return v
	}
	first := in("t_5", "", "", transfer.Offered, func(v *transfer.Transfer) { v.Deadline = at(5) })
	live := in("t_2", alice, "d_1", transfer.Streaming, func(v *transfer.Transfer) { v.Opens, v.Deadline, v.CreatedAt = at(2), at(6), at(3) })
	in("t_3", bob, "d_3", transfer.Held, func(v *transfer.Transfer) { v.Opens, v.Deadline = at(5), at(50) })
	moved := in("t_4", alice, "d_4", transfer.Acked, func(v *transfer.Transfer) { v.RecallUntil, v.NewDevice, v.CreatedAt = at(5), "d_1", at(2) })
	frozen := in("t_6", alice, "d_5", transfer.Acked, func(v *transfer.Transfer) { v.RecallUntil, v.FrozenSince, v.NewDevice = at(2), at(1), "d_4" })
	waits := in("t_7", alice, "d_6", transfer.Committed, func(v *transfer.Transfer) { v.CreatedAt = at(4) })
	over := in("t_8", alice, "d_1", transfer.Aborted, func(v *transfer.Transfer) { v.Opens, v.Deadline, v.EndedAt = at(1), at(1), at(2) })
	in("t_9", alice, "d_7", transfer.Final, func(v *transfer.Transfer) { v.RecallUntil, v.EndedAt = at(1), at(2) })
	for _, tt := range []struct {
		now   time.Time
		after transfer.ID
		limit int
		want  []transfer.ID
	}{
		{at(5).Add(-time.Microsecond), "", 9, nil},
		{at(5), "", 9, []transfer.ID{"t_3", "t_4", "t_5"}},
		{at(6), "", 9, []transfer.ID{"t_2", "t_3", "t_4", "t_5"}},
		{at(90), "", 3, []transfer.ID{"t_2", "t_3", "t_4"}},
		{at(90), "t_4", 3, []transfer.ID{"t_5"}},
	} {
		same(t, tt.want, look(t, s, func(tx Tx) ([]transfer.ID, error) { return tx.TransfersDue(ctx, tt.now, tt.after, tt.limit) }))
	}
	of := func(id account.ID) []transfer.Transfer {
		t.Helper()
		return look(t, s, func(tx Tx) ([]transfer.Transfer, error) { return tx.TransfersOf(ctx, id) })
	}
	same(t, []transfer.Transfer{frozen, moved, live, waits}, of(alice))
	same(t, []transfer.Transfer(nil), of("")) // what nobody has claimed is of no account
	with := func(id account.DeviceID) []transfer.Transfer {
		t.Helper()
		return look(t, s, func(tx Tx) ([]transfer.Transfer, error) { return tx.TransfersOfDevice(ctx, id) })
	}
	same(t, []transfer.Transfer{over, moved, live}, with("d_1"))
	same(t, []transfer.Transfer{frozen, moved}, with("d_4"))
	same(t, []transfer.Transfer(nil), with(""))
	all := func(after transfer.ID, limit int) []transfer.ID {
		t.Helper()
		rows := look(t, s, func(tx Tx) ([]transfer.Transfer, error) { return tx.Transfers(ctx, after, limit) })
		return names(rows, func(v transfer.Transfer) transfer.ID { return v.ID })
	}
	same(t, []transfer.ID{"t_2", "t_3"}, all("", 2))
	same(t, []transfer.ID{"t_8", "t_9"}, all("t_7", 9))
	same(t, first, transferOf(t, s, "t_5", true))
}

// testTransferSweep: what has ended goes with all that it had; a place is forgotten
// before.
func testTransferSweep(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	add := func(id transfer.ID, state transfer.State, ended time.Time) transfer.Transfer {
		v := moving(id, account.ID("a_"+id))
		v.State, v.EndedAt, v.SenderDevice = state, ended, account.DeviceID("d_"+id)
		addTransfer(t, s, v)
		update(t, s, func(tx Tx) error {
			return errors.Join(tx.PutTransferToken(ctx, transfer.Token{Hash: [32]byte([]byte(id + "                             ")), Transfer: id, Party: transfer.Sender}),
				tx.AddSegment(ctx, transfer.Segment{Transfer: id, Revision: 1, Records: 1, Bytes: 10}))
		})
		return v
	}
	add("t_1", transfer.Aborted, at(4))
	add("t_2", transfer.Final, at(3))
	add("t_3", transfer.Recalled, at(5).Add(-time.Microsecond))
	late := add("t_4", transfer.Aborted, at(5))
	live := add("t_5", transfer.Committed, time.Time{})
	for i, id := range []transfer.ID{"t_a", "t_b", "t_c", "t_d"} {
		alone := offered(id, 0)
		alone.State, alone.EndedAt = transfer.Aborted, at(2+i)
		addTransfer(t, s, alone)
	}
	sweep(t, s, func(tx Tx, limit int) (int, error) { return tx.DeleteUnclaimed(ctx, at(5), limit) })
	transferOf(t, s, "t_c", false)
	transferOf(t, s, "t_d", true) // ended at five
	transferOf(t, s, "t_1", true) // was claimed
	sweep(t, s, func(tx Tx, limit int) (int, error) { return tx.DeleteTransfers(ctx, at(5), limit) })
	for _, id := range []transfer.ID{"t_1", "t_2", "t_3"} {
		transferOf(t, s, id, false)
		get(t, s, false, func(tx Tx) (transfer.Segment, bool, error) { return tx.Segment(ctx, id, 1, 0) })
		get(t, s, false, func(tx Tx) (transfer.Token, bool, error) {
			return tx.TransferToken(ctx, [32]byte([]byte(id+"                             ")))
		})
	}
	same(t, late, transferOf(t, s, "t_4", true))
	same(t, live, transferOf(t, s, "t_5", true))
	get(t, s, true, func(tx Tx) (transfer.Segment, bool, error) { return tx.Segment(ctx, "t_4", 1, 0) })
	if own, all := space(t, s, "t_4"); own != 10 || all != 20 {
		t.Errorf("%d of %d bytes, want 10 of 20", own, all)
	}

	for i, id := range []transfer.ID{"t_6", "t_7", "t_8"} {
		v := offered(id, 0)
		if v.Place = "Seoul"; i == 1 {
			v.Place, v.Network = "", "n"
		}
		addTransfer(t, s, v)
	}
	sweep(t, s, func(tx Tx, limit int) (int, error) { return tx.ForgetPlaces(ctx, at(1), limit) })
	same(t, offered("t_6", 0), transferOf(t, s, "t_6", true))
	same(t, offered("t_7", 0), transferOf(t, s, "t_7", true))
	same(t, late, transferOf(t, s, "t_4", true)) // of at(1)
}

// testTransferTokens: a token is of one party of one transfer.
func testTransferTokens(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	one := transfer.Token{Hash: [32]byte{1}, Transfer: "t_1", Party: transfer.Sender}
	put := func(k transfer.Token) error {
		return s.Update(ctx, func(tx Tx) error { return tx.PutTransferToken(ctx, k) })
	}
	for range 2 { // the same again is no failure
		if err := put(one); err != nil {
			t.Fatal(err)
		}
	}
	for name, k := range map[string]transfer.Token{
		"another transfer's": {Hash: [32]byte{1}, Transfer: "t_2", Party: transfer.Sender},
		"the other party's":  {Hash: [32]byte{1}, Transfer: "t_1", Party: transfer.Receiver},
		"a second one":       {Hash: [32]byte{2}, Transfer: "t_1", Party: transfer.Sender},
	} {
		if err := put(k); !errors.Is(err, transfer.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, k := range []transfer.Token{{Hash: [32]byte{2}, Transfer: "t_1", Party: transfer.Receiver}, {Hash: [32]byte{3}, Transfer: "t_2", Party: transfer.Sender}} {
		if err := put(k); err != nil {
			t.Fatal(err)
		}
		same(t, k, get(t, s, true, func(tx Tx) (transfer.Token, bool, error) { return tx.TransferToken(ctx, k.Hash) }))
	}
	same(t, one, get(t, s, true, func(tx Tx) (transfer.Token, bool, error) { return tx.TransferToken(ctx, one.Hash) }))
	get(t, s, false, func(tx Tx) (transfer.Token, bool, error) { return tx.TransferToken(ctx, [32]byte{9}) })
}
