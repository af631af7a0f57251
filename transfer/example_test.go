package transfer_test

import (
	"fmt"
	"time"

	"github.com/staunchid/staunch/transfer"
)

// What a policy does not name is the strictest: twelve hours of hold, and three days
// in which the old phone can take the account back.
func ExampleNew() {
	store := newMemory()
	moves, err := transfer.New(&transfer.Options{
		App: "example", Audience: "example@id.example.com", RowKey: make([]byte, 32),
		Update: store.update, View: store.view, Blobs: &shelf{},
		Policy: transfer.Policy{
			HoldLAN: transfer.NoHold, HoldNear: transfer.NoHold, // the phones have heard each other
			OfferTTL: 2 * time.Minute, ClaimTTL: 5 * time.Minute, IdleTTL: 24 * time.Hour, MaxAge: 7 * 24 * time.Hour, SealTTL: 24 * time.Hour,
			Window: 1 << 30, MaxBytes: 1 << 40, RelaySpace: 100 << 30, KeepEnvelopes: 365 * 24 * time.Hour,
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := moves.Terms()
	fmt.Println("near:", p.HoldNear, "from afar:", p.HoldNone, "recall:", p.RecallWindow)
	// Output: near: 0s from afar: 12h0m0s recall: 72h0m0s
}
