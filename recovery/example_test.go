package recovery_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// A phone registers a PIN with three vaults. Another one mistypes it, and then
// gets the sealing key back.
func ExampleClient() {
	ctx := context.Background()
	vaults, err := recoverytest.NewVaults(&recoverytest.Options{}) // two of three, ten attempts
	if err != nil {
		log.Fatal(err)
	}
	c, err := recovery.NewClient(&recovery.ClientOptions{
		Transport:   recoverytest.NewService(vaults, "a_owner"),
		ReleaseKeys: vaults.ReleaseKeys,
		Policy:      tee.Policy{AllowProcess: true}, // these are no TEEs
		SaveBackup:  func(*recovery.Backup) error { return nil },
		SaveAttempt: func(*recovery.Attempt) error { return nil },
	})
	if err != nil {
		log.Fatal(err)
	}

	if _, err := recovery.NewPIN("251288", recovery.PINRules{}); err != nil {
		fmt.Println(err)
	}
	pin, err := c.NewPIN(ctx, "482915")
	if err != nil {
		log.Fatal(err)
	}
	payload := recovery.Payload{Keys: []wire.SealingKey{{KID: []byte("k1"), Secret: wire.Secret("sealing key")}}}
	if _, err := c.Register(ctx, nil, pin, payload); err != nil {
		log.Fatal(err)
	}

	ticket := recovery.TicketSecret("of the wait that is over")
	for _, typed := range []string{"482916", "482915"} {
		pin, err := recovery.TypedPIN(typed)
		if err != nil {
			log.Fatal(err)
		}
		got, err := c.Recover(ctx, "a_owner", ticket, pin, new(recovery.Attempt))
		var wrong *recovery.GuessError
		switch {
		case errors.As(err, &wrong):
			fmt.Println(wrong.Remaining, "attempts remaining")
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Println(string(got.Payload.Keys[0].Secret), "from", got.Assurance, "vaults")
		}
	}
	// Output:
	// recovery: PIN refused: a date or a year is among the first that others try
	// 9 attempts remaining
	// sealing key from process vaults
}
