package appattest

// maxBERDepth bounds the nesting of a CMS; real receipts have about a dozen
// levels.
const maxBERDepth = 32

// isBER reports whether b is one BER value (X.690 §8.1) and nothing after
// it, of bounded depth. The CMS parser ignores what follows the value it
// reads, and works the harder the deeper its input is nested.
func isBER(b []byte) bool {
	n, ok := skipBER(b, maxBERDepth)
	return ok && n == len(b)
}

// skipBER returns how many bytes the first value of b has.
func skipBER(b []byte, depth int) (n int, ok bool) {
	if depth == 0 || len(b) < 2 {
		return 0, false
	}
	n = 1
	constructed := b[0]&0x20 != 0
	if b[0]&0x1f == 0x1f { // X.690 §8.1.2.4: high tag number form
		for n < len(b) && b[n]&0x80 != 0 {
			n++
		}
		n++
	}
	if n >= len(b) {
		return 0, false
	}
	first := b[n]
	n++
	if first == 0x80 { // X.690 §8.1.3.6: indefinite, ends with two zero octets
		if !constructed {
			return 0, false
		}
		for {
			if len(b) >= n+2 && b[n] == 0 && b[n+1] == 0 {
				return n + 2, true
			}
			m, ok := skipBER(b[n:], depth-1)
			if !ok {
				return 0, false
			}
			n += m
		}
	}
	length := int(first)
	if first > 0x80 { // X.690 §8.1.3.5
		count := int(first & 0x7f)
		if count > 4 || n+count > len(b) {
			return 0, false
		}
		length = 0
		for _, c := range b[n : n+count] {
			length = length<<8 | int(c)
		}
		n += count
	}
	if length < 0 || length > len(b)-n {
		return 0, false
	}
	end := n + length
	if constructed {
		for n < end {
			m, ok := skipBER(b[n:end], depth-1)
			if !ok {
				return 0, false
			}
			n += m
		}
	}
	return end, true
}
