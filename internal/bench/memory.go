package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// usage is the memory of a process, in MiB, as Linux tells it: at its peak, with its
// text; and the most that was its own. Zero: it is not told.
type usage struct{ peak, own float64 }

func (u usage) most(n usage) usage { return usage{max(u.peak, n.peak), max(u.own, n.own)} }

// usageOf asks for the memory of a process (proc_pid_status(5)).
func usageOf(pid int) (u usage) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u // it has ended, or this is no Linux
	}
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		var to *float64
		switch string(name) {
		case "VmHWM":
			to = &u.peak
		case "RssAnon":
			to = &u.own
		default:
			continue
		}
		kib, err := strconv.ParseFloat(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))), 64)
		if err == nil {
			*to = kib / 1024
		}
	}
	return u
}

// look is how often memory is looked at.
const look = 10 * time.Millisecond

// watch follows the memory of a process until done is closed.
func watch(pid int, done <-chan struct{}) <-chan usage {
	out := make(chan usage, 1)
	go func() {
		var most usage
		for t := time.NewTicker(look); ; {
			most = most.most(usageOf(pid))
			select {
			case <-t.C:
			case <-done:
				t.Stop()
				out <- most
				return
			}
		}
	}()
	return out
}
