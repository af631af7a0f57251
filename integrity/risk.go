package integrity

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/staunchid/staunch/account"
)

// How long a backend's word stands, and how much it is.
const (
	maxRiskHold  = 72 * time.Hour
	maxRiskNote  = 90 * 24 * time.Hour
	maxRiskName  = 40
	maxRiskValue = 200
)

// ReportRisk stores what the app's own abuse systems have found out about an
// account, or one device of it: note is written down, raise makes Exact actions
// Bound, and hold refuses what a held device may not do, for 72 hours at most.
//
// It only ever raises. Levels stand side by side, so that a note does not take
// the place of a hold; what is reported again stands longer, and never shorter.
func (s *Service) ReportRisk(ctx context.Context, c account.Caller, in *RiskReport) error {
	if err := s.asBackend(c); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	now := s.now()
	sig := account.Signal{
		Name: account.SignalName(account.SignalExternalPrefix + in.Name), Device: in.Device, Source: "backend:" + string(in.Level),
		Value: in.Value, Level: in.Level, Until: now.Add(in.For),
	}
	return s.act(ctx, func(tx Tx) error {
		a, err := s.account(ctx, tx, in.Account)
		if err != nil {
			return err
		}
		if in.Device != "" {
			if _, err := s.device(ctx, tx, a.ID, in.Device); err != nil {
				return err
			}
		}
		standing, err := tx.Signals(ctx, a.ID, now)
		if err != nil {
			return err
		}
		put := sig // fn may run twice
		for _, old := range standing {
			if old.Name == put.Name && old.Device == put.Device && old.Source == put.Source && old.Until.After(put.Until) {
				put.Until = old.Until
			}
		}
		if err := s.notice(ctx, tx, a.ID, put, now); err != nil {
			return err
		}
		d := &deed{caller: c, account: a.ID, action: "risk.raised", subject: string(a.ID), reason: string(put.Name), device: in.Device, now: now}
		d.event, d.body = "risk.raised", map[string]any{"signals": []account.SignalName{put.Name}, "level": put.Level, "until": put.Until.UTC()}
		d.more = map[string]any{"level": put.Level, "until": put.Until.UTC(), "device": in.Device}
		return s.record(ctx, tx, d)
	})
}

func (in *RiskReport) check() error {
	most := maxRiskNote
	switch in.Level {
	case account.LevelNote, account.LevelRaise:
	case account.LevelHold:
		most = maxRiskHold
	default:
		return fmt.Errorf("%w: a risk has the level note, raise or hold", ErrMalformed)
	}
	switch {
	case in.Account.Validate() != nil:
		return ErrAccountUnknown
	case in.Device != "" && in.Device.Validate() != nil:
		return ErrDeviceUnknown
	case len(in.Name) == 0 || len(in.Name) > maxRiskName || in.Name[0] < 'a' || in.Name[0] > 'z' ||
		strings.Trim(in.Name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "":
		return fmt.Errorf("%w: a risk is named by a word of at most %d lower-case letters, digits, '.', '_' and '-'", ErrMalformed, maxRiskName)
	case len(in.Value) > maxRiskValue || !utf8.ValidString(in.Value) || strings.ContainsFunc(in.Value, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("%w: the value of a risk is at most %d bytes of text that can be printed", ErrMalformed, maxRiskValue)
	case in.For <= 0 || in.For > most:
		return fmt.Errorf("%w: a risk of level %s stands for more than nothing and at most %s", ErrMalformed, in.Level, most)
	}
	return nil
}
