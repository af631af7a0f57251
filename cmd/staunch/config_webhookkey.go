package main

import (
	"fmt"

	"github.com/staunchid/staunch/server"
)

// ConfigWebhookKeyCmd prints the keys of webhooks.
type ConfigWebhookKeyCmd struct {
	File string `arg:"" help:"Configuration file."`
}

// Help is the long text of --help.
func (ConfigWebhookKeyCmd) Help() string {
	return `Prints, for each app with a webhook_url, the app and the public key by which its backend verifies what is delivered, as Standard Webhooks writes it: "whpk_" and base64. The key follows from the app's root secret.

Exit codes: 0 done; 1 a root secret cannot be read, or no app has a webhook_url; 2 the configuration cannot be read.

Example: staunch config webhook-key staunch.toml`
}

// Run prints the keys.
func (c *ConfigWebhookKeyCmd) Run(s *streams) error {
	cfg, err := loadConfig(c.File)
	if err != nil {
		return &exitError{exitCannot, unreadable(c.File, err)}
	}
	found := false
	for _, a := range cfg.Apps {
		if a.WebhookURL == "" {
			continue
		}
		key, err := server.WebhookKey(cfg, a.ID)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(s.out, "%s %s\n", a.ID, key); err != nil {
			return err
		}
		found = true
	}
	if !found {
		return fmt.Errorf("no app of %s has a webhook_url", c.File)
	}
	return nil
}
