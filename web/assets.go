package web

import (
	"embed"
	"errors"
	"net/http"

	"github.com/staunchid/staunch/web/site"
)

// Scripts and styles, bundled by `make web` from src.
//
//go:embed assets
var assetFiles embed.FS

// addLogo takes the app's logo and returns its address. A logo is an image that
// cannot hold a script.
func addLogo(a *site.Assets, data []byte) (string, error) {
	if len(data) > 256<<10 {
		return "", errors.New("web: logo: at most 256 KiB")
	}
	for kind, ext := range map[string]string{"image/png": ".png", "image/webp": ".webp", "image/jpeg": ".jpg"} {
		if http.DetectContentType(data) == kind {
			return a.Add(ext, kind, data), nil
		}
	}
	return "", errors.New("web: logo: want a PNG, WebP or JPEG file")
}
