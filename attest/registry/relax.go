package registry

// relaxable reports whether a policy can have an exception for a finding.
// Design: attestation, section 2.2, the table; package attest has the last word.
func relaxable(code string, position int) bool {
	switch code {
	case "android.leaf_validity", "android.issuer_name":
		return position == 0
	case "android.cert_expired":
		return position == 1 || position == 2
	case "android.ca_bit", "android.key_cert_sign":
		return position == 1
	case "android.path_length":
		return position == 2
	case "android.critical_extension", "android.cert_encoding":
		return 0 <= position && position <= 3
	case "android.root_missing":
		return position == 3 || position == 4
	}
	return false
}
