package demo

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
)

// The page, and what `make web` has bundled from src.
//
//go:embed assets templates
var files embed.FS

// icon is the page's, which nothing can run in.
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2456d6"/>` +
	`<path d="M10 8h5v16h-5zM18 8h4v16h-4z" fill="#fff"/></svg>`

// page is the page as it is sent, and its files by address. An address never changes
// its content, so that browsers keep it.
type page struct {
	html  []byte
	files map[string]file
}

type file struct {
	kind string // its Content-Type
	data []byte
}

func newPage(name string) (*page, error) {
	p := &page{files: map[string]file{}}
	script, err := files.ReadFile("assets/demo.js")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	style, err := files.ReadFile("assets/demo.css")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	t, err := template.ParseFS(files, "templates/demo.html")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	var out bytes.Buffer
	err = t.ExecuteTemplate(&out, "demo", struct{ App, Script, Style, Icon string }{
		name, p.add(".js", "text/javascript; charset=utf-8", script), p.add(".css", "text/css; charset=utf-8", style),
		p.add(".svg", "image/svg+xml", []byte(icon)),
	})
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	p.html = out.Bytes()
	return p, nil
}

// add takes a file and returns its address.
func (p *page) add(ext, kind string, data []byte) string {
	sum := sha256.Sum256(data)
	address := "/demo/assets/" + hex.EncodeToString(sum[:12]) + ext
	p.files[address] = file{kind, data}
	return address
}

// show sends the page.
func (p *page) show(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(p.html)
}

// asset sends one of its files.
func (p *page) asset(w http.ResponseWriter, r *http.Request) {
	f, ok := p.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(f.data)
}
