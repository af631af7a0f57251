package site

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
)

// Assets are files of pages, each at AT/HASH.EXT. An address never changes its
// content, so browsers keep it. Put all in before the first is served.
type Assets struct {
	at    string
	files map[string]asset // by address
}

type asset struct {
	kind string // its Content-Type
	data []byte
}

// NewAssets is for files below a path, such as "/assets".
func NewAssets(at string) *Assets { return &Assets{at, map[string]asset{}} }

// Add takes a file and returns its address.
func (a *Assets) Add(ext, kind string, data []byte) string {
	sum := sha256.Sum256(data)
	address := a.at + "/" + hex.EncodeToString(sum[:12]) + ext
	a.files[address] = asset{kind, data}
	return address
}

// AddAll takes all files of a folder, bundled by `make web`, and returns their
// addresses by name.
func (a *Assets) AddAll(files fs.FS, folder string) (map[string]string, error) {
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	address := map[string]string{}
	err := fs.WalkDir(files, folder, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, file)
		if err != nil {
			return err
		}
		kind, ok := kinds[path.Ext(file)]
		if !ok {
			return fmt.Errorf("%s: pages have files that end in .js, .css and .svg", file)
		}
		address[path.Base(file)] = a.Add(path.Ext(file), kind, data)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("site: assets: %w", err)
	}
	return address, nil
}

// ServeHTTP sends a file.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(f.data)))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(f.data)
}
