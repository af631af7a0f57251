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

// inDetail is what the Detail of an entry tells of other things.
type inDetail struct {
	Kept *Kept `json:"kept"`
	// Gone names a thing that was this account's and is no longer: it was deleted,
	// or is another account's now, whose chain tells of it.
	Gone string `json:"gone"`
}

// inDetail reads what the Detail of e tells of other things.
func (e Entry) inDetail() (d inDetail, err error) {
	if len(e.Detail) == 0 {
		return d, nil
	}
	if err := json.Unmarshal(e.Detail, &d); err != nil {
		return inDetail{}, fmt.Errorf("detail: %w", err)
	}
	if k := d.Kept; k != nil && (k.Subject == "" || len(k.SHA256) != 32 || k.Until.IsZero()) {
		return inDetail{}, errors.New("detail: kept lacks subject, digest or time")
	}
	return d, nil
}
