package cbor

// Fields walks a map whose keys are small numbers, in rising order.
type Fields struct {
	c    *Coder
	at   int    // writing: where the head is
	left uint64 // reading: pairs still to come
	n    uint64 // writing: pairs so far
	next uint64 // the least key that may come
}

// Map is a map with small numbers for keys; fields walks its members.
func (c *Coder) Map(fields func(*Fields)) {
	f := &Fields{c: c, at: len(c.buf)}
	f.left = c.head(MajorMap, 0)
	if c.err != nil {
		return
	}
	fields(f)
	switch {
	case c.err != nil:
	case c.reading && f.left > 0:
		c.Failf("%d members too many, or one that is unknown", f.left)
	case !c.reading:
		c.buf[f.at] = MajorMap<<5 | byte(f.n) // below 24: Optional sees to it
	}
}

// Key is the key of a member that must be there.
func (f *Fields) Key(k uint64) {
	if !f.Optional(k, true) && f.c.err == nil {
		f.c.Failf("no member %d", k)
	}
}

// Optional is the key of a member that may be there. Writing, something says
// whether it is. It reports whether the value is to be walked.
func (f *Fields) Optional(k uint64, something bool) bool {
	c := f.c
	if c.err != nil {
		return false
	}
	if k < f.next || k > 22 { // a mistake of the caller
		c.Failf("the key %d is out of order", k)
		return false
	}
	if !c.reading {
		if something {
			c.putHead(MajorUnsigned, k)
			f.n++
			f.next = k + 1
		}
		return something
	}
	if f.left == 0 {
		return false
	}
	major, n, size, err := c.peekHead()
	if err != nil {
		c.err = err
		return false
	}
	if major != MajorUnsigned || n != k {
		return false
	}
	c.buf = c.buf[size:]
	f.left--
	f.next = k + 1
	return true
}
