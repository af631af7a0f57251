package main

import (
	"errors"
	"fmt"

	"github.com/staunchid/staunch/config"
)

// loadConfig reads the configuration of a server. Of a policy it says in one
// line that it is one.
func loadConfig(file string) (*config.Config, error) {
	cfg, err := config.Load(file)
	if !errors.Is(err, config.ErrInvalid) {
		return cfg, err
	}
	if text, readErr := config.ReadFile(file); readErr == nil && isPolicy(text) {
		return nil, &config.Error{File: file, Reason: fmt.Sprintf(
			"this is a policy, and a server's configuration is wanted, which names the policy with attest.policy_file; `staunch attest policy check %s` checks a policy", quoted(file))}
	}
	return nil, err
}

// asPolicy is err about text, which was read as a policy. Of a configuration
// and of a replay bundle it says in one line what they are.
func asPolicy(file string, text []byte, err error) error {
	switch {
	case isConfig(text):
		return &config.Error{File: file, Reason: fmt.Sprintf(
			"this is a server's configuration, and a policy is wanted: the file that attest.policy_file names; `staunch config check %s` checks a configuration", quoted(file))}
	case len(text) > 0 && text[0] == '{':
		return &config.Error{File: file, Reason: "this is JSON, and a policy is wanted, which is TOML; `staunch attest policy explain` takes the policy first, then the bundle"}
	}
	return config.InFile(file, err)
}

// isPolicy and isConfig go by keys at the top that only one of the two has.
func isPolicy(text []byte) bool {
	return config.Line(text, "version") > 0 && config.Line(text, "listen") == 0 && config.Line(text, "data_dir") == 0
}

func isConfig(text []byte) bool {
	return config.Line(text, "version") == 0 && (config.Line(text, "listen") > 0 || config.Line(text, "data_dir") > 0)
}
