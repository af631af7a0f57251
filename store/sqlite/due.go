package sqlite

import (
	"database/sql"
	"math"

	"github.com/staunchid/staunch/integrity"
)

// readDue reads a row whose time has come: when, and its id.
func readDue(s scan) (d integrity.Due, err error) {
	var at sql.NullInt64
	err = s(&at, &d.ID)
	d.At = fromMicros(at)
	return d, err
}

// behind is the time at which a list of what is due goes on.
func behind(d integrity.Due) any {
	if d.At.IsZero() {
		return int64(math.MinInt64)
	}
	return micros(d.At)
}
