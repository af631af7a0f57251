package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
)

// VersionCmd prints what was built.
type VersionCmd struct {
	JSON bool `name:"json" help:"Print one JSON object."`
}

// build is what the binary knows of itself.
type build struct {
	Version  string `json:"version"`  // of the module; "(devel)" for a build from a checkout
	Revision string `json:"revision"` // empty when unknown
	Time     string `json:"time"`     // of the revision; empty when unknown
	Modified bool   `json:"modified"` // the checkout had changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// Run prints the version.
func (c *VersionCmd) Run(s *streams) error {
	b := readBuild()
	if c.JSON {
		return json.NewEncoder(s.out).Encode(b)
	}
	text := "staunch " + b.Version
	if b.Revision != "" {
		text += " " + b.Revision
	}
	if b.Modified {
		text += " (modified)"
	}
	_, err := fmt.Fprintf(s.out, "%s %s %s\n", text, b.Go, b.Platform)
	return err
}
