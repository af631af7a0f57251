package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"
)

// goal is one promise: full costs at most ratio times floor.
type goal struct {
	what      string
	pkg       string
	full      string // benchmark of the operation
	floor     string // benchmark of the raw work; " + " joins several
	floorIs   string
	ratio     float64 // 0: no promise, for information
	maxAllocs int64   // 0: no promise
}

// bareRate is at least 0.90 of the rate of the bare work, as a ratio of times.
const bareRate = 1 / 0.90

var goals = []goal{
	{"verify, factory chain, cold", "./attest/android", "BenchmarkVerify/factory/cold", "BenchmarkVerify/factory/floor", "its 3 signatures", 1.15, 0},
	{"verify, rkp chain, RSA root, cold", "./attest/android", "BenchmarkVerify/rkp-rsa/cold", "BenchmarkVerify/rkp-rsa/floor", "its 4 signatures", 1.15, 0},
	{"verify, rkp chain, P-384 root, cold", "./attest/android", "BenchmarkVerify/rkp-p384/cold", "BenchmarkVerify/rkp-p384/floor", "its 4 signatures", 1.15, 0},
	{"verify, factory chain, warm", "./attest/android", "BenchmarkVerify/factory/warm", "BenchmarkVerify/factory/floor-leaf-batch", "leaf and batch", 1.2, 60},
	{"verify, rkp chain, RSA root, warm", "./attest/android", "BenchmarkVerify/rkp-rsa/warm", "BenchmarkVerify/rkp-rsa/floor-leaf-batch", "leaf and batch", 1.2, 60},
	{"verify, rkp chain, P-384 root, warm", "./attest/android", "BenchmarkVerify/rkp-p384/warm", "BenchmarkVerify/rkp-p384/floor-leaf-batch", "leaf and batch", 1.2, 60},
	{"App Attest assertion", "./attest/appattest", "BenchmarkAssertion/full", "BenchmarkAssertion/floor", "one P-256 verification", 1.25, 0},
	{"App Attest assertion, iOS 27", "./attest/appattest", "BenchmarkAssertion/ios27", "BenchmarkAssertion/floor", "one P-256 verification", 1.25, 0},
	{"passkey assertion", "./passkey", "BenchmarkVerifyAssertion/es256", "BenchmarkVerifyAssertion/floor", "one P-256 verification", 1.3, 150},
	{"sign-in on a known phone", "./integrity", "BenchmarkSignIn/full", "BenchmarkSignIn/floor", "its 2 signatures", 2, 0},
	{"sign-in, 64 at a time", "./integrity", "BenchmarkSignIn/together", "BenchmarkSignIn/floor", "its 2 signatures", 2, 0},
	{"rows of a sign-in, nothing else", "./integrity", "BenchmarkSignIn/rows", "BenchmarkSignIn/floor", "2 signatures", 0, 0},
	{"rows of 32 sign-ins at once, each", "./integrity", "BenchmarkSignIn/rows-together", "BenchmarkSignIn/floor", "2 signatures", 0, 0},
	{"sign-in on a known phone, by all raw work", "./integrity", "BenchmarkSignIn/full", "BenchmarkSignIn/floor + BenchmarkSignIn/rows", "2 signatures, bare rows", 2, 0},
	{"sign-in, 64 at a time, by all raw work", "./integrity", "BenchmarkSignIn/together", "BenchmarkSignIn/floor + BenchmarkSignIn/rows-together", "2 signatures, bare rows", 0, 0},
	{"check of 6000 audit entries", "./audit", "BenchmarkCheck/full", "BenchmarkCheck/floor", "3 x SHA-256, 1 signature a seal", 1, 0},
	{"vault evaluate", "./recovery/vault", "BenchmarkEvaluate/full", "BenchmarkEvaluate/floor", "its primitives", 1.3, 0},
	{"vault release", "./recovery/vault", "BenchmarkRelease/full", "BenchmarkRelease/floor", "its primitives", 1.3, 0},
	{"seed restore", "./recovery/vault", "BenchmarkSeedRestore/full", "BenchmarkSeedRestore/floor", "one HPKE open", 1.5, 0},
	{"transfer handshake, both phones", "./transfer/handover", "BenchmarkHandshake/full", "BenchmarkHandshake/floor", "the bare KEM: a key, encapsulation, decapsulation", 1.5, 0},
	{"seal a segment", "./transfer/sealed", "BenchmarkSeal/full", "BenchmarkSeal/floor", "the AEAD, 64 records of 64 KiB", bareRate, 0},
	{"seal a segment, in place", "./transfer/sealed", "BenchmarkSeal/in-place", "BenchmarkSeal/in-place-floor", "the AEAD, in place", bareRate, 0},
	{"open a segment", "./transfer/sealed", "BenchmarkOpen/full", "BenchmarkOpen/floor", "the AEAD, 64 records of 64 KiB", bareRate, 0},
	{"open a segment, in place", "./transfer/sealed", "BenchmarkOpen/in-place", "BenchmarkOpen/in-place-floor", "a copy, the AEAD in place", bareRate, 0},
	{"seal a segment, by one record in the cache", "./transfer/sealed", "BenchmarkSeal/in-place", "BenchmarkSeal/one-record-floor", "the AEAD, one record 64 times", 0, 0},
}

