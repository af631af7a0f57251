package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Transfer says how accounts move to a new phone. An app that says nothing has what
// the sample shows.
type Transfer struct {
	// How long a new phone's code can be scanned.
	OfferTTL Duration `toml:"offer_ttl,required"`
	// From the scan until the owner has approved.
	ClaimTTL Duration `toml:"claim_ttl,required"`
	// How long a move may stand still: no new piece from the old phone, no receipt
	// from the new one.
	IdleTTL Duration `toml:"idle_ttl,required"`
	// How long it may take since the approval. Longer than every hold.
	MaxAge Duration `toml:"max_age,required"`
	// How long the new phone has to take the account over once all is sent.
	SealTTL Duration `toml:"seal_ttl,required"`
	// How long the old phone can take the account back after the move.
	RecallWindow Duration `toml:"recall_window,required"`
	// How long nothing can be opened at the new phone while all devices are told, if
	// the phones have not shown that they are side by side. "none" is no hold, and
	// whoever tricks somebody into scanning a picture of his own phone's code reads
	// the history at once.
	HoldNone MoveHold `toml:"hold_none,required"`
	// The same if the new phone was found in the same local network.
	HoldLAN MoveHold `toml:"hold_lan,required"`
	// The same if it was found by Bluetooth or NFC.
	HoldNear MoveHold `toml:"hold_near,required"`
	// The same while something is odd: a new country or network, a recovery or a
	// change of passkeys lately, a phone whose attestation has a warning.
	HoldRisk MoveHold `toml:"hold_risk,required"`
	// How much may wait at the server for one new phone; the old one waits then.
	Window Size `toml:"window,required"`
	// How much history one account may bring.
	MaxBytes Size `toml:"max_bytes,required"`
	// How much may wait for all new phones of the app, in data_dir/blobs. Leave the
	// disk more than that.
	RelaySpace Size `toml:"relay_space,required"`
	// How long what both phones have signed is kept after a move has ended.
	KeepEnvelopes Duration `toml:"keep_envelopes,required"`
	// How long it is kept where the new phone was: its place and network.
	KeepPlaces Duration `toml:"keep_places,required"`
}

// Moves is how the app's accounts move, with the defaults if it does not say.
func (a *App) Moves() Transfer {
	if a.Transfer == nil {
		return defaultTransfer()
	}
	return *a.Transfer
}

func defaultTransfer() Transfer {
	d := func(n time.Duration) Duration { return Duration{n} }
	const day = 24 * time.Hour
	return Transfer{
		OfferTTL: d(2 * time.Minute), ClaimTTL: d(5 * time.Minute), IdleTTL: d(day), MaxAge: d(7 * day), SealTTL: d(day), RecallWindow: d(3 * day),
		HoldNone: MoveHold{d(12 * time.Hour)}, HoldRisk: MoveHold{d(12 * time.Hour)},
		Window: 1 << 30, MaxBytes: 1 << 40, RelaySpace: 100 << 30,
		KeepEnvelopes: d(365 * day), KeepPlaces: d(30 * day),
	}
}

// WithMoves is l with the defaults of the limits of moves that it does not say: a file
// from before there were any goes on being good.
func (l AppLimits) WithMoves() *AppLimits {
	for _, one := range []struct {
		limit     *Limit
		otherwise Limit
	}{
		{&l.MoveOffer, Limit{N: 60, Per: Duration{10 * time.Minute}}}, {&l.MoveClaim, Limit{N: 10, Per: Duration{24 * time.Hour}}},
		{&l.MoveWait, Limit{N: 120, Per: Duration{time.Minute}}}, {&l.MoveRevise, Limit{N: 60, Per: Duration{time.Hour}}},
	} {
		if *one.limit == (Limit{}) {
			*one.limit = one.otherwise
		}
	}
	return &l
}

// leastMove is room for a piece of history from each of the old phone's two
// connections.
const leastMove Size = 16 << 20

