package attest

import (
	"reflect"
	"time"
)

// PolicyFile is a policy and rollout file as it is written, in TOML. The tags
// name its keys; "required" marks those that have no default, because a
// default would decide something that only the operator can.
type PolicyFile struct {
	Version int                `toml:"version,required" json:"version"` // 1
	Name    string             `toml:"name,required" json:"name"`       // name and digest appear in every verdict
	Android AndroidPolicyFile  `toml:"android,required" json:"android"`
	Apple   ApplePolicyFile    `toml:"apple" json:"apple"`
	Request *RequestPolicyFile `toml:"request,required" json:"request"`
	Route   []RouteFile        `toml:"route" json:"route"`
	Risk    []RiskFile         `toml:"risk" json:"risk"`
	Rollout []Stage            `toml:"rollout" json:"rollout"`
	App     []AppFile          `toml:"app" json:"app"`

	Exception []Exception `toml:"exception" json:"exception"`
}

// AndroidPolicyFile holds for all apps on Android.
type AndroidPolicyFile struct {
	Revocation          *RevocationFile `toml:"revocation,required" json:"revocation"`
	DangerousExtraRoots []string        `toml:"dangerous_extra_roots" json:"dangerous_extra_roots"` // PEM, trusted besides Google's
}

// RevocationFile says how old the status list may be.
type RevocationFile struct {
	MaxAge    string `toml:"max_age,required" json:"max_age"`     // older: reject
	WarnAge   string `toml:"warn_age,required" json:"warn_age"`   // older: warn
	Suspended string `toml:"suspended,required" json:"suspended"` // warn | reject
}

// ApplePolicyFile holds for all apps on Apple's platforms.
type ApplePolicyFile struct {
	DangerousExtraRoots []string `toml:"dangerous_extra_roots" json:"dangerous_extra_roots"` // PEM, trusted besides Apple's
}

// RequestPolicyFile holds for signed requests.
type RequestPolicyFile struct {
	MaxAge      string   `toml:"max_age,required" json:"max_age"`
	FutureSkew  string   `toml:"future_skew,required" json:"future_skew"`
	Authorities []string `toml:"authorities,required" json:"authorities"`
}

// RouteFile makes extra demands of signed requests to a path.
type RouteFile struct {
	Path        string   `toml:"path,required" json:"path"` // exact, or a prefix that ends in "/*"
	Methods     []string `toml:"methods" json:"methods"`
	Params      []string `toml:"params" json:"params"`   // top-level JSON members that occur exactly once
	Headers     []string `toml:"headers" json:"headers"` // header fields that must be covered
	ServerNonce bool     `toml:"server_nonce" json:"server_nonce"`
}

// RiskFile is a rule over a risk signal.
type RiskFile struct {
	Signal  string `toml:"signal,required" json:"signal"`
	AtLeast uint64 `toml:"at_least,required" json:"at_least"`
	Effect  Effect `toml:"effect,required" json:"effect"` // warn | reject
}

// Stage is a step of the rollout: whom it concerns, and whether a rejecting
// verdict is enforced there. The first stage that matches wins.
type Stage struct {
	Name      string   `toml:"name" json:"name,omitempty"` // in answers, records and statistics; empty: its place, "rollout[1]"
	App       string   `toml:"app,required" json:"app"`
	Platform  string   `toml:"platform,required" json:"platform"`   // android | apple | any
	Operation string   `toml:"operation,required" json:"operation"` // register | request | any
	Countries []string `toml:"countries,required" json:"countries"` // "*" = all, "ZZ" = unknown
	Percent   int      `toml:"percent,required" json:"percent"`
	Salt      string   `toml:"salt" json:"salt"`
	Mode      string   `toml:"mode,required" json:"mode"` // observe | enforce
	Codes     []string `toml:"codes" json:"codes"`        // empty: all verdicts; rejections for one of them (enforce), or for nothing else (observe)
}

// AppFile is one app.
type AppFile struct {
	ID                string          `toml:"id,required" json:"id"`
	ChallengeLifetime string          `toml:"challenge_lifetime,required" json:"challenge_lifetime"` // 30s to 1h
	MaxKeyAge         string          `toml:"max_key_age,required" json:"max_key_age"`               // or "never"
	RequestAlgorithms []string        `toml:"request_algorithms,required" json:"request_algorithms"`
	Android           *AndroidAppFile `toml:"android" json:"android"` // absent: the platform is refused
	Apple             *AppleAppFile   `toml:"apple" json:"apple"`     // absent: the platform is refused
}

