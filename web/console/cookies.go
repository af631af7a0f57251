package console

import (
	"time"

	"github.com/staunchid/staunch/web/site"
)

const ceremonyLife = 10 * time.Minute

// session holds the token of an operator's session. No link of another site brings it
// along.
func session() site.Cookie { return site.Cookie{Name: "__Host-staunch-console"} }

// ceremonies binds a ceremony to the browser that has begun it.
func ceremonies() site.Cookie { return site.Cookie{Name: "__Host-staunch-console-c"} }
