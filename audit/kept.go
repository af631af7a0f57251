package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Kept is the member "kept" of an entry's Detail. It tells of a thing that was
// stored together with what the entry is about, and is deleted some day, such
// as the evidence for a decision. Check compares the thing for as long as it is
// there, and misses it if it is gone before its time.
type Kept struct {
	Subject string    `json:"subject"`
	SHA256  []byte    `json:"sha256"` // of the thing; it never changes
	Until   time.Time `json:"until"`  // when it may be deleted
}

// kept gives what e tells of a thing that is kept for a time, or nil.
func (e Entry) kept() (*Kept, error) {
	if len(e.Detail) == 0 {
		return nil, nil
	}
	var d struct {
		Kept *Kept `json:"kept"`
	}
	if err := json.Unmarshal(e.Detail, &d); err != nil {
		return nil, fmt.Errorf("detail: %w", err)
	}
	if k := d.Kept; k != nil && (k.Subject == "" || len(k.SHA256) != 32 || k.Until.IsZero()) {
		return nil, errors.New("detail: kept lacks subject, digest or time")
	}
	return d.Kept, nil
}
