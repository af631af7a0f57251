package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

// writeRecoveryStatus writes it for people.
func writeRecoveryStatus(w io.Writer, st *server.RecoveryStatus, cfg *config.Config, now time.Time) error {
	p := colours(w)
	var b strings.Builder
	fact := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%s  %s\n", p.paint(dim, fmt.Sprintf("%-10s", name)), printable(fmt.Sprintf(format, args...)))
	}
	fact("profile", "%s, policy %s, %s, set version %d", st.Profile, st.Policy, plural(st.Limit, "attempt", "attempts"), st.SetVersion)
	note := ""
	if st.Assurance == "process" {
		note = ", NOT a TEE"
	}
	fact("vaults", "%d, of which %d are needed; %s; assurance %s%s", st.N, st.T, plural(st.Operators, "operator", "operators"), st.Assurance, note)
	f := st.Freshness
	level := f.Level
	if f.W > 0 {
		level += fmt.Sprintf(" of %d witnesses: write %d, read %d, liars tolerated %d; on total amnesia: %s", f.W, f.Q, f.R, f.F, st.OnAmnesia)
	}
	fact("freshness", "%s", level)
	fact("retry", "%s", retryWords(st, cfg, now))
	b.WriteString("\n")
	columns := []column{{"REPLICA", false}, {"OPERATOR", false}, {"PLATFORM", false}, {"EPOCH", true}, {"SEALED", false}, {"BOOT", false}, {"EVIDENCE", true}, {"STATE", false}}
	var rows [][]string
	for _, v := range st.Vaults {
		for _, r := range v.Replicas {
			row := []string{r.Name, v.Operator, r.Platform, fmt.Sprint(r.Epoch), sealedWords(st, v.ID), short(r.Boot, 9), age(r.Issued, now), "answers"}
			if r.Platform == "" {
				row[2], row[3], row[5], row[6] = "-", "-", "-", "-"
			}
			if r.Error != "" {
				row[7] = short(r.Error, 60)
			}
			rows = append(rows, row)
		}
	}
	for _, id := range st.Witnesses {
		row := []string{id, "-", "-", "-", "-", "-", "-", "witness, listens"}
		if why := st.WitnessErrors[id]; why != "" {
			row[7] = short(why, 60)
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		for i := range row {
			row[i] = printable(row[i])
		}
	}
	good := func(row int) bool { s := rows[row][7]; return s == "answers" || s == "witness, listens" }
	state := len(columns) - 1
	columns, cells, kept := fit(columns, rows, []int{5, 1}, terminalWidth(w))
	writeTable(&b, p, columns, cells, func(row, c int, text string) string {
		switch {
		case kept[c] != state:
			return text
		case good(row):
			return p.paint(green, text)
		}
		return p.paint(red, text)
	})
	b.WriteString("\n")
	for _, a := range st.Apps {
		text := "no request is on its way to a vault"
		if a.Intents > 0 {
			text = fmt.Sprintf("%s on the way to a vault, the oldest for %s", plural(a.Intents, "request", "requests"), age(a.Oldest, now))
		}
		fmt.Fprintf(&b, "app %s: %s\n", printable(a.App), text)
		if n := a.Behind.Accounts; n > 0 {
			fmt.Fprintf(&b, "app %s: %s not set the PIN anew since a vault was replaced\n", printable(a.App), plural(n, "account has", "accounts have"))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func retryWords(st *server.RecoveryStatus, cfg *config.Config, now time.Time) string {
	kind := cfg.Recovery.Retry.Kind
	if st.RetryError != "" {
		return kind + ": " + st.RetryError
	}
	text := kind + ": nothing waits"
	if st.Retry.Depth > 0 {
		text = fmt.Sprintf("%s: %s, the oldest for %s", kind, plural(st.Retry.Depth, "record waits", "records wait"), age(st.Retry.Oldest, now))
	}
	if st.Retry.Dead > 0 {
		text += ", " + plural(st.Retry.Dead, "dead letter", "dead letters")
	}
	return text
}

// sealedWords are the epochs under which any app's records of a vault are sealed.
func sealedWords(st *server.RecoveryStatus, vault string) string {
	var all []string
	seen := map[uint32]bool{}
	for _, a := range st.Apps {
		for _, e := range a.Sealed[vault] {
			if !seen[e] {
				seen[e] = true
				all = append(all, fmt.Sprint(e))
			}
		}
	}
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, " ")
}

// age is how long ago a moment was.
func age(t, now time.Time) string {
	d := max(now.Sub(t), 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}
