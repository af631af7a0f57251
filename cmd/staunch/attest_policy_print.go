package main

import (
	_ "embed"
	"io"
)

//go:embed first_policy.toml
var firstPolicy string // with empty texts where only the app's owner knows what to write

// AttestPolicyPrintCmd is `staunch attest policy print`.
type AttestPolicyPrintCmd struct{}

// Help is the long text of --help.
func (AttestPolicyPrintCmd) Help() string {
	return `Prints a first policy for real phones, with comments. It trusts the vendors' roots alone, and its rollout observes: nobody is
refused yet. What only the app's owner knows is "" in it: package and signer, team and bundle. As long as one of them is
empty, "staunch attest policy check" says which.

Example: staunch attest policy print > policy.toml`
}

// Run prints the policy.
func (AttestPolicyPrintCmd) Run(s *streams) error {
	if _, err := io.WriteString(s.out, firstPolicy); err != nil {
		return &exitError{exitCannot, err}
	}
	return nil
}
