package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Limit is a token bucket, written as "30 per 1m", or with room for more at
// once as "600 per 1m, burst 1200".
type Limit struct {
	N     int
	Per   Duration
	Burst int // 0: N
}

// maxLimit bounds the numbers of a Limit.
const maxLimit = 1_000_000_000

// UnmarshalText reads a limit. None of its numbers is zero: what may never
// happen is not a matter of how often.
func (l *Limit) UnmarshalText(text []byte) error {
	wrong := fmt.Errorf(`%q is no limit; write it as "30 per 1m" or "600 per 1m, burst 1200", with numbers of at least 1`, text)
	rate, burst, bursts := strings.Cut(string(text), ", burst ")
	count, per, ok := strings.Cut(rate, " per ")
	if !ok {
		return wrong
	}
	var out Limit
	if out.N, ok = number(count); !ok {
		return wrong
	}
	if bursts {
		if out.Burst, ok = number(burst); !ok {
			return wrong
		}
	}
	if err := out.Per.UnmarshalText([]byte(per)); err != nil || out.Per.Duration == 0 {
		return wrong
	}
	*l = out
	return nil
}

// number reads digits alone, without zeros in front, from 1 to maxLimit.
func number(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return int(n), err == nil && n <= maxLimit && text[0] != '0' //nolint:gosec // bounded
}

// MarshalText writes a limit so that UnmarshalText reads it.
func (l Limit) MarshalText() ([]byte, error) {
	per, err := l.Per.MarshalText()
	if err != nil {
		return nil, err
	}
	text := fmt.Appendf(nil, "%d per %s", l.N, per)
	if l.Burst > 0 {
		text = fmt.Appendf(text, ", burst %d", l.Burst)
	}
	return text, nil
}
