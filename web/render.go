package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"
)

//go:embed templates
var templateFiles embed.FS

// pages holds one set of templates a page, by its name.
type pages map[string]*template.Template

func parsePages() (pages, error) {
	base, err := template.New("base.html").Funcs(template.FuncMap{
		"stamp": stamp, "when": when, "left": left, "count": count,
	}).ParseFS(templateFiles, "templates/base.html")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	all := pages{}
	for _, name := range []string{"signin", "signup", "join", "overview", "devices", "passkeys", "alerts", "approve", "guest", "problem"} {
		t, err := base.Clone()
		if err == nil {
			t, err = t.ParseFS(templateFiles, "templates/"+name+".html")
		}
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		all[name] = t.Lookup(name + ".html")
	}
	return all, nil
}

// render writes a page. It is built whole first, so that nobody sees half of one.
func (p pages) render(w http.ResponseWriter, code int, name string, view any) error {
	var out bytes.Buffer
	if err := p[name].Execute(&out, view); err != nil {
		return fmt.Errorf("web: page %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(out.Bytes())
	return nil
}

// stamp is a time for scripts, when the same for people whose browser runs none.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func when(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") }

// left says how long something still takes, as times.ts does.
func left(seconds int) string {
	s := max(seconds, 0)
	switch {
	case s >= 48*3600:
		return strconv.Itoa(s/(24*3600)) + " days"
	case s >= 3600:
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
