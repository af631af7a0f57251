package main

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"text/tabwriter"
)

// What is promised of recovery: two cores make so many a second, of an evaluate
// and a release at three vaults each.
const (
	recoverCores     = 2
	recoverPerSecond = 500.0
)

// recovered is a line of BenchmarkRecovery: the processor time of one, the longest
// that 99 of 100 take, and how many were made a second, by the clock.
var recovered = regexp.MustCompile(`(?m)^BenchmarkRecovery/(\S+?)(?:-\d+)?\s.*?([0-9.e+]+) cpu-ms/op\s+([0-9.e+]+) p99-ms\s+([0-9.e+]+) recoveries/s`)

// measureRecoveries compares how many recoveries the processor time of two cores is
// enough for; by the clock a machine that does other things makes fewer.
func measureRecoveries(out io.Writer, n int) (ok bool, err error) {
	text, err := exec.Command("go", "test", "-run=^$", "-bench=^BenchmarkRecovery$", "-benchtime="+strconv.Itoa(n)+"x", "./recovery/vault").CombinedOutput()
	if err != nil {
		return false, fmt.Errorf("%w\n%s", err, text)
	}
	lines := recovered.FindAllSubmatch(text, -1)
	if len(lines) == 0 {
		return false, errors.New("no result in\n" + string(text))
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\nRECOVERIES\tPROCESSOR\tOF %d CORES\tGOAL\tBY THE CLOCK\tP99\t\n", recoverCores)
	ok = true
	for _, m := range lines {
		var v [3]float64
		for i := range v {
			if v[i], err = strconv.ParseFloat(string(m[2+i]), 64); err != nil {
				return false, err
			}
		}
		rate := recoverCores * 1000 / v[0]
		verdict := "holds"
		if rate < recoverPerSecond {
			verdict, ok = "MISSED", false
		}
		fmt.Fprintf(t, "%s\t%.2f ms\t%.0f/s\t≥ %.0f/s\t%.0f/s\t%.0f ms\t%s\n", m[1], v[0], rate, recoverPerSecond, v[2], v[1], verdict)
	}
	return ok, t.Flush()
}