// AndroidAppFile is what an app demands of Android phones.
type AndroidAppFile struct {
	Profile      string          `toml:"profile,required" json:"profile"`               // strict | google
	MinLevel     string          `toml:"min_level,required" json:"min_level"`           // tee | strongbox
	Boot         string          `toml:"boot,required" json:"boot"`                     // verified | listed | dangerous_any
	BootKeys     []string        `toml:"boot_keys" json:"boot_keys"`                    // hex; for "listed"
	MinOSVersion string          `toml:"min_os_version,required" json:"min_os_version"` // "14", "12.1" or "none"
	PatchFloor   *PatchFloorFile `toml:"patch_floor,required" json:"patch_floor"`
	RPIDs        []string        `toml:"rp_ids" json:"rp_ids"` // for android-key; empty: not judged
	Packages     []PackageFile   `toml:"packages,required" json:"packages"`
}

// PatchFloorFile holds the oldest patch levels; each may be "none".
type PatchFloorFile struct {
	OS     string `toml:"os,required" json:"os"`           // yyyy-mm
	Vendor string `toml:"vendor,required" json:"vendor"`   // yyyy-mm-dd
	Boot   string `toml:"boot,required" json:"boot"`       // yyyy-mm-dd
	MaxAge string `toml:"max_age,required" json:"max_age"` // of the OS patch level
}

// PackageFile is one package of an app: release, beta, sandbox and so on.
type PackageFile struct {
	Name           string   `toml:"name,required" json:"name"`
	Signers        []string `toml:"signers,required" json:"signers"` // hex SHA-256 of every signing certificate that may appear
	MinVersionCode uint64   `toml:"min_version_code" json:"min_version_code"`
	SharedUID      bool     `toml:"shared_uid" json:"shared_uid"` // other packages may share the user ID
}

// AppleAppFile is what an app demands of Apple devices.
type AppleAppFile struct {
	Platform        string   `toml:"platform,required" json:"platform"` // ios | macos
	TeamID          string   `toml:"team_id,required" json:"team_id"`
	BundleIDs       []string `toml:"bundle_ids,required" json:"bundle_ids"`
	Environments    []string `toml:"environments,required" json:"environments"`         // production | development
	ClientData      string   `toml:"client_data,required" json:"client_data"`           // hashed | raw
	Categories      []uint32 `toml:"categories,required" json:"categories"`             // 4 App Store, 2 TestFlight
	MissingCategory Effect   `toml:"missing_category,required" json:"missing_category"` // note | warn | reject
	BundleVersions  []string `toml:"bundle_versions" json:"bundle_versions"`            // empty: not judged
	Receipt         Effect   `toml:"receipt,required" json:"receipt"`                   // note | warn | reject
	CounterWindow   int      `toml:"counter_window" json:"counter_window"`              // 0: strictly greater; up to 64
}

// Exception relaxes one named check, at one position, for one attested class
// of devices and for a time. Everyone else keeps the profile.
type Exception struct {
	ID            string     `toml:"id,required" json:"id"`
	Apps          []string   `toml:"apps,required" json:"apps"`
	Check         string     `toml:"check,required" json:"check"`
	Position      int        `toml:"position,required" json:"position"`
	Match         *MatchFile `toml:"match,required" json:"match"`
	Owner         string     `toml:"owner,required" json:"owner"`
	Ticket        string     `toml:"ticket,required" json:"ticket"`
	Reason        string     `toml:"reason,required" json:"reason"`
	NotBefore     time.Time  `toml:"not_before,required" json:"not_before"`
	Expires       time.Time  `toml:"expires,required" json:"expires"`          // at most 400 days after NotBefore
	MaxUsesPerDay int        `toml:"max_uses_per_day" json:"max_uses_per_day"` // in each app; 0: no cap
}

// MatchFile is a class of devices by attested facts. Values in a list are
// alternatives, several lists must all match.
type MatchFile struct {
	Models              []ModelFile `toml:"models" json:"models"`
	BatchSPKI           []string    `toml:"batch_spki" json:"batch_spki"` // hex SHA-256 of the key at position 1
	BootKeys            []string    `toml:"boot_keys" json:"boot_keys"`   // hex verifiedBootKey
	AttestationVersions []uint64    `toml:"attestation_versions" json:"attestation_versions"`
}

// ModelFile is a model as the key store attests it.
type ModelFile struct {
	Manufacturer string `toml:"manufacturer,required" json:"manufacturer"`
	Model        string `toml:"model,required" json:"model"`
}

// filledIn returns a deep copy with defaults filled in and times in UTC, so
// that what means the same has the same canonical JSON.
func (f *PolicyFile) filledIn() PolicyFile {
	return fill(reflect.ValueOf(*f)).Interface().(PolicyFile)
}

func fill(v reflect.Value) reflect.Value {
	if t, ok := v.Interface().(time.Time); ok {
		return reflect.ValueOf(t.UTC())
	}
	filled := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			filled.Field(i).Set(fill(v.Field(i)))
		}
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		filled.Set(reflect.New(v.Type().Elem()))
		filled.Elem().Set(fill(v.Elem()))
	case reflect.Slice:
		filled.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			filled.Index(i).Set(fill(v.Index(i)))
		}
	default:
		return v
	}
	return filled
}
