package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"
)

// What is promised of a whole move through the server, both phones and the server on
// one machine.
const (
	moveRate      = 0.65 // of the rate of the same path without cryptography, at least
	moveProcessor = 1.45 // times its processor time, at most
	moveServer    = 1.15 // times its server's
	movePerGiB    = 3.0  // seconds of processor time, of all processes
	movePeer      = 1.15 // times croc's rate
	movePeerSpent = 1.05 // times its processor time
	moveMemory    = 48.0 // MiB of each phone, at any size
	moveServerMem = 8.0  // MiB of the server above what it has without a move
	moveGrowth    = 1.15 // times the memory at smallHistory, at largeHistory
)

// smallHistory is what is moved unless a flag says otherwise, in MiB.
const smallHistory = 256

// trial is what one move took.
type trial struct {
	wall      time.Duration // from the first byte to the commit
	spent     [3]float64    // seconds of processor time of sender, receiver, server
	memory    [2]usage      // of sender and receiver
	serverMem float64       // MiB, above what it had before
}

func (t trial) all() float64 { return t.spent[0] + t.spent[1] + t.spent[2] }

// mover moves a folder from one process to another, through a third.
type mover interface {
	move(ctx context.Context, history string) (trial, error)
	stop()
	log() []byte
}

// way is a mover and the least it took in all rounds: noise only ever adds.
type way struct {
	name string
	mover
	full, empty trial           // of the history, and of one byte
	walls       []time.Duration // of the history, round by round
}

// keep takes the least of each of two trials, and the most of their memory.
func (t *trial) keep(n trial) {
	if t.wall == 0 {
		*t = n
		return
	}
	t.wall, t.serverMem = min(t.wall, n.wall), max(t.serverMem, n.serverMem)
	for i := range t.spent {
		t.spent[i] = min(t.spent[i], n.spent[i])
	}
	for i := range t.memory {
		t.memory[i] = t.memory[i].most(n.memory[i])
	}
}

// perGiB is the processor time of some of the three. What a move of nothing takes,
// such as starting and pairing, is taken off.
func (w *way) perGiB(mib int, who ...int) (s float64) {
	for _, i := range who {
		s += w.full.spent[i] - w.empty.spent[i]
	}
	return s * 1024 / float64(mib)
}

func (w *way) everybody(mib int) float64 { return w.perGiB(mib, 0, 1, 2) }

// rate is by the clock, in MiB a second, less the time for nothing.
func (w *way) rate(mib int) float64 { return float64(mib) / (w.full.wall - w.empty.wall).Seconds() }

// beside compares rates by the clock with another way's of the same round, and takes
// the middle one: on a busy machine the fastest round of each is luck.
func (w *way) beside(other *way) float64 {
	all := make([]float64, len(w.walls))
	for i := range all {
		all[i] = float64(other.walls[i]-other.empty.wall) / float64(w.walls[i]-w.empty.wall)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// site is where moves are measured: a folder in memory where there is one.
type site struct{ dir, history, empty string }

func newSite(under string, mib int) (*site, error) {
	if under == "" {
		if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
			under = "/dev/shm"
		}
	}
	dir, err := os.MkdirTemp(under, "staunch-bench-")
	if err != nil {
		return nil, err
	}
	s := &site{dir: dir, history: filepath.Join(dir, "history"), empty: filepath.Join(dir, "empty")}
	if err := writeHistory(s.history, mib); err != nil {
		return s, err
	}
	if err := os.Mkdir(s.empty, 0o700); err != nil {
		return s, err
	}
	return s, os.WriteFile(filepath.Join(s.empty, "byte"), []byte{1}, 0o600)
}

// ways starts what is measured beside each other. staunch is the program; croc is ""
// where that is not installed.
func (s *site) ways(ctx context.Context, staunch, croc string) (all []*way, err error) {
	ours, err := newMoves(ctx, filepath.Join(s.dir, "ours"), staunch)
	if err != nil {
		return nil, err
	}
	all = append(all, &way{name: "a move", mover: ours})
	bare, err := newRelays(ctx, filepath.Join(s.dir, "bare"))
	if err != nil {
		return all, err
	}
	all = append(all, &way{name: "without cryptography", mover: bare})
	if croc == "" {
		return all, nil
	}
	peer, err := newCrocs(ctx, filepath.Join(s.dir, "croc"), croc)
	if err != nil {
		return all, err
	}
	return append(all, &way{name: "croc", mover: peer}), nil
}

// measureMoves measures side by side, in rounds: a whole move with the program, and
// the same segments through a server of net/http and the server's folder of blobs,
// with nothing sealed, checked or recorded; and croc, where it is installed.
func measureMoves(out, progress io.Writer, o *options, rounds int) (ok bool, err error) {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // so that memory is let go
	defer cancel()
	s, err := newSite(o.dir, o.history)
	if s != nil {
		defer os.RemoveAll(s.dir)
	}
	if err != nil {
		return false, err
	}
	staunch, err := program(o.staunch, s.dir)
	if err != nil {
		return false, err
	}
	croc, _ := exec.LookPath("croc") // not installed: the table says so
	all, err := s.ways(ctx, staunch, croc)
	defer func() {
		for _, w := range all {
			w.stop()
		}
	}()
	if err != nil {
		return false, err
	}
	for round := range rounds {
		fmt.Fprintf(progress, "\rround %d of %d", round+1, rounds)
		for _, w := range all {
			for _, of := range []struct {
				history string
				least   *trial
			}{{s.empty, &w.empty}, {s.history, &w.full}} {
				t, err := w.move(ctx, of.history)
				if err != nil {
					return false, fmt.Errorf("%s: %w\n%s", w.name, err, w.log())
				}
				of.least.keep(t)
				if of.least == &w.full {
					w.walls = append(w.walls, t.wall)
				}
			}
		}
	}
	fmt.Fprintln(progress)
	return movesTable(out, all, o.history)
}

// program is the one under measurement; it is built if none is given.
func program(given, dir string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	file := filepath.Join(dir, "staunch")
	if text, err := exec.Command("go", "build", "-trimpath", "-o", file, "./cmd/staunch").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, text)
	}
	return file, nil
}

