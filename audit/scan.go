package audit

import (
	"bytes"
	"encoding/base64"
	"time"
)

// told is what a Detail tells, as views of its text: Check reads millions.
type told struct {
	steps []toldStep
	rows  []toldRow
	gone  [][]byte
	kept  *toldRow // points to one
	one   toldRow
}

type toldStep struct{ of, id, step, from, to []byte }

type toldRow struct {
	name   []byte
	digest Digest
	until  time.Time // of what is kept
}

// read reads the Detail of e. What the program itself writes is read at once;
// any other JSON of the same meaning is left to encoding/json, and so is what
// must be refused, for it says why.
func (t *told) read(e *Entry) error {
	t.steps, t.rows, t.gone, t.kept = t.steps[:0], t.rows[:0], t.gone[:0], nil
	if len(e.Detail) == 0 || t.scan(e.Detail) && t.valid(e) {
		return nil
	}
	d, err := e.inDetail()
	if err != nil {
		return err
	}
	t.steps, t.rows, t.gone, t.kept = t.steps[:0], t.rows[:0], t.gone[:0], nil
	for _, s := range d.Steps {
		t.steps = append(t.steps, toldStep{[]byte(s.Of), []byte(s.ID), []byte(s.Step), []byte(s.From), []byte(s.To)})
	}
	for name, digest := range d.Rows {
		t.rows = append(t.rows, toldRow{name: []byte(name), digest: digest})
	}
	for _, name := range d.Gone {
		t.gone = append(t.gone, []byte(name))
	}
	if k := d.Kept; k != nil {
		t.one = toldRow{[]byte(k.Subject), Digest(k.SHA256), k.Until}
		t.kept = &t.one
	}
	return nil
}

// valid is Detail.validate, and does not say why not.
func (t *told) valid(e *Entry) bool {
	own := len(e.Object) != 0
	for _, r := range t.rows {
		if len(r.name) == 0 || own && string(r.name) == e.Subject {
			return false
		}
	}
	for _, name := range t.gone {
		if len(name) == 0 {
			return false
		}
	}
	for _, s := range t.steps {
		if len(s.of) == 0 || len(s.id) == 0 || len(s.step) == 0 || len(s.to) == 0 || (!own || string(s.id) != e.Subject) && !t.hasRow(s.id) {
			return false
		}
	}
	return t.kept == nil || len(t.kept.name) != 0 && !t.kept.until.IsZero()
}

func (t *told) hasRow(name []byte) bool {
	for _, r := range t.rows {
		if bytes.Equal(r.name, name) {
			return true
		}
	}
	return false
}

// scan reads text as encoding/json writes a Detail, and what is beside it. ok is
// false for anything that is not so plain.
func (t *told) scan(text []byte) (ok bool) {
	if bytes.IndexByte(text, '\\') >= 0 {
		return false
	}
	s := scanner{text: text}
	var steps, rows, gone, kept bool
	return s.object(func(name []byte) bool {
		switch string(name) {
		case "steps":
			return once(&steps) && t.scanSteps(&s)
		case "rows":
			return once(&rows) && t.scanRows(&s)
		case "gone":
			return once(&gone) && t.scanGone(&s)
		case "kept":
			return once(&kept) && t.scanKept(&s)
		}
		return !folded(name) && s.skip()
	}) && s.at == len(text)
}

// once reports whether a member stands here for the first time.
func once(seen *bool) bool {
	first := !*seen
	*seen = true
	return first
}

// folded reports whether encoding/json would take name for one of the members,
// though it is written in another way.
func folded(name []byte) bool {
	switch len(name) {
	case 4:
		return bytes.EqualFold(name, []byte("rows")) || bytes.EqualFold(name, []byte("gone")) || bytes.EqualFold(name, []byte("kept"))
	case 5:
		return bytes.EqualFold(name, []byte("steps"))
	}
	return false
}

func (t *told) scanRows(s *scanner) bool {
	return s.object(func(name []byte) bool {
		var d Digest
		value, ok := s.string()
		if !ok || !readHex(&d, value) {
			return false
		}
		t.rows = append(t.rows, toldRow{name: name, digest: d})
		return true
	})
}

func (t *told) scanSteps(s *scanner) bool {
	return s.list(func() bool {
		var step toldStep
		n := 0
		ok := s.object(func(name []byte) bool {
			var to *[]byte
			switch string(name) {
			case "of":
				to = &step.of
			case "id":
				to = &step.id
			case "step":
				to = &step.step
			case "from":
				to = &step.from
			case "to":
				to = &step.to
			default:
				return false
			}
			value, ok := s.string()
			if !ok || *to != nil {
				return false
			}
			*to = value
			n++
			return true
		})
		t.steps = append(t.steps, step)
		return ok && n == 5
	})
}

func (t *told) scanGone(s *scanner) bool {
	one := func() bool {
		name, ok := s.string()
		t.gone = append(t.gone, name)
		return ok
	}
	if s.at < len(s.text) && s.text[s.at] == '"' {
		return one()
	}
	return s.list(one)
}

func (t *told) scanKept(s *scanner) bool {
	t.one = toldRow{}
	t.kept = &t.one
	n := 0
	return s.object(func(name []byte) bool {
		value, ok := s.string()
		if !ok {
			return false
		}
		n++
		switch string(name) {
		case "subject":
			t.one.name = value
			return true
		case "sha256":
			var sum [33]byte // a byte more, to see that there is not
			size, err := base64.StdEncoding.Decode(sum[:], value[:min(len(value), 44)])
			t.one.digest = Digest(sum[:32])
			return err == nil && size == 32 && len(value) == 44
		case "until":
			var err error
			t.one.until, err = time.Parse(time.RFC3339, string(value))
			return err == nil
		}
		return false
	}) && n == 3
}

// scanner goes over JSON without spaces and escapes.
type scanner struct {
	text []byte
	at   int
}

func (s *scanner) byte(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// string gives a text of printable ASCII.
func (s *scanner) string() (value []byte, ok bool) {
	if !s.byte('"') {
		return nil, false
	}
	n := bytes.IndexByte(s.text[s.at:], '"')
	if n < 0 {
		return nil, false
	}
	value = s.text[s.at : s.at+n : s.at+n]
	s.at += n + 1
	for _, c := range value {
		if c < ' ' || c >= 0x7f {
			return nil, false
		}
	}
	return value, true
}

// object calls member with each name; it reads the value.
func (s *scanner) object(member func(name []byte) bool) bool {
	if !s.byte('{') {
		return false
	}
	for first := true; !s.byte('}'); first = false {
		if !first && !s.byte(',') {
			return false
		}
		name, ok := s.string()
		if !ok || !s.byte(':') || !member(name) {
			return false
		}
	}
	return true
}

// list calls element for each element; it reads it.
func (s *scanner) list(element func() bool) bool {
	if !s.byte('[') {
		return false
	}
	for first := true; !s.byte(']'); first = false {
		if !first && !s.byte(',') || !element() {
			return false
		}
	}
	return true
}

// skip reads over a value. It does not say whether a word or a number is one:
// nothing of it is used.
func (s *scanner) skip() bool {
	begin := s.at
	for depth := 0; s.at < len(s.text); {
		switch s.text[s.at] {
		case '"':
			n := bytes.IndexByte(s.text[s.at+1:], '"')
			if n < 0 {
				return false
			}
			s.at += n + 1 // the closing one is read below
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return s.at > begin // the value was a number or a word, and ended before this
			}
		case ',':
			if depth == 0 {
				return s.at > begin
			}
		}
		s.at++
	}
	return false
}
