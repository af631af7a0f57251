package insider

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"github.com/staunchid/staunch/recovery/replica"
)

// childWord is the first argument of a process of a kit.
const childWord = "insider-child"

// The kinds of processes.
const (
	roleVault   = "vault"
	roleWitness = "witness"
	roleAPI     = "api"
)

// Child is a process of a kit, if this program was started as one; then it does
// not return.
func Child() {
	if len(os.Args) < 3 || os.Args[1] != childWord {
		return
	}
	if err := runChild(os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "insider:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func runChild(role string, args []string) error {
	o := &replica.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	a := &apiOptions{log: o.Logger}
	f := flag.NewFlagSet(role, flag.ContinueOnError)
	f.StringVar(&o.ID, "id", "", "of the vault or witness")
	f.StringVar(&o.Dir, "dir", "", "its folder")
	f.StringVar(&o.Replica, "replica", "", "of the vault")
	f.StringVar(&o.KeysOn, "keys-on", "", "where it hands its keys over")
	f.StringVar(&o.KeysFrom, "keys-from", "", "where it gets them")
	f.BoolVar(&o.Create, "create", false, "the first start of all")
	f.StringVar(&a.profile, "profile", "", "of the vaults")
	f.IntVar(&a.limit, "limit", 0, "of attempts")
	if err := f.Parse(args); err != nil {
		return err
	}
	ctx, stop := replica.UntilStopped(context.Background(), os.Stdin)
	defer stop()
	switch role {
	case roleVault:
		return replica.Run(ctx, o)
	case roleWitness:
		return replica.RunWitness(ctx, o)
	case roleAPI:
		a.dir = o.Dir
		return runAPI(ctx, a)
	}
	return fmt.Errorf("there is no process %q", role)
}
