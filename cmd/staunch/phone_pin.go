package main

import "context"

// PhonePINCmd is `staunch phone pin`.
type PhonePINCmd struct {
	Change PhonePINChangeCmd `cmd:"" help:"Set another PIN."`
	Check  PhonePINCheckCmd  `cmd:"" help:"Does its owner still know it? Asks this phone alone, and costs no attempt."`
}

// PhonePINChangeCmd is `staunch phone pin change`.
type PhonePINChangeCmd struct {
	recoveryFlags `embed:""`
	pinFlag       `embed:""`
}

// Help is the long text of --help.
func (PhonePINChangeCmd) Help() string {
	return `The new PIN takes the place of the old one, at all vaults or at none. The old one is not asked for: the passkey proves who asks. Run it again if a vault was away (exit 5): until all have the new PIN, the old one works.`
}

// Run changes it.
func (c *PhonePINChangeCmd) Run(s *streams) error {
	return c.runRecovery(s, "pin_change", func(ctx context.Context, q *recoverer) error {
		p, err := q.payload()
		if err != nil {
			return err
		}
		pin, err := c.read(s, true)
		if err != nil {
			return err
		}
		return q.register(ctx, "pin_change", "changed", pin, p)
	})
}
