package main

import (
	"io"
	"strings"
	"time"

	"github.com/staunchid/staunch/operator"
)

// operatorState is what an operator is now, and since or until when.
func operatorState(o operator.Operator, now time.Time) (state string, at time.Time) {
	switch {
	case !o.RemovedAt.IsZero():
		return "removed", o.RemovedAt
	case len(o.Record) > 0:
		return "may come in", o.EnrolledAt
	case now.Before(o.InvitedUntil):
		return "invited until", o.InvitedUntil
	}
	return "link ran out", o.InvitedUntil
}

// writeOperators writes operators for people.
func writeOperators(w io.Writer, all []operator.Operator, now time.Time) error {
	if len(all) == 0 {
		_, err := io.WriteString(w, "There are no operators. Invite one: staunch operator add\n")
		return err
	}
	const form = "2006-01-02 15:04"
	columns := []column{{"NAME", false}, {"STATE", false}, {"SINCE", false}, {"LAST USED", false}, {"ID", false}}
	var rows [][]string
	for _, o := range all {
		state, at := operatorState(o, now)
		used := "-"
		if !o.LastUsedAt.IsZero() {
			used = o.LastUsedAt.Local().Format(form)
		}
		rows = append(rows, []string{printable(o.Name), state, at.Local().Format(form), used, printable(string(o.ID))})
	}
	columns, rows, _ = fit(columns, rows, []int{4, 3}, terminalWidth(w))
	var b strings.Builder
	writeTable(&b, colours(w), columns, rows, func(_, _ int, text string) string { return text })
	_, err := io.WriteString(w, b.String())
	return err
}

// operatorsJSON is operators for programs.
func operatorsJSON(app string, all []operator.Operator, now time.Time) any {
	type one struct {
		ID       string     `json:"id"`
		Name     string     `json:"name"`
		State    string     `json:"state"` // "invited", "expired", "active", "removed"
		Added    time.Time  `json:"added_at"`
		Invited  *time.Time `json:"invited_until"`
		Enrolled *time.Time `json:"enrolled_at"`
		LastUsed *time.Time `json:"last_used_at"`
		Removed  *time.Time `json:"removed_at"`
	}
	list := []one{}
	maybe := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	for _, o := range all {
		state := map[string]string{"removed": "removed", "may come in": "active", "invited until": "invited", "link ran out": "expired"}
		words, _ := operatorState(o, now)
		list = append(list, one{string(o.ID), o.Name, state[words], o.AddedAt, maybe(o.InvitedUntil), maybe(o.EnrolledAt), maybe(o.LastUsedAt), maybe(o.RemovedAt)})
	}
	return struct {
		App       string `json:"app"`
		Operators []one  `json:"operators"`
	}{app, list}
}
