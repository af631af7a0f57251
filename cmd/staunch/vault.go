package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/replica"
)

// VaultCmd is the half of PIN recovery that guards the counts.
type VaultCmd struct {
	Run      VaultRunCmd      `cmd:"" help:"Run a vault, or one replica of it; serve starts its own."`
	Witness  VaultWitnessCmd  `cmd:"" help:"Run a witness that is no vault."`
	NewSet   VaultNewSetCmd   `cmd:"" help:"Make a vault set for vaults on other machines, and what each of them is started with."`
	Ceremony VaultCeremonyCmd `cmd:"" help:"Sign a re-base, for vaults that lost their marks or whose store went back."`
	Replace  VaultReplaceCmd  `cmd:"" help:"Put a new vault in the place of one that is lost for good."`
	Handover VaultHandoverCmd `cmd:"" help:"Sign a hand-over: another configuration of a vault, which gets its keys."`
	TakeOver VaultTakeOverCmd `cmd:"" help:"Take the keys of a vault to the folder of its next configuration."`
	Sign     VaultSignCmd     `cmd:"" help:"Add a release key's signature to a vault set or a ceremony."`
	Show     VaultShowCmd     `cmd:"" help:"Print a vault set, ceremony, configuration, evidence or receipt in words."`
}

// vaultFlags are those that vaults and witnesses share.
type vaultFlags struct {
	ID        string            `required:"" name:"id" placeholder:"v1" help:"Id of the vault or the witness, as its configuration has it."`
	Dir       string            `required:"" type:"path" help:"Its folder, with config.cbor and set.cbor."`
	Peer      string            `placeholder:"unix:DIR/peer.sock" help:"Where other witnesses call: unix:PATH or tcp:HOST:PORT."`
	Witness   map[string]string `placeholder:"ID=ADDRESS" mapsep:"none" help:"Address of another witness; repeat it. Left out: unix:DIR/../ID/peer.sock."`
	Create    bool              `help:"The very first start of the whole set: make keys, miss no marks."`
	LogLevel  string            `default:"info" help:"debug, info, warn or error."`
	LogFormat string            `default:"text" enum:"text,json" help:"text or json."`
}

func (f *vaultFlags) options(s *streams) *replica.Options {
	return &replica.Options{
		ID: f.ID, Dir: f.Dir, Peer: f.Peer, Peers: f.Witness, Create: f.Create,
		Logger: newLogger(s.err, config.Log{Level: f.LogLevel, Format: f.LogFormat}),
		Ready:  func() { fmt.Fprintln(s.out, "ready") },
	}
}

const vaultHelp = `It ends on SIGTERM or SIGINT, and when its standard input is a pipe that is closed: so it never outlives the server that started it. It prints "ready" when it serves.

It is an ordinary process, NOT a TEE: who runs it can read its keys. Its log says so.

Exit codes: 0 stopped; 1 it could not start, or broke down; 2 the command line is wrong.`

// VaultRunCmd runs a vault.
type VaultRunCmd struct {
	vaultFlags `embed:""`
	Replica    string `default:"a" help:"Which process of the vault this is."`
	Listen     string `placeholder:"unix:DIR/vault.sock" help:"Where the server calls."`
	HostKey    string `type:"existingfile" placeholder:"FILE.pub" help:"The server's public link key: then tcp speaks TLS, and only that server may call. Default: DIR/host.pub, if it is there."`
	KeysOn     string `placeholder:"ADDRESS" help:"Hand the master keys to other replicas here."`
	KeysFrom   string `placeholder:"ADDRESS" help:"Take the master keys from the replica that hands them over here."`
}

// Help is the long text of --help.
func (VaultRunCmd) Help() string {
	return vaultHelp + "\n\nExample: staunch vault run --id v1 --dir /var/lib/staunch/vaults/v1"
}

// Run runs it.
func (c *VaultRunCmd) Run(s *streams) error {
	o := c.options(s)
	if c.HostKey != "" {
		var err error
		if o.HostKey, err = release.ReadPublicKey(c.HostKey); err != nil {
			return err
		}
	}
	o.Replica, o.Listen, o.KeysOn, o.KeysFrom = strings.TrimPrefix(c.Replica, c.ID+"/"), c.Listen, c.KeysOn, c.KeysFrom
	return runReplica(s, o, replica.Run)
}

// VaultWitnessCmd runs a witness.
type VaultWitnessCmd struct {
	vaultFlags `embed:""`
}

// Help is the long text of --help.
func (VaultWitnessCmd) Help() string {
	return vaultHelp + "\n\nExample: staunch vault witness --id w1 --dir /var/lib/staunch/vaults/w1"
}

// Run runs it.
func (c *VaultWitnessCmd) Run(s *streams) error {
	return runReplica(s, c.options(s), replica.RunWitness)
}

// vaultCommand are the arguments with which a server runs this program as a vault.
func vaultCommand() []string { return []string{"vault", "run"} }

func runReplica(s *streams, o *replica.Options, run func(context.Context, *replica.Options) error) error {
	ctx := context.Background()
	if in, ok := s.in.(*os.File); ok {
		var stop context.CancelFunc
		o.Hosted = replica.Hosted(in)
		ctx, stop = replica.UntilStopped(ctx, in)
		defer stop()
	}
	return run(ctx, o)
}
