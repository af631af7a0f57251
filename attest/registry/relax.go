package registry

import "slices"

// relaxable reports whether a policy can have an exception for a finding, and
// whether it holds for factory chains only. Design: attestation, section 2.2,
// the table; package attest has the last word.
func relaxable(code string, position int) (ok, factoryOnly bool) {
	var positions []int
	switch code {
	case "android.leaf_validity", "android.issuer_name":
		positions = []int{0}
	case "android.cert_expired":
		positions, factoryOnly = []int{1, 2}, true
	case "android.ca_bit", "android.key_cert_sign":
		positions, factoryOnly = []int{1}, true
	case "android.path_length":
		positions, factoryOnly = []int{2}, true
	case "android.critical_extension", "android.cert_encoding":
		positions = []int{0, 1, 2, 3}
	case "android.root_missing":
		positions = []int{3, 4}
	}
	return slices.Contains(positions, position), factoryOnly
}
