package client

import (
	"bytes"
	"encoding/json"
)

// longestLine is how long a record may be that is looked at. A longer one is kept
// as it is, as every record is, and listed.
const longestLine = 1 << 20

// lineCheck finds the lines of a file that are not JSON, as its bytes pass. It
// keeps one line, and may go on in the middle of a file.
type lineCheck struct {
	Line  uint64 // complete lines before the one that is open
	Start uint64 // where that one begins
	at    uint64 // bytes that have passed
	open  []byte // of that line, at most longestLine and one
	bad   func(line uint64, reason string) error
}

// write looks at the next bytes.
func (c *lineCheck) write(p []byte) error {
	for len(p) > 0 {
		n := bytes.IndexByte(p, '\n')
		if n < 0 {
			c.keep(p)
			c.at += uint64(len(p))
			return nil
		}
		text := p[:n]
		if len(c.open) > 0 {
			c.keep(text)
			text = c.open
		}
		if err := c.line(text); err != nil {
			return err
		}
		c.open = c.open[:0]
		c.at += uint64(n) + 1
		c.Line, c.Start = c.Line+1, c.at
		p = p[n+1:]
	}
	return nil
}

func (c *lineCheck) keep(p []byte) {
	if room := longestLine + 1 - len(c.open); len(p) > room {
		p = p[:room]
	}
	c.open = append(c.open, p...)
}

// end looks at a last line without its end.
func (c *lineCheck) end() error {
	if c.at == c.Start {
		return nil
	}
	return c.line(c.open)
}

func (c *lineCheck) line(text []byte) error {
	switch {
	case len(text) > longestLine:
		return c.bad(c.Line+1, "longer than 1 MiB: not looked at")
	case !json.Valid(text):
		return c.bad(c.Line+1, "not JSON")
	}
	return nil
}