// result is the fastest round of a benchmark.
type result struct {
	ns     float64
	allocs int64
}

// matching are the goals whose name matches.
func matching(match *regexp.Regexp) (some []goal) {
	for _, g := range goals {
		if match.MatchString(g.what) {
			some = append(some, g)
		}
	}
	return some
}

// measureRatios runs the benchmarks of some goals.
func measureRatios(out, progress io.Writer, some []goal, rounds int, benchtime string) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "staunch-bench-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	binaries, err := build(dir, some)
	if err != nil {
		return false, err
	}
	best := make(map[string]result)
	for round := range rounds {
		fmt.Fprintf(progress, "\rround %d of %d", round+1, rounds)
		for pkg, binary := range binaries {
			cmd := exec.Command(binary, "-test.run=^$", "-test.bench=.", "-test.benchmem", "-test.benchtime="+benchtime)
			cmd.Dir = pkg
			text, err := cmd.CombinedOutput()
			if err != nil {
				return false, fmt.Errorf("%s: %w\n%s", pkg, err, text)
			}
			keepBest(best, text)
		}
	}
	fmt.Fprintln(progress)
	return table(out, some, best)
}

// build makes a test binary for each package.
func build(dir string, goals []goal) (map[string]string, error) {
	binaries := make(map[string]string)
	for _, g := range goals {
		if binaries[g.pkg] != "" {
			continue
		}
		binary := filepath.Join(dir, filepath.Base(g.pkg)+".test")
		if text, err := exec.Command("go", "test", "-c", "-o", binary, g.pkg).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", g.pkg, err, text)
		}
		binaries[g.pkg] = binary
	}
	return binaries, nil
}

// line is a line that a benchmark prints with -benchmem.
var line = regexp.MustCompile(`(?m)^(Benchmark\S+?)(?:-\d+)?\s+\d+\s+([0-9.]+) ns/op(?:.*?\s(\d+) allocs/op)?`)

func keepBest(best map[string]result, text []byte) {
	for _, m := range line.FindAllSubmatch(bytes.TrimSpace(text), -1) {
		ns, err := strconv.ParseFloat(string(m[2]), 64)
		if err != nil {
			continue // the expression lets nothing else through
		}
		allocs, _ := strconv.ParseInt(string(m[3]), 10, 64)
		name := string(m[1])
		if r, ok := best[name]; !ok || ns < r.ns {
			best[name] = result{ns, allocs}
		}
	}
}

// table prints the goals and what was measured.
func table(w io.Writer, goals []goal, best map[string]result) (ok bool, err error) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHAT\tTIME\tRAW COST\tOF\tRATIO\tGOAL\tALLOCS\tGOAL\t")
	ok = true
	for _, g := range goals {
		full, floor := best[g.full], sum(best, g.floor)
		if full.ns == 0 || floor.ns == 0 {
			return false, fmt.Errorf("%s: no result for %s or %s", g.what, g.full, g.floor)
		}
		ratio := full.ns / floor.ns
		var missed []string
		if g.ratio > 0 && ratio > g.ratio {
			missed = append(missed, "ratio")
		}
		if g.maxAllocs > 0 && full.allocs > g.maxAllocs {
			missed = append(missed, "allocs")
		}
		verdict := "holds"
		if len(missed) > 0 {
			verdict, ok = "MISSED: "+strings.Join(missed, ", "), false
		}
		fmt.Fprintf(t, "%s\t%.0f µs\t%.0f µs\t%s\t%.2f\t%s\t%d\t%s\t%s\n", g.what, full.ns/1e3, floor.ns/1e3, g.floorIs,
			ratio, atMost(g.ratio), full.allocs, atMost(float64(g.maxAllocs)), verdict)
	}
	return ok, t.Flush()
}

// sum adds up the benchmarks that a floor names; it is zero if one has no result.
func sum(best map[string]result, names string) (all result) {
	for name := range strings.SplitSeq(names, " + ") {
		r, ok := best[name]
		if !ok {
			return result{}
		}
		all.ns, all.allocs = all.ns+r.ns, all.allocs+r.allocs
	}
	return all
}

func atMost(limit float64) string {
	if limit == 0 {
		return "-"
	}
	return "≤ " + strconv.FormatFloat(limit, 'g', 3, 64)
}
