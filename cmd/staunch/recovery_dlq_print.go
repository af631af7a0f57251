package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/staunchid/staunch/stream"
)

// writeLetters writes dead letters for people.
func writeLetters(w io.Writer, all []stream.Letter) error {
	if len(all) == 0 {
		_, err := io.WriteString(w, "There are no dead letters.\n")
		return err
	}
	columns := []column{{"ID", false}, {"DEAD SINCE", false}, {"APP", false}, {"VAULT", false}, {"ACCOUNT", false}, {"GEN", true}, {"VER", true}, {"TRIES", true}, {"REASON", false}}
	var rows [][]string
	for _, l := range all {
		r := l.Record
		row := []string{l.ID, l.At.Format("2006-01-02 15:04"), string(r.App), r.Vault, string(r.Account), fmt.Sprint(r.Gen), fmt.Sprint(r.Ver), fmt.Sprint(l.Attempts), l.Reason}
		if l.Raw != nil {
			row = []string{l.ID, row[1], "", "", "", "", "", row[7], l.Reason}
		}
		for i := range row {
			row[i] = printable(row[i])
		}
		rows = append(rows, row)
	}
	var b strings.Builder
	columns, rows, _ = fit(columns, rows, []int{1, 4}, terminalWidth(w))
	writeTable(&b, colours(w), columns, rows, func(_, _ int, text string) string { return text })
	fmt.Fprintf(&b, "\n%s.\n", plural(len(all), "dead letter", "dead letters"))
	_, err := io.WriteString(w, b.String())
	return err
}

// lettersJSON is dead letters for programs. The sealed record is not shown.
func lettersJSON(all []stream.Letter) any {
	type letter struct {
		ID       string     `json:"id"`
		App      string     `json:"app"`
		Vault    string     `json:"vault"`
		Acct     string     `json:"acct"`
		Account  string     `json:"account"`
		Gen      uint32     `json:"gen"`
		Ver      uint64     `json:"ver"`
		Readable bool       `json:"readable"` // false: bytes that are no entry
		Attempts int        `json:"attempts"`
		Reason   string     `json:"reason"`
		Enqueued *time.Time `json:"enqueued_at"`
		Dead     time.Time  `json:"dead_at"`
	}
	list := []letter{}
	for _, l := range all {
		one := letter{ID: l.ID, Attempts: l.Attempts, Reason: l.Reason, Dead: l.At}
		if l.Raw == nil {
			r := l.Record
			one.App, one.Vault, one.Acct, one.Account = string(r.App), r.Vault, fmt.Sprintf("%x", r.Acct), string(r.Account)
			one.Gen, one.Ver, one.Readable, one.Enqueued = r.Gen, r.Ver, true, &r.At
		}
		list = append(list, one)
	}
	return struct {
		Letters []letter `json:"letters"`
	}{list}
}
