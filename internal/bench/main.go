// Command bench measures what Staunch promises about speed: ratios between an
// operation and the raw cost of the same work, both measured in one run.
// Absolute times say little on a machine that does other things; a ratio says
// what our own code adds.
//
//	go run ./internal/bench [-rounds N] [-time D] [-requests N] [-keys N] [-history MIB] [-run REGEXP]
//
// Verifiers: it builds the test binaries once and runs all benchmarks in
// rounds, so that a benchmark and its floor are measured close to each other
// several times over, and compares the fastest round of each: noise only ever
// adds.
//
// VerifyRequest: `staunch serve` in a process of its own, with a store on the
// disk, is asked by 64 clients in this one, and so is an HTTP server that does
// nothing but verify one signature.
//
// Re-evaluation: a new revocation list is applied to many keys.
//
// Recoveries: evaluate and release at three vaults and their witnesses, in memory.
//
// A whole move: a history moves from one software phone to another through a server,
// each in a process of its own; and the same segments over the same path with nothing
// sealed; and croc does it, where it is installed.
//
// A history in a browser: the TypeScript SDK seals and opens one in Chromium, where it
// is installed, beside the bare AES-GCM of Web Cryptography.
//
// It exits with 1 if a goal is missed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
)

// The measurements that -run can choose beside the goals of ratios.
const (
	requestsName   = "VerifyRequest over HTTP"
	reevaluateName = "re-evaluation"
	recoverName    = "recoveries"
	moveName       = "a whole move"
	browserName    = "a history in a browser"
)

// options are the command line.
type options struct {
	rounds     int
	benchtime  string
	run        string
	requests   int
	keys       int
	recoveries int
	staunch    string
	bare       string
	history    int
	large      int
	dir        string
	relay      string
	args       []string
}

// errMissed says that everything was measured, and a goal was missed.
var errMissed = errors.New("a goal is missed")

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 40, "how often everything is measured; VerifyRequest a quarter as often")
	flag.StringVar(&o.benchtime, "time", "20ms", "how long each benchmark of a verifier runs in a round")
	flag.StringVar(&o.run, "run", "", "measure only what matches this regular expression")
	flag.IntVar(&o.requests, "requests", 20_000, "signed requests in a round")
	flag.IntVar(&o.keys, "keys", 60_000, "registered keys that are re-evaluated; the goal is for 1000000. So few that the page cache holds their accounts look too fast: no less than 60000")
	flag.IntVar(&o.recoveries, "recoveries", 3_000, "recoveries at three vaults")
	flag.StringVar(&o.staunch, "staunch", "", "the program that serves; empty: it is built")
	flag.StringVar(&o.bare, "bare", "", "serve at this address what `staunch serve` is compared with; the program calls itself so")
	flag.IntVar(&o.history, "history", smallHistory, "MiB of history in a move")
	flag.IntVar(&o.large, "large", 0, "measure nothing but the memory of a move of so many MiB, beside one of "+strconv.Itoa(smallHistory))
	flag.StringVar(&o.dir, "dir", "", "the folder of a move's phones and servers; empty: /dev/shm where it is, which is in memory")
	flag.StringVar(&o.relay, "relay", "", "be the sender, receiver or server of what a move is compared with; the program calls itself so")
	flag.Parse()
	o.args = flag.Args()
	switch err := o.measure(os.Stdout, os.Stderr); {
	case errors.Is(err, errMissed):
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
}

func (o *options) measure(out, progress io.Writer) error {
	if o.bare != "" {
		return serveBare(o.bare)
	}
	if o.relay != "" && len(o.args) == 2 {
		return relay(o.relay, o.args[0], o.args[1])
	}
	if o.large > 0 {
		ok, err := measureSizes(out, progress, o)
		if err == nil && !ok {
			err = errMissed
		}
		return err
	}
	match, err := regexp.Compile(o.run)
	if err != nil {
		return err
	}
	ok := true
	if some := matching(match); len(some) > 0 {
		holds, err := measureRatios(out, progress, some, o.rounds, o.benchtime)
		if err != nil {
			return err
		}
		ok = holds
	}
	if match.MatchString(requestsName) {
		holds, err := measureRequests(out, progress, o.staunch, (o.rounds+3)/4, o.requests)
		if err != nil {
			return fmt.Errorf("%s: %w", requestsName, err)
		}
		ok = ok && holds
	}
	if match.MatchString(reevaluateName) {
		holds, err := measureReevaluation(out, o.keys)
		if err != nil {
			return fmt.Errorf("%s: %w", reevaluateName, err)
		}
		ok = ok && holds
	}
	if match.MatchString(recoverName) {
		holds, err := measureRecoveries(out, o.recoveries)
		if err != nil {
			return fmt.Errorf("%s: %w", recoverName, err)
		}
		ok = ok && holds
	}
	if match.MatchString(moveName) {
		holds, err := measureMoves(out, progress, o, (o.rounds+7)/8)
		if err != nil {
			return fmt.Errorf("%s: %w", moveName, err)
		}
		ok = ok && holds
	}
	if match.MatchString(browserName) {
		holds, err := measureBrowser(out, (o.rounds+3)/4)
		if err != nil {
			return fmt.Errorf("%s: %w", browserName, err)
		}
		ok = ok && holds
	}
	if !ok {
		return errMissed
	}
	return nil
}
