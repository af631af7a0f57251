package registry

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/staunchid/staunch/attest"
)

// What a draft proposes.
const (
	draftDays  = 180 // until it expires
	draftBatch = 5   // accounts that share a batch key, at least
	draftUses  = 10  // a day, at least
)

// draft writes the text of an exception for a suspect, or says why there can be
// none. It matches attested facts only.
func (r *suspectReader) draft(s *Suspect, f *failures) {
	ok, factoryOnly := attest.Relaxable(s.Code, s.Position)
	match := f.match(s.Model)
	switch {
	case !ok:
		s.Why = append(s.Why, "no exception can relax "+s.Code+": look for what these phones have in common")
		return
	case factoryOnly && len(f.batches) == 0:
		s.Why = append(s.Why, "an exception can relax "+s.Code+" in factory chains only, and these are none")
		return
	case match == "":
		s.Why = append(s.Why, fmt.Sprintf("no attested model, and no batch key that %d of the accounts share: an exception could match nothing", draftBatch))
		return
	}
	check := strings.TrimPrefix(s.Code, "android.")
	from := r.now.UTC().Truncate(time.Second)
	var b strings.Builder
	fmt.Fprintf(&b, "[[exception]]\n")
	for _, line := range [][2]string{
		{"id", strconv.Quote(s.draftID(check))},
		{"apps", "[" + strconv.Quote(string(r.app)) + "]"},
		{"check", strconv.Quote(check)},
		{"position", strconv.Itoa(s.Position)},
		{"match", match},
		{"owner", `""  # who answers for it`},
		{"ticket", `""  # where it was decided`},
		{"reason", strconv.Quote(s.reason())},
		{"not_before", from.Format(time.RFC3339)},
		{"expires", from.AddDate(0, 0, draftDays).Format(time.RFC3339)},
		{"max_uses_per_day", strconv.Itoa(f.uses())},
	} {
		fmt.Fprintf(&b, "%s = %s\n", line[0], line[1])
	}
	s.Draft = b.String()
}

// reason is what the statistics say for it.
func (s *Suspect) reason() string {
	return fmt.Sprintf("%d of %d accounts failed (%.0f %%) from %s to %s, %.1f %% of them with signs of abuse",
		s.Failed, s.Tried, 100*s.Share, s.First.Format(time.DateOnly), s.Last.Format(time.DateOnly), 100*s.Abuse)
}

// match is what the exception matches: the attested model, else the batch keys
// that enough accounts share; empty: nothing.
func (f *failures) match(model string) string {
	var list []string
	for _, maker := range slices.Sorted(maps.Keys(f.makers)) {
		list = append(list, fmt.Sprintf("{ manufacturer = %q, model = %q }", maker, strings.TrimPrefix(model, maker+" ")))
	}
	if len(list) > 0 {
		return "{ models = [" + strings.Join(list, ", ") + "] }"
	}
	for _, batch := range slices.Sorted(maps.Keys(f.batches)) {
		if len(f.batches[batch]) >= draftBatch {
			list = append(list, strconv.Quote(batch))
		}
	}
	if len(list) > 0 {
		return "{ batch_spki = [" + strings.Join(list, ", ") + "] }"
	}
	return ""
}

// uses is how often a day the exception will do: twice the accounts that failed
// on the busiest day.
func (f *failures) uses() int {
	days := map[int64]map[string]bool{}
	most := 0
	for hour, accounts := range f.hours {
		for hash := range accounts {
			put(days, hour/24, hash)
		}
		most = max(most, len(days[hour/24]))
	}
	return max(draftUses, 2*most)
}

// draftID is an id that says what the exception is for: "sony-sov37-ca-bit-1".
func (s *Suspect) draftID(check string) string {
	class := s.Model
	switch s.ModelSource {
	case fromBatch:
		class = "batch " + class[:min(8, len(class))]
	case fromClaimed, "":
		class = "claimed " + class
	}
	words := strings.FieldsFunc(class+" "+check+" "+strconv.Itoa(s.Position), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return strings.ToLower(strings.Join(words, "-"))
}
