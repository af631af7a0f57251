package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
)

// statValue reads the value of a --where as rows have it. What no row can have
// is an error: it would look as if nothing had happened.
func statValue(d registry.Dim, value string) (string, error) {
	switch d {
	case registry.DimHour, registry.DimDay:
		return "", fmt.Errorf("for times there are --from, --to and --since")
	case registry.DimPosition:
		if _, err := strconv.Atoi(value); err != nil {
			return "", fmt.Errorf("position %q is no number; the leaf is 0", value)
		}
	case registry.DimCode:
		if _, known := attest.LookupCode(value); !known && value != "" {
			return "", fmt.Errorf("%q is no code; `staunch attest codes` lists them", value)
		}
	case registry.DimCountry:
		country := attest.Country(value)
		switch {
		case value == "other": // of rows that are one too many
		case country == attest.CountryUnknown && !strings.EqualFold(value, country):
			return "", fmt.Errorf("%q is no country of ISO 3166-1; write country=JP, or country=%s for unknown ones", value, country)
		default:
			return country, nil
		}
	}
	if known := statValues(d); known != nil && value != "" && !slices.Contains(known, value) {
		return "", fmt.Errorf("%s %q is none of %s", d, value, strings.Join(known, ", "))
	}
	return value, nil
}

// statValues are the values that a dim can have besides none; nil: any.
func statValues(d registry.Dim) []string {
	switch d {
	case registry.DimPlatform:
		return []string{"android", "apple"}
	case registry.DimOperation:
		return []string{attest.OperationRegister, attest.OperationRequest}
	case registry.DimModelSource:
		return []string{"attested", "claimed", "batch"}
	case registry.DimVerdict:
		return []string{"accept", "reject", "would_deny"}
	case registry.DimClass:
		return []string{string(attest.Abuse), string(attest.Honest), string(attest.Environment), string(attest.PolicyClass)}
	case registry.DimEffect:
		return []string{string(attest.Reject), string(attest.Warn), string(attest.Note)}
	}
	return nil
}
