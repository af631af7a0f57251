package recovery

import (
	"context"
	"crypto/sha256"

	"github.com/staunchid/staunch/recovery/wire"
)

// TestingOnlyFastPIN makes a client stretch PINs with SHA-256: Argon2id takes a
// tenth of a second and 64 MiB for each.
func TestingOnlyFastPIN(c *Client) {
	c.stretch = func(p PIN, reg wire.RegID, _ wire.Argon2) wire.Secret {
		x := sha256.Sum256(append(reg[:], p.s...))
		return x[:]
	}
}

// TestingOnlyJudged is a PIN as Client.NewPIN gives it, whatever the rules are.
func TestingOnlyJudged(p PIN) PIN {
	p.judged = true
	return p
}

// TestingOnlyRecord lets the audit record cover the receipts, as Run does.
func TestingOnlyRecord(ctx context.Context, s *Service) error { return s.recordReceipts(ctx) }

// TestingOnlyRepeat repeats all intents once.
func TestingOnlyRepeat(ctx context.Context, s *Service) error { return s.repeatIntents(ctx, true) }
