package appattest

import "errors"

// maxBERDepth bounds the nesting of a CMS; real receipts have about a dozen
// levels.
const maxBERDepth = 32

var errBER = errors.New("not one well-formed BER value")

// checkBER reports whether b is one BER value (X.690 §8.1) and nothing after
// it, of bounded depth. The CMS parser ignores what follows the value it
// reads, and works the harder the deeper its input is nested.
func checkBER(b []byte) error {
	n, err := skipBER(b, maxBERDepth)
	if err != nil {
		return err
	}
	if n != len(b) {
		return errBER
	}
	return nil
}

// skipBER returns how many bytes the first value of b has.
func skipBER(b []byte, depth int) (int, error) {
	if depth == 0 || len(b) < 2 {
		return 0, errBER
	}
	constructed, n := b[0]&0x20 != 0, 1
	if b[0]&0x1f == 0x1f { // X.690 §8.1.2.4: high tag number form
		for n < len(b) && b[n]&0x80 != 0 {
			n++
		}
		n++
	}
	if n >= len(b) {
		return 0, errBER
	}
	first := b[n]
	n++
	if first == 0x80 { // X.690 §8.1.3.6: indefinite, ends with two zero octets
		if !constructed {
			return 0, errBER
		}
		for {
			if len(b) >= n+2 && b[n] == 0 && b[n+1] == 0 {
				return n + 2, nil
			}
			m, err := skipBER(b[n:], depth-1)
			if err != nil {
				return 0, err
			}
			n += m
		}
	}
	length := int(first)
	if first > 0x80 { // X.690 §8.1.3.5
		count := int(first & 0x7f)
		if count > 4 || n+count > len(b) {
			return 0, errBER
		}
		length = 0
		for _, c := range b[n : n+count] {
			length = length<<8 | int(c)
		}
		n += count
	}
	if length < 0 || length > len(b)-n {
		return 0, errBER
	}
	end := n + length
	if constructed {
		for n < end {
			m, err := skipBER(b[n:end], depth-1)
			if err != nil {
				return 0, err
			}
			n += m
		}
	}
	return end, nil
}
