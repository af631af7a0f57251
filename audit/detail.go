package audit

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Detail has the members of an entry's Detail that Check reads. A pillar that
// tells of more embeds it:
//
//	e.Detail, err = json.Marshal(struct {
//		audit.Detail
//		Policy string `json:"policy"`
//	}{audit.Detail{Steps: steps, Rows: rows}, digest})
type Detail struct {
	// Steps are what happened to the states of things, in order. A step changes
	// its thing: the entry has its digest, in Object or in Rows.
	Steps []Step `json:"steps,omitempty"`
	// Rows are the digests of things that changed beside the Subject of the entry.
	Rows map[string]Digest `json:"rows,omitempty"`
	// Gone are things that were this account's and are no longer: they were
	// deleted, or are another account's now, whose chain tells of them.
	Gone Names `json:"gone,omitempty"`
	// Kept is a thing that was stored for a time only.
	Kept *Kept `json:"kept,omitempty"`
}

// Step is a change of state. From is what the thing was by the last step that
// the chain tells of, and empty if it was not there.
type Step struct {
	Of   string `json:"of"` // "account", "device", "credential"
	ID   string `json:"id"` // the subject by which its digest is told
	Step string `json:"step"`
	From string `json:"from"`
	To   string `json:"to"`
}

// Digest is the SHA-256 of a thing. As text it is hex.
type Digest [32]byte

// MarshalText gives d in hex.
func (d Digest) MarshalText() ([]byte, error) {
	return hex.AppendEncode(nil, d[:]), nil
}

// UnmarshalText reads hex in lower case.
func (d *Digest) UnmarshalText(text []byte) error {
	if !readHex(d, text) {
		return errors.New("audit: a digest is 64 characters of lower-case hex")
	}
	return nil
}

// Names are written in JSON as a list, and read as a list or as one text.
type Names []string

// UnmarshalJSON reads a list, or one name.
func (n *Names) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		*n = make(Names, 1)
		return json.Unmarshal(text, &(*n)[0])
	}
	return json.Unmarshal(text, (*[]string)(n))
}

// Kept is a thing that was stored together with what the entry is about, and is
// deleted some day, such as the evidence for a decision. Check compares the
// thing for as long as it is there, and misses it if it is gone before its time.
type Kept struct {
	Subject string    `json:"subject"`
	SHA256  []byte    `json:"sha256"` // of the thing; it never changes
	Until   time.Time `json:"until"`  // when it may be deleted
}

// inDetail reads what the Detail of e tells of other things.
func (e *Entry) inDetail() (d Detail, err error) {
	if len(e.Detail) == 0 {
		return d, nil
	}
	if err := json.Unmarshal(e.Detail, &d); err != nil {
		return Detail{}, fmt.Errorf("detail: %w", err)
	}
	if err := d.validate(e); err != nil {
		return Detail{}, fmt.Errorf("detail: %w", err)
	}
	return d, nil
}

func (d *Detail) validate(e *Entry) error {
	if k := d.Kept; k != nil && (k.Subject == "" || len(k.SHA256) != 32 || k.Until.IsZero()) {
		return errors.New("kept lacks subject, digest or time")
	}
	for _, name := range d.Gone {
		if name == "" {
			return errors.New("gone names a thing without a name")
		}
	}
	for name := range d.Rows {
		if name == "" || name == e.Subject && len(e.Object) != 0 {
			return fmt.Errorf("rows tells of %q, whose digest is the entry's own", name)
		}
	}
	for _, s := range d.Steps {
		if s.Of == "" || s.ID == "" || s.Step == "" || s.To == "" {
			return errors.New("a step lacks of, id, step or to")
		}
		if _, told := d.Rows[s.ID]; !told && (s.ID != e.Subject || len(e.Object) == 0) {
			return fmt.Errorf("a step of %s, and neither object nor rows has its digest", s.ID)
		}
	}
	return nil
}

// readHex reads 64 characters of lower-case hex, the one form of a digest.
func readHex[T string | []byte](d *Digest, text T) bool {
	if len(text) != 2*len(d) {
		return false
	}
	for i := range d {
		high, ok1 := nibble(text[2*i])
		low, ok2 := nibble(text[2*i+1])
		if !ok1 || !ok2 {
			return false
		}
		d[i] = high<<4 | low
	}
	return true
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}
