package registry

import (
	"slices"
)

// Dim is what statistics can be grouped and filtered by.
type Dim string

// The dims. Those of a finding count findings; an attempt with two of them
// counts in both.
const (
	DimHour        Dim = "hour" // hours since 1970 UTC
	DimDay         Dim = "day"  // days since 1970 UTC
	DimPlatform    Dim = "platform"
	DimOperation   Dim = "operation"
	DimModel       Dim = "model"
	DimModelSource Dim = "model_source" // attested; claimed; batch: the model is the batch key's hash; or empty
	DimOS          Dim = "os"
	DimAppVersion  Dim = "app_version"
	DimCountry     Dim = "country" // "ZZ": unknown
	DimStage       Dim = "stage"   // of the rollout; empty: none matched
	DimVerdict     Dim = "verdict" // accept, reject, would_deny

	DimCode         Dim = "code"
	DimClass        Dim = "class"
	DimEffect       Dim = "effect"
	DimPosition     Dim = "position" // "-1": none
	DimBatch        Dim = "batch"    // where an exception could name it
	DimManufacturer Dim = "manufacturer"
)

// Dims are all of them.
func Dims() []Dim {
	return []Dim{
		DimHour, DimDay, DimPlatform, DimOperation, DimModel, DimModelSource, DimOS, DimAppVersion, DimCountry, DimStage, DimVerdict,
		DimCode, DimClass, DimEffect, DimPosition, DimBatch, DimManufacturer,
	}
}

// OfFinding reports whether d is about findings and not about attempts.
func (d Dim) OfFinding() bool {
	return slices.Contains([]Dim{DimCode, DimClass, DimEffect, DimPosition, DimBatch, DimManufacturer}, d)
}
