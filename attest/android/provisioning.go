package android

import "github.com/staunchid/staunch/internal/cbor"

// ProvisioningInfo is the extension 1.3.6.1.4.1.11129.2.1.30 of a batch
// certificate of remote provisioning.
type ProvisioningInfo struct {
	CertificatesIssued *uint64 `cbor:"1,keyasint"` // to this phone in 30 days: a risk signal
	Manufacturer       *string `cbor:"3,keyasint"`
}

// readProvisioningInfo reads it where it can be. It never fails: it is a hint.
func (v *verification) readProvisioningInfo() {
	if v.a.Provisioning != RKP {
		return
	}
	value := v.a.Batch().provisioningInfo
	if value == nil {
		return
	}
	info := &ProvisioningInfo{}
	if err := cbor.Unmarshal(value, info); err != nil {
		v.a.InfoUnreadable = true
		return
	}
	v.a.Info = info
}
