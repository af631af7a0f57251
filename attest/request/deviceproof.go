package request

// DeviceProof is what a phone signs with its attested key to say that it is
// there, over 32 bytes that occur once (transfer, "Words and notation"):
//
//	"staunch/device-proof/v1" ‖ 0x00 ‖ value
//
// Android signs it as it signs the base of a request; Apple makes an assertion
// over its SHA-256. It is no request: no base begins like it.
func DeviceProof(value [32]byte) []byte {
	return append([]byte("staunch/device-proof/v1\x00"), value[:]...)
}
