package recovery

// The profiles that configurations name. A vault set may name others of kind
// kr1-…: how many vaults there are, and how many are needed, it says itself.
const (
	ProfileKR1    = "kr1-2of3"   // three vaults, of which two are needed
	ProfileSingle = "kr1-single" // one vault
	ProfileSeed   = "seed"       // one enclave, which learns the PIN
)
