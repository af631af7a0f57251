package rpc

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/staunchid/staunch/transfer"
)

// bulkStatus is the status of an error on BulkPath, where it says more than that of
// Connect; 0: Connect's.
func bulkStatus(err error) int {
	for _, s := range []struct {
		err    error
		status int
	}{
		{errTooLarge, http.StatusRequestEntityTooLarge},
		{transfer.ErrNotFound, http.StatusNotFound},
		{transfer.ErrEnded, http.StatusGone}, // the state has no place for it
		{transfer.ErrState, http.StatusGone},
		{transfer.ErrTooEarly, http.StatusGone},
		{transfer.ErrIncomplete, http.StatusGone},
		{transfer.ErrConflict, http.StatusConflict},
		{transfer.ErrWindow, http.StatusTooManyRequests},
		{transfer.ErrQuota, http.StatusTooManyRequests},
		{transfer.ErrMalformed, http.StatusUnprocessableEntity},
	} {
		if errors.Is(err, s.err) {
			return s.status
		}
	}
	return 0
}

// refused answers an error, and says when to come again.
func (h *bulkHandler) refused(w http.ResponseWriter, r *http.Request, err error) {
	if e := (*transfer.WaitError)(nil); errors.As(err, &e) && !e.RetryAt.IsZero() {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(time.Until(e.RetryAt).Seconds())))))
	}
	h.refuse(&statusIs{ResponseWriter: w, status: bulkStatus(err)}, r, err)
}

// statusIs sends a status of its own, if it has one.
type statusIs struct {
	http.ResponseWriter
	status int
}

func (w *statusIs) WriteHeader(status int) {
	if w.status != 0 {
		status = w.status
	}
	w.ResponseWriter.WriteHeader(status)
}