// check judges how accounts move.
func (m *Transfer) check(shortWaits bool, bad report) {
	const short = "is under an hour, which leaves the owner no time to notice; write dangerous_short_waits = true for a demo, or a longer time"
	for _, x := range []struct {
		key   string
		value time.Duration
	}{
		{"offer_ttl", m.OfferTTL.Duration}, {"claim_ttl", m.ClaimTTL.Duration}, {"idle_ttl", m.IdleTTL.Duration}, {"max_age", m.MaxAge.Duration},
		{"seal_ttl", m.SealTTL.Duration}, {"recall_window", m.RecallWindow.Duration}, {"keep_envelopes", m.KeepEnvelopes.Duration},
		{"keep_places", m.KeepPlaces.Duration},
	} {
		switch {
		case x.value == 0:
			bad(x.key, "must be longer than zero")
		case x.key == "recall_window" && x.value < time.Hour && !shortWaits:
			bad(x.key, "%s %s", x.value, short)
		}
	}
	for key, hold := range map[string]MoveHold{"hold_none": m.HoldNone, "hold_lan": m.HoldLAN, "hold_near": m.HoldNear, "hold_risk": m.HoldRisk} {
		switch {
		case hold.None():
		case hold.Duration.Duration < time.Hour && !shortWaits:
			bad(key, "%s %s", hold.Duration, short)
		case hold.Duration.Duration >= m.MaxAge.Duration && m.MaxAge.Duration > 0:
			bad(key, "%s is not shorter than max_age, and no move would outlive the hold", hold.Duration)
		}
	}
	for key, size := range map[string]Size{"window": m.Window, "max_bytes": m.MaxBytes, "relay_space": m.RelaySpace} {
		if size < leastMove {
			bad(key, `%s is less than a move needs; write at least %q`, size, leastMove.String())
		}
	}
}

// MoveHold is how long a move is held: a duration, or "none". Only the word is no
// hold.
type MoveHold struct{ Duration Duration }

// None reports whether there is no hold.
func (h MoveHold) None() bool { return h.Duration.Duration == 0 }

// UnmarshalText reads a hold.
func (h *MoveHold) UnmarshalText(text []byte) error {
	if string(text) == "none" {
		*h = MoveHold{}
		return nil
	}
	var d Duration
	if err := d.UnmarshalText(text); err != nil || d.Duration == 0 {
		return fmt.Errorf(`%q is no hold; write it as "12h", or "none" if there is to be none`, text)
	}
	h.Duration = d
	return nil
}

// MarshalText writes a hold so that UnmarshalText reads it.
func (h MoveHold) MarshalText() ([]byte, error) {
	if h.None() {
		return []byte("none"), nil
	}
	return h.Duration.MarshalText()
}

// Size is a number of bytes, written as "512MiB" or "1GiB".
type Size int64

// units of a Size, each 1024 of the one before.
const units = "KMGT"

// UnmarshalText reads a size in KiB, MiB, GiB or TiB.
func (s *Size) UnmarshalText(text []byte) error {
	wrong := fmt.Errorf(`%q is no size; write it as "512MiB", "1GiB" or "1TiB"`, text)
	count, ok := strings.CutSuffix(string(text), "iB")
	if !ok || count == "" {
		return wrong
	}
	power := strings.IndexByte(units, count[len(count)-1])
	if power < 0 {
		return wrong
	}
	n, err := strconv.ParseUint(count[:len(count)-1], 10, 63)
	shift := 10 * (power + 1)
	if err != nil || count[0] == '0' || n > math.MaxInt64>>shift {
		return wrong
	}
	*s = Size(n << shift) //nolint:gosec // bounded above
	return nil
}

// String is how UnmarshalText reads it, in the largest unit that it is whole in.
func (s Size) String() string {
	n, unit := int64(s)/1024, units[:1]
	for i := 1; i < len(units) && n%1024 == 0 && n > 0; i++ {
		n, unit = n/1024, units[i:i+1]
	}
	return fmt.Sprintf("%d%siB", n, unit)
}

// MarshalText writes a size.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
