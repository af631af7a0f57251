package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
)

// Scripts and styles, bundled by `make web` from src.
//
//go:embed assets
var assetFiles embed.FS

type asset struct {
	kind string // its Content-Type
	data []byte
}

// assets are served at /assets/HASH.EXT. An address never changes its content,
// so browsers keep it.
type assets map[string]asset

// add takes a file and returns its address.
func (a assets) add(ext, kind string, data []byte) string {
	sum := sha256.Sum256(data)
	address := "/assets/" + hex.EncodeToString(sum[:12]) + ext
	a[address] = asset{kind, data}
	return address
}

// addEmbedded takes the bundled files and returns their addresses by name.
func (a assets) addEmbedded() (map[string]string, error) {
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	address := map[string]string{}
	err := fs.WalkDir(assetFiles, "assets", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := assetFiles.ReadFile(file)
		if err != nil {
			return err
		}
		ext := path.Ext(file)
		address[path.Base(file)] = a.add(ext, kinds[ext], data)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return address, nil
}

func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(f.data)))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(f.data)
}
