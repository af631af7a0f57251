package demo

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"

	"github.com/staunchid/staunch/web/site"
)

// The page, and what `make web` has bundled from src.
//
//go:embed assets templates
var files embed.FS

// icon is the page's, which nothing can run in.
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2456d6"/>` +
	`<path d="M10 8h5v16h-5zM18 8h4v16h-4z" fill="#fff"/></svg>`

// page is the page as it is sent, and its files.
type page struct {
	html  []byte
	files *site.Assets
}

func newPage(name string) (*page, error) {
	p := &page{files: site.NewAssets("/demo/assets")}
	address, err := p.files.AddAll(files, "assets")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	t, err := template.ParseFS(files, "templates/demo.html")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	var out bytes.Buffer
	err = t.ExecuteTemplate(&out, "demo", struct{ App, Script, Style, Icon string }{
		name, address["demo.js"], address["demo.css"], p.files.Add(".svg", "image/svg+xml", []byte(icon)),
	})
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	p.html = out.Bytes()
	return p, nil
}

// show sends the page.
func (p *page) show(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(p.html)
}
