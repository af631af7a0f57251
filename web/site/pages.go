package site

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// Pages holds one set of templates a page, by its name.
type Pages map[string]*template.Template

// ParsePages reads base.html of a folder, what is in parts below it, and every page
// beside them: what base.html and parts define is for all of them.
func ParsePages(files fs.FS, folder string, words template.FuncMap) (Pages, error) {
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil, fmt.Errorf("site: pages: %w", err)
	}
	base, err := template.New("base.html").Funcs(words).ParseFS(files, path.Join(folder, "base.html"))
	if err != nil {
		return nil, fmt.Errorf("site: pages: %w", err)
	}
	if parts, err := fs.Glob(files, path.Join(folder, "parts", "*.html")); err == nil && len(parts) > 0 {
		if base, err = base.ParseFS(files, parts...); err != nil {
			return nil, fmt.Errorf("site: pages: %w", err)
		}
	}
	all := Pages{}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".html")
		if !ok || name == "base" {
			continue
		}
		t, err := base.Clone()
		if err == nil {
			t, err = t.ParseFS(files, path.Join(folder, e.Name()))
		}
		if err != nil {
			return nil, fmt.Errorf("site: pages: %w", err)
		}
		all[name] = t.Lookup(e.Name())
	}
	return all, nil
}

// Render writes a page. It is built whole first, so that nobody sees half of one.
func (p Pages) Render(w http.ResponseWriter, code int, name string, view any) error {
	t, ok := p[name]
	if !ok {
		return fmt.Errorf("site: there is no page %s", name)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, view); err != nil {
		return fmt.Errorf("site: page %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(out.Bytes())
	return nil
}
