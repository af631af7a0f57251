package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/staunchid/staunch/client"
)

// errNoInput is the end of standard input while something is asked. Nothing is
// lost: the same command asks again.
var errNoInput = errors.New("standard input has ended, and the number of the other phone is wanted; nothing is lost, run it again")

// asking asks the person: on standard error, whatever standard output is for.
type asking struct {
	*streams
	yes   bool          // to every question, without asking
	lines *bufio.Reader // of standard input
}

func newAsking(s *streams, yes bool) *asking {
	return &asking{streams: s, yes: yes, lines: bufio.NewReader(io.LimitReader(s.in, 1<<20))}
}

// line reads one, and gives up when ctx ends: then the program does as well.
func (a *asking) line(ctx context.Context) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := a.lines.ReadString('\n')
		got <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case in := <-got:
		if in.err != nil && (in.text == "" || !errors.Is(in.err, io.EOF)) {
			return "", in.err
		}
		return strings.TrimRight(in.text, "\r\n"), nil
	}
}

// agrees asks a question that y or yes agrees to, and nothing else does.
func (a *asking) agrees(ctx context.Context, question string) (bool, error) {
	if a.yes {
		return true, nil
	}
	if _, err := fmt.Fprintf(a.err, "%s [y/N] ", question); err != nil {
		return false, err
	}
	text, err := a.line(ctx)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	text = strings.ToLower(strings.TrimSpace(text))
	return text == "y" || text == "yes", err
}

// number asks for the number that the other phone shows. Spaces and dashes do
// not count.
func (a *asking) number(ctx context.Context, triesLeft int) (string, error) {
	tries := fmt.Sprintf("%d tries", triesLeft)
	if triesLeft == 1 {
		tries = "the last try"
	}
	if _, err := fmt.Fprintf(a.err, "The number that the old phone shows (%s): ", tries); err != nil {
		return "", err
	}
	for {
		text, err := a.line(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return "", errNoInput
		case err != nil:
			return "", err
		}
		text = strings.NewReplacer(" ", "", "-", "", "\t", "").Replace(text)
		switch {
		case sixDigits(text):
			return text, nil
		case text == "":
			continue
		}
		// It would cost a try, and is no guess at the number.
		if _, err := io.WriteString(a.err, "The number has six digits. Type it once more: "); err != nil {
			return "", err
		}
	}
}

func sixDigits(text string) bool {
	return len(text) == 6 && strings.Trim(text, "0123456789") == ""
}

// movingQuestion is what the person sees before anything is sent. What the
// server says of the new phone is told apart from what this phone has checked.
func movingQuestion(p *client.Peer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The new phone:  %s, %s, app %s\n", printable(p.Info.Model), printable(p.Info.OS), printable(p.Info.App))
	if p.Verified {
		b.WriteString("Its evidence:   good, checked by this phone\n")
	} else {
		b.WriteString("Its evidence:   NOT CHECKED by this phone\n")
	}
	for _, f := range p.Findings {
		fmt.Fprintf(&b, "                %s\n", printable(f))
	}
	place := printable(p.Place)
	if place == "" {
		place = "unknown"
	}
	if p.SameNetwork {
		place += ", the network that this phone is in"
	}
	fmt.Fprintf(&b, "Where:          %s (so the server says)\n", place)
	switch p.Proximity {
	case "lan":
		b.WriteString("How near:       in the same local network\n")
	case "near":
		b.WriteString("How near:       beside this phone\n")
	default:
		b.WriteString("How near:       NOT FOUND NEARBY. If you do not hold it in your hand, somebody else does: say no.\n")
	}
	b.WriteString("Move this account to it?")
	return b.String()
}
