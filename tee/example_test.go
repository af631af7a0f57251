package tee_test

import (
	"fmt"
	"log"
	"time"

	"github.com/staunchid/staunch/tee"
	"github.com/staunchid/staunch/tee/process"
)

// Evidence of an ordinary process is refused, unless the policy says otherwise.
func ExamplePolicy_Appraise() {
	self, err := process.Self()
	if err != nil {
		log.Fatal(err)
	}
	raw, err := tee.ProcessEvidence(self, []byte("what the key is for"))
	if err != nil {
		log.Fatal(err)
	}

	e, err := tee.ParseEvidence(raw)
	if err != nil {
		log.Fatal(err)
	}
	claims, err := tee.Verify(e, nil, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	policy := &tee.Policy{Measurements: []tee.Measurement{{
		Platform: tee.PlatformProcess, Values: map[string][]byte{"sha256": self.Executable[:]},
	}}}
	v := policy.Appraise(claims, e.Binding, time.Now())
	fmt.Println(v.Tier, v.Refusals())

	policy.AllowProcess = true
	fmt.Println(policy.Appraise(claims, e.Binding, time.Now()).Tier)
	// Output:
	// contraindicated [TEE_PROCESS]
	// warning
}
