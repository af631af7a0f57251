package registry

import (
	"time"

	"github.com/staunchid/staunch/attest"
)

// TestingOnlyVerify puts f in the place of the verifier.
func (o *Options) TestingOnlyVerify(f func(attest.Evidence, attest.Expect, *attest.Policy, time.Time) (attest.Verdict, error)) {
	o.testingOnlyVerify = f
}

// TestingOnlyRevokeLimit lets a transaction of Reevaluate take n keys.
func (o *Options) TestingOnlyRevokeLimit(n int) { o.testingOnlyRevokeLimit = n }

// TestingOnlyWorkers lets a team have n exchanges at a time.
func (o *Options) TestingOnlyWorkers(n int) { o.testingOnlyWorkers = n }

// Identifiers gives what identifiersIn finds.
func Identifiers(v attest.Verdict) (lasting []string, possible bool) {
	ids := identifiersIn(v)
	return ids.lasting, ids.possible
}
