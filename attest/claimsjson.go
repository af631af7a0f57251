package attest

import (
	"encoding/hex"
	"encoding/json"

	"github.com/staunchid/staunch/attest/android"
)

// MarshalJSON writes the flat object of the command line: the vendor's names
// in camelCase, ours with underscores, and null for what does not apply.
func (c *Claims) MarshalJSON() ([]byte, error) {
	if c.Android != nil {
		return json.Marshal(c.androidJSON())
	}
	return json.Marshal(c.appleJSON())
}

type androidJSON struct {
	Platform string `json:"platform"`

	AttestationVersion       *uint64                    `json:"attestationVersion"`
	AttestationSecurityLevel *android.SecurityLevel     `json:"attestationSecurityLevel"`
	KeyMintVersion           *uint64                    `json:"keyMintVersion"`
	KeyMintSecurityLevel     *android.SecurityLevel     `json:"keyMintSecurityLevel"`
	AttestationChallenge     []byte                     `json:"attestationChallenge"`
	UniqueID                 []byte                     `json:"uniqueId"`
	SoftwareEnforced         *android.AuthorizationList `json:"softwareEnforced"`
	HardwareEnforced         *android.AuthorizationList `json:"hardwareEnforced"`

	KeySPKI          []byte                `json:"key_spki"`
	KeyID            string                `json:"key_id"`
	KeyAlgorithm     string                `json:"key_algorithm"`
	KeyOrigin        *string               `json:"key_origin"`
	SecurityLevel    *string               `json:"security_level"`
	App              *appJSON              `json:"app"`
	Boot             *bootJSON             `json:"boot"`
	Patch            *patchJSON            `json:"patch"`
	OSVersion        *string               `json:"os_version"`
	Device           *Device               `json:"device"`
	ProvisioningInfo *provisioningInfoJSON `json:"provisioning_info"`
	RPIDHash         *string               `json:"rp_id_hash"`
	RiskMetric       *uint32               `json:"risk_metric"`
}

type appJSON struct {
	Packages      []packageJSON `json:"packages"`
	SignerDigests []string      `json:"signer_digests"`
}

type packageJSON struct {
	Name    string `json:"name"`
	Version uint64 `json:"version"`
}

type bootJSON struct {
	State        string  `json:"state"`
	DeviceLocked *bool   `json:"device_locked"`
	Key          *string `json:"key"`
	Hash         *string `json:"hash"`
}

type patchJSON struct {
	OS     *string `json:"os"`
	Vendor *string `json:"vendor"`
	Boot   *string `json:"boot"`
}

type provisioningInfoJSON struct {
	CertificatesIssued *uint64 `json:"certificates_issued"`
	Manufacturer       *string `json:"manufacturer"`
}

func (c *Claims) androidJSON() *androidJSON {
	a := c.Android
	j := &androidJSON{
		Platform: c.Platform, KeySPKI: c.KeySPKI, KeyID: c.KeyID, KeyAlgorithm: c.KeyAlgorithm,
		RPIDHash: hexOrNil(a.RPIDHash),
	}
	if p := a.Provisioning; p != nil {
		j.ProvisioningInfo = &provisioningInfoJSON{p.CertificatesIssued, p.Manufacturer}
	}
	j.KeyOrigin = &a.KeyOrigin
	j.Boot = &bootJSON{a.Boot.State, a.Boot.Locked, hexOrNil(a.Boot.Key), hexOrNil(a.Boot.Hash)}
	j.Patch = &patchJSON{textOrNil(a.Patch.OS), textOrNil(a.Patch.Vendor), textOrNil(a.Patch.Boot)}
	j.OSVersion, j.Device = textOrNil(a.OSVersion), &a.Device
	d := a.Description
	if d == nil {
		return j
	}
	j.AttestationVersion, j.AttestationSecurityLevel = &d.AttestationVersion, &d.AttestationSecurityLevel
	j.KeyMintVersion, j.KeyMintSecurityLevel = &d.KeyMintVersion, &d.KeyMintSecurityLevel
	j.AttestationChallenge, j.UniqueID = d.AttestationChallenge, d.UniqueID
	j.SoftwareEnforced, j.HardwareEnforced = &d.SoftwareEnforced, &d.HardwareEnforced
	j.SecurityLevel = &a.SecurityLevel
	if a.App != nil {
		j.App = &appJSON{Packages: []packageJSON{}, SignerDigests: []string{}}
		for _, p := range a.App.PackageInfos {
			j.App.Packages = append(j.App.Packages, packageJSON{p.PackageName, p.Version})
		}
		for _, digest := range a.App.SignatureDigests {
			j.App.SignerDigests = append(j.App.SignerDigests, hex.EncodeToString(digest))
		}
	}
	return j
}

type appleJSON struct {
	Platform           string         `json:"platform"`
	KeySPKI            []byte         `json:"key_spki"`
	KeyID              *string        `json:"key_id"`
	KeyAlgorithm       *string        `json:"key_algorithm"`
	AppID              *string        `json:"app_id"`
	RPIDHash           *string        `json:"rp_id_hash"`
	Environment        *string        `json:"environment"`
	Counter            *uint32        `json:"counter"`
	ValidationCategory *uint32        `json:"validation_category"`
	BundleVersion      *string        `json:"bundle_version"`
	ExtensionsUnknown  []string       `json:"extensions_unknown"`
	OSVersion          *string        `json:"os_version"`
	OSBuild            *string        `json:"os_build"`
	ACL                *string        `json:"acl"`
	Receipt            *ReceiptClaims `json:"receipt"`
	RiskMetric         *uint32        `json:"risk_metric"`
}

func (c *Claims) appleJSON() *appleJSON {
	a := c.Apple
	return &appleJSON{
		Platform: c.Platform, KeySPKI: c.KeySPKI, KeyID: textOrNil(c.KeyID), KeyAlgorithm: textOrNil(c.KeyAlgorithm),
		AppID: textOrNil(a.AppID), RPIDHash: hexOrNil(a.RPIDHash), Environment: textOrNil(a.Environment),
		Counter: a.Counter, ValidationCategory: a.ValidationCategory, BundleVersion: a.BundleVersion,
		ExtensionsUnknown: append([]string{}, a.ExtensionsUnknown...),
		OSVersion:         textOrNil(a.OSVersion), OSBuild: textOrNil(a.OSBuild), ACL: textOrNil(a.ACL),
		Receipt: a.Receipt, RiskMetric: a.RiskMetric,
	}
}
