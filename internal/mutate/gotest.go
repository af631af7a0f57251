package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// limit bounds the tests of one package: a mutant that hangs is killed.
const limit = "3m"

// outcome is what came of the tests of one package pattern.
type outcome struct {
	built  bool
	passed []string // tests
	failed string   // the first test that failed, or the package
	output string
}

// testEvent is a line of go test -json (go doc test2json, go help buildjson).
type testEvent struct {
	Action      string
	Package     string
	Test        string
	Output      string
	FailedBuild string
}

// goTest tests one package pattern, all of it or only some tests. An error
// means that it could not be done.
func (t tree) goTest(ctx context.Context, vectors, pattern string, only []string) (outcome, error) {
	args := []string{"test", "-json", "-vet=off", "-trimpath", "-failfast", "-timeout=" + limit}
	if len(only) > 0 {
		args = append(args, "-run", strings.Join(only, "|"))
	}
	cmd := exec.CommandContext(ctx, "go", append(args, pattern)...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "PWD="+t.dir)
	if vectors != "" {
		cmd.Env = append(cmd.Env, "STAUNCH_VECTORS="+vectors)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	o := readEvents(stdout.Bytes())
	o.output += stderr.String()
	if err != nil && o.built && o.failed == "" {
		return o, fmt.Errorf("mutate: go test %s: %w: %s", pattern, err, strings.TrimSpace(o.output))
	}
	return o, nil
}

// readEvents reads what go test -json wrote.
func readEvents(b []byte) outcome {
	o := outcome{built: true}
	var output strings.Builder
	for line := range bytes.Lines(b) {
		var e testEvent
		if err := json.Unmarshal(line, &e); err != nil {
			output.Write(line)
			continue
		}
		switch e.Action {
		case "output", "build-output":
			output.WriteString(e.Output)
			if strings.Contains(e.Output, ": error TS") { // of tsc, which a test runs
				o.built = false
			}
		case "build-fail":
			o.built = false
		case "pass":
			if e.Test != "" {
				o.passed = append(o.passed, e.Test)
			}
		case "fail":
			if e.FailedBuild != "" {
				o.built = false
			}
			if o.failed != "" {
				continue
			}
			if o.failed = e.Test; e.Test == "" {
				o.failed = e.Package
			}
		}
	}
	o.output = output.String()
	return o
}
