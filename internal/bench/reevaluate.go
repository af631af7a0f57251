package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"text/tabwriter"
)

// What is promised of a new revocation list: a million registered keys are
// re-evaluated within a minute.
const (
	reevaluateKeys    = 1_000_000
	reevaluateSeconds = 60.0
)

// reevaluation is a line of BenchmarkReevaluate: how many keys a second the
// list was applied to, and a bare scan of their table reads.
var reevaluation = regexp.MustCompile(`(?m)^BenchmarkReevaluate/(\S+?)(?:-\d+)?\s.*?([0-9.e+]+) keys/s.*?([0-9.e+]+) scanned-keys/s`)

// measureReevaluation registers n keys and applies a list to them, once under
// serials that are all revoked, and once with few that are.
func measureReevaluation(out io.Writer, n int) (ok bool, err error) {
	cmd := exec.Command("go", "test", "-run=^$", "-bench=Reevaluate", "-benchtime=1x", "-timeout=1h", "./store/sqlite")
	cmd.Env = append(os.Environ(), "STAUNCH_BENCH_KEYS="+strconv.Itoa(n))
	text, err := cmd.CombinedOutput()
	if err != nil {
		return false, fmt.Errorf("%w\n%s", err, text)
	}
	lines := reevaluation.FindAllSubmatch(text, -1)
	if len(lines) == 0 {
		return false, errors.New("no result in\n" + string(text))
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\nA NEW REVOCATION LIST, %d KEYS\tKEYS A SECOND\tBARE SCAN\tA MILLION IN\tGOAL\t\n", n)
	ok = true
	for _, m := range lines {
		keys, err := strconv.ParseFloat(string(m[2]), 64)
		if err != nil {
			return false, err
		}
		scanned, err := strconv.ParseFloat(string(m[3]), 64)
		if err != nil {
			return false, err
		}
		seconds := reevaluateKeys / keys
		verdict := "holds"
		if seconds > reevaluateSeconds {
			verdict, ok = "MISSED", false
		}
		if n < reevaluateKeys {
			verdict += ", extrapolated; see -keys"
		}
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.0f s\t≤ %.0f s\t%s\n", m[1], keys, scanned, seconds, reevaluateSeconds, verdict)
	}
	return ok, t.Flush()
}
