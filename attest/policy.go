package attest

// PolicyFile is the policy and rollout file as it is written, before NewPolicy
// has checked it. (Section 6; keys get their toml tags here.)
type PolicyFile struct{}

// Policy is a checked policy. The zero Policy accepts nothing.
type Policy struct{}

// NewPolicy checks f.
func NewPolicy(f *PolicyFile) (*Policy, error) { panic("todo") }

// Genuine is the built-in policy: profile is "google" or "strict".
func Genuine(profile string) (*Policy, error) { panic("todo") }

// Digest is "sha256:" and hex, over the canonical JSON of the checked policy.
func (p *Policy) Digest() string { panic("todo") }

// App reports what the policy says of an app; ok is false if it has none of that id.
func (p *Policy) App(id string) (app AppPolicy, ok bool) { panic("todo") }

// AppPolicy is what a service needs to know of one app beyond the verdict.
type AppPolicy struct {
	ID                string
	ChallengeLifetime string
}
