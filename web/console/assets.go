package console

import "embed"

// Scripts and styles, bundled by `make web` from src.
//
//go:embed assets
var assetFiles embed.FS
