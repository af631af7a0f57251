package integrity

import (
	"context"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/transfer"
)

// MoveClaimed is what the current phone checks and shows of the new one.
type MoveClaimed struct {
	View        *transfer.View
	Offer       []byte
	Verdict     MoveVerdict
	SameNetwork bool // both come from one public network: shown, and trusted for nothing
	Audience    string
	RecallFor   time.Duration
}

// ClaimMove makes the transfer of a code that was scanned that of the caller's
// account. The caller is an active device with a session. Only the first device
// that tries can have it: a second one ends it for both, for a code that two have
// seen is a code that somebody has photographed.
func (s *Service) ClaimMove(ctx context.Context, c account.Caller, id transfer.ID, token [32]byte) (*MoveClaimed, error) {
	if err := s.moving(c); err != nil {
		return nil, err
	}
	now := s.now()
	err := s.look(ctx, func(tx Tx) error { // who may not claim takes nothing from the owner's bucket
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		return s.require(a, account.MoveClaim)
	})
	if err != nil {
		return nil, err
	}
	if err := s.takeMove(ctx, "move_claim", string(c.Account), s.policy.Limits.MoveClaim); err != nil {
		return nil, err
	}
	var out *MoveClaimed
	contended := false
	err = s.actMove(ctx, id, func(tx Tx, moves transfer.Tx) (err error) {
		out, contended, err = s.claimMove(ctx, tx, moves, c, id, token, now)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case contended: // and that is committed
		return nil, &transfer.EndedError{State: transfer.Aborted, Reason: transfer.Contended}
	}
	return out, nil
}

// claimMove is the transaction of ClaimMove.
func (s *Service) claimMove(ctx context.Context, tx Tx, moves transfer.Tx, c account.Caller, id transfer.ID, token [32]byte, now time.Time) (*MoveClaimed, bool, error) {
	a, err := s.load(ctx, tx, c, now)
	if err != nil {
		return nil, false, err
	}
	if err := s.require(a, account.MoveClaim); err != nil {
		return nil, false, err
	}
	t, found, err := moves.Transfer(ctx, id)
	if err != nil {
		return nil, false, err
	}
	var risks []string
	if found {
		if risks, err = s.moveRisks(ctx, tx, a, t); err != nil {
			return nil, false, err
		}
	}
	claimed, contended, err := s.moves.ClaimTx(ctx, moves, &transfer.Claiming{
		ID: id, Token: token, Account: a.Account, Device: a.Device, Key: a.device.KeyID, Risks: risks, Network: c.Network,
	}, now)
	if err != nil {
		return nil, false, err
	}
	if contended {
		return nil, true, s.warnContended(ctx, tx, a, t)
	}
	out := &MoveClaimed{
		View: &claimed.View, Offer: claimed.Offer, Verdict: verdictOf(t), SameNetwork: claimed.SameNetwork,
		Audience: claimed.Audience, RecallFor: claimed.RecallWindow,
	}
	if t.State != transfer.Offered { // it was claimed by the same call before
		return out, false, nil
	}
	return out, false, s.warnMove(ctx, tx, a, "transfer.claimed", t, map[string]any{"verdict": out.Verdict.Verdict})
}

// warnContended tells the account that was first that another device has tried to
// take its transfer. t is the row as it was. Whose device that was is told only to
// the same account.
func (s *Service) warnContended(ctx context.Context, tx Tx, a *actor, t transfer.Transfer) error {
	if t.Account == "" {
		return nil
	}
	by := *a
	if t.Account != a.Account {
		by.Caller = account.Caller{Kind: account.System, App: s.app, Name: "contended"}
	}
	return s.warnMove(ctx, tx, &by, "transfer.contended", t, nil)
}

// The reasons for which a move is held (spec/transfer.md, "Proximity, risk and hold").
const (
	riskNewCountry       = "new_country"
	riskNewNetwork       = "new_network"
	riskRecentRecovery   = "recent_recovery"
	riskCredentialChange = "recent_credential_change"
	riskDeviceWarning    = "device_warning"
)

// recentCredentials is how long a changed passkey is a reason.
const recentCredentials = 7 * 24 * time.Hour

// moveRisks says what speaks for holding a move of the caller's account: where
// the new phone is, and what has happened to the account lately.
func (s *Service) moveRisks(ctx context.Context, tx Tx, a *actor, t transfer.Transfer) ([]string, error) {
	var out []string
	country, network, err := s.newPlaceOf(ctx, tx, a, t)
	if err != nil {
		return nil, err
	}
	if country {
		out = append(out, riskNewCountry)
	}
	if network {
		out = append(out, riskNewNetwork)
	}
	warned := verdictOf(t).Verdict != "TRUSTED"
	for _, sig := range a.signals {
		switch {
		case sig.Name == account.SignalRecentRecovery:
			out = append(out, riskRecentRecovery)
		case sig.Name == account.SignalAttestWarning && (sig.Device == "" || sig.Device == a.Device):
			warned = true
		}
	}
	if warned {
		out = append(out, riskDeviceWarning)
	}
	changed, err := s.passkeysChanged(ctx, tx, a)
	if changed {
		out = append(out, riskCredentialChange)
	}
	return out, err
}

// newPlaceOf compares where the new phone is with where the account is used: the
// caller's own network and place, and those of the newest sessions. An unknown country
// is another one, where countries are told: whoever hides his is known as nobody's.
func (s *Service) newPlaceOf(ctx context.Context, tx Tx, a *actor, t transfer.Transfer) (newCountry, newNetwork bool, err error) {
	sessions, err := tx.Sessions(ctx, a.Account)
	if err != nil {
		return false, false, err
	}
	newNetwork = t.Network != "" && t.Network != a.Network
	here := country(t.Place)
	newCountry = country(a.Place) != here || here == ""
	if here == "" && s.policy.CountriesUntold {
		newCountry = false
	}
	known := country(a.Place) != ""
	for _, sess := range sessions[max(0, len(sessions)-lastSessions):] {
		if sess.Network == t.Network {
			newNetwork = false
		}
		if at := country(sess.Place); at != "" {
			known = true
			newCountry = newCountry && at != here
		}
	}
	return newCountry && known, newNetwork, nil
}

// passkeysChanged reports whether a passkey was added or removed lately, otherwise
// than with the account or by a move: by what its owner was told of it.
func (s *Service) passkeysChanged(ctx context.Context, tx Tx, a *actor) (bool, error) {
	found := false
	err := s.eachAlert(ctx, tx, a.Account, func(row AlertRow) bool {
		switch account.Action(row.Kind) {
		case account.AddCredential, account.RemoveCredential, account.AddDevice, account.RemoveDevice, account.LeaveDevice:
			found = found || a.now.Sub(row.At) < recentCredentials
		}
		return !found
	})
	return found, err
}

// eachAlert goes through the alerts of an account, in order, until fn says no.
func (s *Service) eachAlert(ctx context.Context, tx Tx, id account.ID, fn func(AlertRow) bool) error {
	for after := uint64(0); ; {
		page, err := tx.Alerts(ctx, id, after, alertsMost)
		if err != nil {
			return err
		}
		for _, row := range page {
			if after = row.Seq; !fn(row) {
				return nil
			}
		}
		if len(page) < alertsMost {
			return nil
		}
	}
}

// country is the part of a place behind its last comma: "DE" of "192.0.2.0/24, DE", or
// all of a place that is the code of a country. Numbers of a network have none.
func country(place string) string {
	if i := strings.LastIndex(place, ", "); i >= 0 {
		return place[i+2:]
	}
	if place == attest.CountryUnknown || attest.Country(place) != place {
		return ""
	}
	return place
}
