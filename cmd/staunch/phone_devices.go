package main

import (
	"context"
	"fmt"
	"io"
	"time"

	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
)

// PhoneDevicesCmd is `staunch phone devices`.
type PhoneDevicesCmd struct {
	phoneFlags `embed:""`
}

// Run asks the server.
func (c *PhoneDevicesCmd) Run(s *streams) error {
	return c.runAnyhow(s, func(ctx context.Context, r *phoneRun) error {
		devices, err := r.phone.Devices(ctx)
		if err != nil {
			return err
		}
		sessions, err := r.phone.Sessions(ctx)
		if err != nil {
			return err
		}
		return r.print(devicesOf(devices, sessions))
	})
}

// devicesReport is what devices prints.
type devicesReport struct {
	OK       bool            `json:"ok"`
	Devices  []deviceReport  `json:"devices"`
	Browsers []browserReport `json:"browsers"`
}

type deviceReport struct {
	Device     string `json:"device"`
	Name       string `json:"name"`
	Platform   string `json:"platform"`
	State      string `json:"state"`
	This       bool   `json:"this"`
	Older      bool   `json:"older"` // may veto a hold that now runs
	Tier       known  `json:"tier"`
	Sessions   int32  `json:"sessions"`
	AddedAt    moment `json:"added_at"`
	LastSeenAt moment `json:"last_seen_at"`

	leaves bool // its account goes to another phone
}

type browserReport struct {
	Session    string `json:"session"`
	Label      known  `json:"label"`
	Class      string `json:"class"`
	CreatedAt  moment `json:"created_at"`
	LastSeenAt moment `json:"last_seen_at"`
}

func devicesOf(devices []*accountv1.Device, sessions []*accountv1.Session) *devicesReport {
	out := &devicesReport{OK: true, Devices: []deviceReport{}, Browsers: []browserReport{}}
	for _, d := range devices {
		out.Devices = append(out.Devices, deviceReport{
			Device: d.GetDevice(), Name: d.GetName(), Platform: low(d.GetPlatform(), "PLATFORM_"), State: low(d.GetState(), "STATE_"),
			This: d.GetThis(), Older: d.GetOlder(), Tier: known(low(d.GetTier(), "TIER_")), Sessions: d.GetSessions(),
			AddedAt: when(d.GetAddedAt()), LastSeenAt: when(d.GetLastSeenAt()),
			leaves: heldOf(d.GetHold(), time.Now()).Reason == leaving,
		})
	}
	for _, s := range sessions {
		if s.GetKind() == accountv1.SessionKind_SESSION_KIND_PHONE {
			continue
		}
		out.Browsers = append(out.Browsers, browserReport{
			Session: s.GetSession(), Label: known(s.GetLabel()), Class: low(s.GetClass(), "CLASS_"),
			CreatedAt: when(s.GetCreatedAt()), LastSeenAt: when(s.GetLastSeenAt()),
		})
	}
	return out
}

func (d *devicesReport) words(w io.Writer) error {
	var lines []string
	for _, d := range d.Devices {
		mark := ""
		if d.This {
			mark = " (this phone)"
		}
		lines = append(lines,
			fmt.Sprintf("%s%s, %s: %s", d.Name, mark, d.Platform, deviceWords(d.State, d.leaves)),
			fmt.Sprintf("  %s  added %s, last seen %s", d.Device, d.AddedAt.inWords(), d.LastSeenAt.inWords()))
	}
	for _, b := range d.Browsers {
		lines = append(lines,
			fmt.Sprintf("%s, browser", string(b.Label)),
			fmt.Sprintf("  %s  since %s, last seen %s", b.Session, b.CreatedAt.inWords(), b.LastSeenAt.inWords()))
	}
	return writeLines(w, lines...)
}
