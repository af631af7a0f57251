package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/internal/jsonobject"
)

// judge reads an answer as the list that follows last, which is nil for the
// first. The error says why it cannot be the vendor's whole list.
func judge(text []byte, last *kept) (*android.StatusList, error) {
	list, err := android.ParseStatusList(text) // also: one serial that is not hex
	if err != nil {
		return nil, err
	}
	if !list.FetchedAt.IsZero() {
		return nil, errors.New("it is a snapshot: serve the vendor's list as it is")
	}
	if list.Len() == 0 {
		return nil, errors.New("it is empty")
	}
	if last == nil {
		return list, nil
	}
	return list, last.compare(list)
}

// compare refuses a list in which more than half of the entries of the last
// good one are missing, or more than half of those that were REVOKED are that
// no more: a vendor revokes, and now and then withdraws; he does not forget.
// Serials are compared, not their numbers, or others could stand in.
func (k *kept) compare(next *android.StatusList) error {
	var all, gone, revoked, freed int
	err := entries(k.text, func(serial string) {
		all++
		if next.Lookup(serial) == "" {
			gone++
		}
		if k.list.Lookup(serial) == android.StatusRevoked {
			revoked++
			if next.Lookup(serial) != android.StatusRevoked {
				freed++
			}
		}
	})
	const really = "if the vendor has really withdrawn them, stop the server, delete the file of the last good list and start again"
	switch {
	case err != nil:
		return err
	case 2*gone > all:
		return fmt.Errorf("of %d entries %d are missing: %s", all, gone, really)
	case 2*freed > revoked:
		return fmt.Errorf("of %d REVOKED entries %d are that no more: %s", revoked, freed, really)
	}
	return nil
}

// entries calls f with the canonical serials of a list that has been parsed.
func entries(text []byte, f func(serial string)) error {
	members, err := jsonobject.Members(text)
	if err != nil {
		return err
	}
	return jsonobject.Walk(members["entries"], func(key string, _ json.RawMessage) error {
		f(canonical(key))
		return nil
	})
}

// canonical is a key of the list as android.StatusList.Lookup takes it:
// lower-case hex without leading zeros.
func canonical(key string) string {
	serial := strings.TrimLeft(strings.ToLower(key), "0")
	if serial == "" {
		return "0"
	}
	return serial
}
