package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/staunchid/staunch/client"
)

// PhoneAlertsCmd is `staunch phone alerts`.
type PhoneAlertsCmd struct {
	After      uint64 `placeholder:"N" help:"Only those after this number."`
	Follow     bool   `help:"Wait for more, and print each as it comes; Ctrl-C stops."`
	phoneFlags `embed:""`
}

// Run reads alerts.
func (c *PhoneAlertsCmd) Run(s *streams) error {
	return c.runAnyhow(s, func(ctx context.Context, r *phoneRun) error {
		if c.Follow {
			return r.phone.FollowAlerts(ctx, c.After, func(a client.Alert) error {
				if err := r.print(reportAlert(a)); err != nil {
					return err
				}
				return r.shown(ctx, a.Seq)
			})
		}
		all, err := r.phone.Alerts(ctx, c.After)
		if err != nil {
			return err
		}
		out := &alertsReport{OK: true, Alerts: []alertReport{}}
		for _, a := range all {
			out.Alerts = append(out.Alerts, reportAlert(a))
		}
		if err := r.print(out); err != nil || len(all) == 0 {
			return err
		}
		return r.shown(ctx, all[len(all)-1].Seq)
	})
}

// shown tells the server that the person has seen alerts. They are printed, and
// the command is done, also when it does not hear of that: it counts them as
// unread until the next time.
func (r *phoneRun) shown(ctx context.Context, seq uint64) error {
	err := r.phone.AckAlerts(ctx, seq)
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	_, err = fmt.Fprintf(r.err, "staunch: note: the server does not know that they were read: %v\n", err)
	return err
}

type alertsReport struct {
	OK     bool          `json:"ok"`
	Alerts []alertReport `json:"alerts"`
}

type alertReport struct {
	Seq    uint64 `json:"seq"`
	Kind   string `json:"kind"`
	Device known  `json:"device"`
	Text   string `json:"text"`
	At     moment `json:"at"`
}

func reportAlert(a client.Alert) alertReport {
	return alertReport{a.Seq, a.Kind, known(a.Device), a.Text, moment(a.At)}
}

func (a alertReport) words(w io.Writer) error {
	return writeLines(w, fmt.Sprintf("%d  %s  %s", a.Seq, a.At.inWords(), a.Text))
}

func (a *alertsReport) words(w io.Writer) error {
	if len(a.Alerts) == 0 {
		return writeLines(w, "There are none.")
	}
	for _, one := range a.Alerts {
		if err := one.words(w); err != nil {
			return err
		}
	}
	return nil
}
