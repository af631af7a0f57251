package account

import "time"

// Windows say how old a proof may be for a class (accounts, "Assurance"). The
// zero Windows give no class but those that need no age.
type Windows struct {
	Person time.Duration // of the last sign-in, step-up or creation
	Fresh  time.Duration // of the last sign-in or step-up
}
