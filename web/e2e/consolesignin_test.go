package e2e

import (
	"path/filepath"
	"testing"
)

// TestConsoleSignIn drives how operators come in and go out.
func TestConsoleSignIn(t *testing.T) {
	tools(t)
	p := startProgram(t)
	config := filepath.Join(p.dir, "staunch.toml")
	invite := func(name string) string {
		return p.say("operator", "add", "--config", config, "--name", name)["link"].(string)
	}
	drive(t, "consolesignin.mjs", "STAUNCH_URL=http://console.localhost:"+p.port, "STAUNCH_LINK="+invite("mika"), "STAUNCH_LINK2="+invite("aki"))
}
