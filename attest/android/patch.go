package android

import (
	"fmt"
	"time"
)

// PatchLevel is a security patch level: a month, or a day if it states one.
type PatchLevel struct {
	Year, Month int
	Day         int // 0: not stated
}

// ParsePatchLevel reads tags 706, 718 and 719: 6 digits yyyymm or 8 digits
// yyyymmdd, whichever the phone wrote. Anything else, such as 0, says nothing.
func ParsePatchLevel(n uint64) (PatchLevel, bool) {
	p := PatchLevel{}
	switch {
	case n >= 100000 && n <= 999999:
		p.Year, p.Month = int(n/100), int(n%100)
	case n >= 10000000 && n <= 99999999:
		p.Year, p.Month, p.Day = int(n/10000), int(n/100%100), int(n%100)
	}
	ok := p.Year >= 2000 && p.Year <= 2099 && p.Month >= 1 && p.Month <= 12 && p.Day <= 31
	if !ok {
		return PatchLevel{}, false
	}
	return p, true
}

// Before reports whether p is older than q. Days count only if both have one.
func (p PatchLevel) Before(q PatchLevel) bool {
	if p.Year != q.Year {
		return p.Year < q.Year
	}
	if p.Month != q.Month {
		return p.Month < q.Month
	}
	return p.Day != 0 && q.Day != 0 && p.Day < q.Day
}

// Time is the day, or the first of the month if none is stated, at midnight UTC.
func (p PatchLevel) Time() time.Time {
	return time.Date(p.Year, time.Month(p.Month), max(p.Day, 1), 0, 0, 0, 0, time.UTC)
}

func (p PatchLevel) String() string {
	if p.Day == 0 {
		return fmt.Sprintf("%04d-%02d", p.Year, p.Month)
	}
	return fmt.Sprintf("%04d-%02d-%02d", p.Year, p.Month, p.Day)
}
