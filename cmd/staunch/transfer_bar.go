package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/staunchid/staunch/client"
)

// reserve is the part of the bar that is not bytes, in hundredths: checking,
// committing and opening, so that a full bar means done and nothing else
// (transfer, section 8.4).
const reserve = 2

// transferBar draws how far a transfer is. On a terminal it is one line that
// changes; elsewhere a line now and then.
type transferBar struct {
	w    io.Writer
	live bool // on a terminal
	bar  *progressbar.ProgressBar
	of   uint64
	last time.Time // a line was written, where it is no terminal
	now  func() time.Time
}

func newTransferBar(w io.Writer) *transferBar {
	return &transferBar{w: w, live: onTerminal(w), now: time.Now}
}

// show draws a progress event.
func (b *transferBar) show(e *client.MoveEvent) error {
	if !b.live {
		if now := b.now(); now.Sub(b.last) >= 5*time.Second {
			b.last = now
			_, err := fmt.Fprintln(b.w, barText(e))
			return err
		}
		return nil
	}
	if b.bar == nil || b.of != e.Total {
		b.of = e.Total
		b.bar = progressbar.NewOptions64(barSize(e.Total), progressbar.OptionSetWriter(b.w), progressbar.OptionFullWidth(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetTheme(progressbar.ThemeASCII), progressbar.OptionShowDescriptionAtLineEnd())
	}
	b.bar.Describe(besideBar(e, columns(b.w)))
	return b.bar.Set64(barDone(e))
}

// clear makes room for a line.
func (b *transferBar) clear() {
	if b.live && b.bar != nil {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}

// barSize is the bar's end for so many bytes.
func barSize(total uint64) int64 { return int64(total) + int64(total)*reserve/100 + reserve }

// barDone is how far the bar is: its end comes with the last line.
func barDone(e *client.MoveEvent) int64 {
	done := int64(min(e.Done, e.Total))
	switch e.Phase {
	case "commit":
		done += (barSize(e.Total) - int64(e.Total)) / 3
	case "open":
		done += (barSize(e.Total) - int64(e.Total)) / 2
	}
	return done
}

// barText is what stands beside the bar.
func barText(e *client.MoveEvent) string {
	text := fmt.Sprintf("%s  %s of %s", phaseWords(e.Phase), size(e.Done), size(e.Total))
	if e.Rate > 0 {
		text += "  " + size(uint64(e.Rate)) + "/s"
	}
	if e.ETA >= 0 {
		text += "  " + max(e.ETA.Round(time.Second), time.Second).String() + " left"
	}
	return text
}

// leastBar is what a line has beside the text: percent, brackets, and a bar that
// is still one.
const leastBar = 16

// besideBar is as much of the text as leaves room for the bar in a line: one that
// does not fit is wrapped, and drawn anew below itself each time.
func besideBar(e *client.MoveEvent, columns int) string {
	short := *e
	for _, drop := range []func(){func() {}, func() { short.Rate = -1 }, func() { short.ETA = -1 }} {
		drop()
		if text := barText(&short); len(text)+leastBar <= columns {
			return text
		}
	}
	return phaseWords(e.Phase)
}

// columns is the width of a terminal.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// phaseWords names a phase for people.
func phaseWords(phase string) string {
	switch phase {
	case "pair":
		return "pairing"
	case "hold":
		return "waiting"
	case "copy":
		return "copying"
	case "check":
		return "checking"
	case "commit":
		return "moving the account"
	case "open":
		return "opening"
	}
	return phase
}

// size is a number of bytes for people.
func size(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	value, i := float64(n), 0
	for value >= 1024 && i < len(units)-1 {
		value, i = value/1024, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[i])
}