func movesTable(out io.Writer, all []*way, mib int) (ok bool, err error) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\nA MOVE OF %d MiB\tRATE\tPROCESSOR, s/GiB\tSENDER\tRECEIVER\tSERVER\tOF NOTHING\t\n", mib)
	for _, w := range all {
		fmt.Fprintf(t, "%s\t%.0f MiB/s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f s\t\n", w.name, w.rate(mib), w.everybody(mib),
			w.perGiB(mib, 0), w.perGiB(mib, 1), w.perGiB(mib, 2), w.empty.all())
	}
	if len(all) == 2 {
		fmt.Fprintf(t, "croc\tno peer\t\t\t\t\t\t\n")
	}
	if err := t.Flush(); err != nil {
		return false, err
	}
	ours, bare := all[0], all[1]
	v := newVerdicts(out, "OF A MOVE")
	v.least("rate by the clock, of that without cryptography, middle round", ours.beside(bare), moveRate)
	v.least("rate by processor time, of that without cryptography", bare.everybody(mib)/ours.everybody(mib), moveRate)
	v.most("processor, of that without cryptography", ours.everybody(mib)/bare.everybody(mib), moveProcessor)
	v.most("server's processor, of that without cryptography", ours.perGiB(mib, 2)/bare.perGiB(mib, 2), moveServer)
	v.most("processor of all processes, s/GiB", ours.everybody(mib), movePerGiB)
	if len(all) > 2 {
		v.least("rate by the clock, of croc's, middle round", ours.beside(all[2]), movePeer)
		v.most("processor, of croc's", ours.everybody(mib)/all[2].everybody(mib), movePeerSpent)
	} else {
		fmt.Fprint(v, "rate and processor, of croc's\tno peer\t\t\n")
	}
	memoryVerdicts(v, ours.full)
	return v.flush()
}

// memoryVerdicts hold the memory of a move against the goals.
func memoryVerdicts(v *verdicts, t trial) {
	for i, who := range []string{"sender", "receiver"} {
		m := t.memory[i]
		if m.peak == 0 {
			fmt.Fprintf(v, "memory of the %s\tnot told here\t\t\n", who)
			continue
		}
		v.most(fmt.Sprintf("memory of the %s at its peak, MiB (%.0f of it its own, the rest text)", who, m.own), m.peak, moveMemory)
	}
	v.most("memory of the server above idle, MiB", t.serverMem, moveServerMem)
}

// verdicts is a table of goals.
type verdicts struct {
	*tabwriter.Writer
	missed []string
}

func newVerdicts(out io.Writer, title string) *verdicts {
	v := &verdicts{Writer: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	fmt.Fprintf(v, "\n%s\tMEASURED\tGOAL\t\n", title)
	return v
}

func (v *verdicts) least(what string, got, goal float64) { v.line(what, got, "≥", goal, got >= goal) }
func (v *verdicts) most(what string, got, goal float64)  { v.line(what, got, "≤", goal, got <= goal) }

func (v *verdicts) line(what string, got float64, sign string, goal float64, holds bool) {
	verdict := "holds"
	if !holds {
		verdict, v.missed = "MISSED", append(v.missed, what)
	}
	fmt.Fprintf(v, "%s\t%.2f\t%s %.2f\t%s\n", what, got, sign, goal, verdict)
}

func (v *verdicts) flush() (ok bool, err error) {
	return len(v.missed) == 0, v.Flush()
}
