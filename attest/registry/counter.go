package registry

// counter is what is known of the assertion counters of an Apple key: the
// highest that was seen, and a bitmap of those just below it. Bit i stands for
// high-i, so bit 0 is set once anything was seen.
type counter struct {
	high uint32
	seen uint64
}

// maxCounterWindow is how many counters a bitmap remembers.
const maxCounterWindow = 64

// next gives the state after n was seen; ok is false if n may not be taken.
//
// Without a window n must be greater than all before it: "Validating apps that
// connect to your server", step 5 of the assertion. With a window of w, a
// counter that was not seen is also taken above high-w, for apps that send
// requests in parallel: the receiver's window of RFC 4303, Section 3.4.3.
//
// The bitmap is kept in both cases, so that a policy that opens a window does
// not take what was seen before.
func (c counter) next(n uint32, window int) (_ counter, ok bool) {
	if n == 0 { // the attestation's own
		return c, false
	}
	if n > c.high {
		ahead := n - c.high
		if ahead >= maxCounterWindow {
			return counter{n, 1}, true
		}
		return counter{n, c.seen<<ahead | 1}, true
	}
	behind := c.high - n
	bit := uint64(1) << (behind % maxCounterWindow)
	if int64(behind) >= int64(min(window, maxCounterWindow)) || c.seen&bit != 0 {
		return c, false
	}
	return counter{c.high, c.seen | bit}, true
}
