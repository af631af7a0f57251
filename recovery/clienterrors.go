package recovery

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/staunchid/staunch/account"
)

// Outcome is what a phone tells its owner of a try, whatever came of it.
type Outcome struct {
	Account   account.ID
	Reg       [16]byte // zero: it was not learnt
	Limit     int      // 0: not learnt
	Remaining int      // attempts left; of a GuessError and after success
	Vaults    int      // n
	Threshold int      // t
	Answered  int
	Liars     []string // vaults whose answer was false: tell the operator
	Assurance string   // the weakest of the vaults: "process" (NOT a TEE), "vtpm" or "tee"
	Operators int      // distinct, in the vault set
}

// GuessError is a wrong PIN. With nothing remaining it is also ErrLocked: by this
// try, or before it.
type GuessError struct{ Outcome }

func (e *GuessError) Error() string {
	if e.Remaining == 0 {
		return ErrLocked.Error()
	}
	return fmt.Sprintf("recovery: wrong PIN: %d of %d attempts remaining", e.Remaining, e.Limit)
}

// Is makes it ErrLocked when nothing remains.
func (e *GuessError) Is(target error) bool { return target == ErrLocked && e.Remaining == 0 }

// UnavailableError is ErrUnavailable: it names who did not answer, and why. What
// was begun goes on when the same method is called again.
type UnavailableError struct {
	Outcome
	Needed int
	Failed map[string]error // by vault
}

func (e *UnavailableError) Error() string {
	var why []string
	for _, id := range slices.Sorted(maps.Keys(e.Failed)) {
		why = append(why, id+": "+e.Failed[id].Error())
	}
	return fmt.Sprintf("%v: %d of %d answered, %d needed: %s", ErrUnavailable, e.Answered, e.Vaults, e.Needed, strings.Join(why, "; "))
}

// Unwrap gives ErrUnavailable and the causes.
func (e *UnavailableError) Unwrap() []error {
	return append(slices.Collect(maps.Values(e.Failed)), ErrUnavailable)
}

// tooFew is the error of a method that needs more vaults than have answered. One
// whose evidence is refused, or that wants the phone to wait, comes first: run
// again at once, it would be the same.
func tooFew(o Outcome, needed int, failed map[string]error) error {
	for _, id := range slices.Sorted(maps.Keys(failed)) {
		if err := failed[id]; errors.Is(err, ErrEvidence) || errors.Is(err, ErrRate) {
			return fmt.Errorf("%w (vault %s)", err, id)
		}
	}
	return &UnavailableError{Outcome: o, Needed: needed, Failed: failed}
}

var (
	// ErrOtherDevice is a registration that another device has made since: take
	// its Backup over, or Delete the registration and register anew.
	ErrOtherDevice = errors.New("recovery: another device has registered since: take its backup over, or delete the registration first")
	// ErrShares is a share or a blob that fails its check although the PIN was
	// right: the data is damaged, or the service withholds the right blob.
	ErrShares = errors.New("recovery: the PIN is right, and the shares or the blob fail their check")
)
