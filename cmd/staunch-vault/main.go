// Command staunch-vault is a vault and nothing else: the program that is measured
// and loaded in a TEE. It is `staunch vault run` without the rest of staunch.
//
//	staunch-vault -id v1 -dir /var/lib/staunch/vaults/v1
//	staunch-vault -witness -id w1 -dir /var/lib/staunch/vaults/w1
//
// So far it runs as an ordinary process, NOT a TEE, and says so in its log. It
// ends on SIGTERM or SIGINT, and when its standard input is a pipe that is closed.
// It exits with 0 when it was stopped, 1 when it could not start or broke down,
// and 2 when the command line is wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/replica"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, in *os.File, out, logs io.Writer) int {
	o := &replica.Options{Peers: map[string]string{}}
	flags := flag.NewFlagSet("staunch-vault", flag.ContinueOnError)
	flags.SetOutput(logs)
	flags.StringVar(&o.ID, "id", "", "id of the vault or the witness")
	flags.StringVar(&o.Replica, "replica", "a", "which process of the vault this is")
	flags.StringVar(&o.Dir, "dir", "", "its folder, with config.cbor and set.cbor")
	flags.StringVar(&o.Listen, "listen", "", "where the server calls (unix:DIR/vault.sock)")
	flags.StringVar(&o.Peer, "peer", "", "where other witnesses call (unix:DIR/peer.sock)")
	flags.Func("witness-at", "ID=ADDRESS of another witness; repeat it (unix:DIR/../ID/peer.sock)", func(s string) error {
		id, address, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("want ID=ADDRESS")
		}
		o.Peers[id] = address
		return nil
	})
	flags.Func("host-key", "the server's public link key in PEM: then tcp speaks TLS, and only that server may call (DIR/host.pub)", func(file string) (err error) {
		o.HostKey, err = release.ReadPublicKey(file)
		return err
	})
	flags.StringVar(&o.KeysOn, "keys-on", "", "hand the master keys to other replicas here")
	flags.StringVar(&o.KeysFrom, "keys-from", "", "take the master keys from the replica that hands them over here")
	flags.BoolVar(&o.Create, "create", false, "the very first start of the whole set")
	witness := flags.Bool("witness", false, "run a witness that is no vault")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(logs, "staunch-vault: %q is no flag\n", flags.Arg(0))
		return 2
	}
	o.Logger = slog.New(slog.NewTextHandler(logs, nil))
	o.Ready = func() { fmt.Fprintln(out, "ready") }
	start := replica.Run
	if *witness {
		start = replica.RunWitness
	}
	ctx, stop := replica.UntilStopped(context.Background(), in)
	defer stop()
	if err := start(ctx, o); err != nil {
		fmt.Fprintf(logs, "staunch-vault: %v\n", err)
		return 1
	}
	return 0
}
