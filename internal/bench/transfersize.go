package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/tabwriter"
	"time"
)

// measureSizes compares the memory of a small move and of a large one.
func measureSizes(out, progress io.Writer, o *options) (ok bool, err error) {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // so that memory is let go
	defer cancel()
	s, err := newSite(o.dir, smallHistory)
	if s != nil {
		defer os.RemoveAll(s.dir)
	}
	if err != nil {
		return false, err
	}
	large := filepath.Join(s.dir, "large")
	if err := writeHistory(large, o.large); err != nil {
		return false, err
	}
	staunch, err := program(o.staunch, s.dir)
	if err != nil {
		return false, err
	}
	m, err := newMoves(ctx, filepath.Join(s.dir, "ours"), staunch)
	if err != nil {
		return false, err
	}
	defer m.stop()
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\nA MOVE OF\tTIME\tPROCESSOR\tSENDER\tRECEIVER\tSERVER ABOVE IDLE\t\n")
	var took []trial
	for _, of := range []struct {
		mib     int
		history string
	}{{smallHistory, s.history}, {o.large, large}} {
		fmt.Fprintf(progress, "%d MiB\n", of.mib)
		n, err := m.move(ctx, of.history)
		if err != nil {
			return false, fmt.Errorf("%d MiB: %w\n%s", of.mib, err, m.log())
		}
		fmt.Fprintf(t, "%d MiB\t%s\t%.1f s\t%.1f MiB\t%.1f MiB\t%.1f MiB\t\n", of.mib, n.wall.Round(time.Millisecond), n.all(), n.memory[0].peak, n.memory[1].peak, n.serverMem)
		took = append(took, n)
	}
	if err := t.Flush(); err != nil {
		return false, err
	}
	v := newVerdicts(out, fmt.Sprintf("OF A MOVE OF %d MiB", o.large))
	for i, who := range []string{"sender", "receiver"} {
		if small := took[0].memory[i].peak; small > 0 {
			v.most("memory of the "+who+", of that of a small move", took[1].memory[i].peak/small, moveGrowth)
		}
	}
	memoryVerdicts(v, took[1])
	return v.flush()
}
