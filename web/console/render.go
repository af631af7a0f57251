package console

import (
	"embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
)

//go:embed templates
var templateFiles embed.FS

// page is what every page shows around its own part. Templates of a page for
// operators are between {{template "begin" .}} and {{template "end" .}}.
type page struct {
	AppID    account.AppID
	App      string // its name
	Title    string
	Path     string // of the navigation's current entry
	Sections []section
	Operator string // who is signed in; empty: nobody
	Now      time.Time
	Style    string
	Icon     string
	Script   string         // address of the page's script
	Data     map[string]any // for the script, as JSON
}

// page begins a page. script is the one of src that it runs; empty: that of all
// pages of an operator.
func (c *call) page(script, title string) page {
	p := page{
		AppID: c.app, App: c.name, Title: title, Path: c.r.URL.Path, Sections: sections(), Operator: c.who.Name, Now: c.now,
		Style: c.files["style.css"], Icon: c.files["icon.svg"], Data: map[string]any{},
	}
	if script == "" && p.Operator != "" {
		script = "page"
	}
	if script != "" {
		p.Script = c.files[script+".js"]
	}
	return p
}

// Here reports whether a section is that of the page.
func (p page) Here(at string) bool {
	return p.Path == at || at != "/" && strings.HasPrefix(p.Path, at+"/")
}

type signInPage struct {
	page
	Said string
}

type problemPage struct {
	page
	Text string
	Link string // where to go on; empty: to the overview
}

// words are what templates call.
func words() template.FuncMap {
	return template.FuncMap{"stamp": stamp, "when": when, "ago": ago, "count": count, "number": number}
}

// stamp is a time for scripts, when the same for people whose browser runs none.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func when(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") }

// ago is how long before now a moment was, or how long after it will be.
func ago(t, now time.Time) string {
	if d := t.Sub(now); d > 0 {
		return "in " + span(d)
	}
	return span(now.Sub(t)) + " ago"
}

// span is a length of time, in its largest unit.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// number is n with thin groups of thousands, as in 12 345.
func number(n any) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}
