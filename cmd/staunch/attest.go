package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
)

// AttestCmd groups what can be done with evidence, and with what a server has
// judged.
type AttestCmd struct {
	Verify    AttestVerifyCmd    `cmd:"" help:"Verify a phone's evidence and say why it is genuine or not."`
	Replay    AttestReplayCmd    `cmd:"" help:"Verify kept evidence again and compare the verdicts."`
	Policy    AttestPolicyCmd    `cmd:"" help:"Check a policy file, and explain what it decides."`
	Stats     AttestStatsCmd     `cmd:"" help:"Count verdicts of a server by model, code, country and more."`
	Suspects  AttestSuspectsCmd  `cmd:"" help:"Rank the phones that look honest and are refused."`
	Sample    AttestSampleCmd    `cmd:"" help:"Print evidence of a software phone, for trying out and for tests."`
	Codes     AttestCodesCmd     `cmd:"" help:"List the codes of findings and what they mean."`
	Load      AttestLoadCmd      `cmd:"" help:"Drive a server with software phones, and count what it answers wrongly."`
	TestRoots AttestTestRootsCmd `cmd:"" help:"Print the software phones' test roots in PEM, for dangerous_extra_roots."`
}

// Help is the long text of --help.
func (AttestCmd) Help() string {
	return `Without a server: verify, policy, sample, codes, test-roots, and replay of a bundle in a file. Nothing is fetched.

Beside a server, or while it does not run: stats, suspects, and replay of an evidence id read the store that --config names, on the server's machine, and change nothing.

Against a server for tests: load calls it as its backend would.`
}

// AttestVerifyCmd is `staunch attest verify`. A flag that is given empty is not
// a flag that is left out: a script with an unset variable must not switch a
// check off.
type AttestVerifyCmd struct {
	Format         string  `default:"auto" enum:"auto,android-chain,android-key,apple-appattest,apple-assertion,apple-receipt" help:"What FILE holds; auto finds out." placeholder:"FORMAT"`
	Policy         *string `help:"Policy file to appraise by; without it the built-in policy \"genuine\"." placeholder:"FILE"`
	Profile        *string `help:"Android rules, strict or google; replaces the policy's." placeholder:"PROFILE"`
	At             *string `help:"Time of every check, in RFC 3339; default now." placeholder:"TIME"`
	Challenge      *string `help:"Challenge that the evidence must be made for." placeholder:"BASE64URL"`
	ClientData     *string `help:"File with the client data that the app hashed." placeholder:"FILE"`
	ClientDataHash *string `help:"Hash of the client data." placeholder:"HEX"`
	AppID          *string `name:"app-id" help:"Apple: team id and bundle id." placeholder:"TEAM.bundle"`
	StatusList     *string `help:"Google's attestation status list, or a snapshot of it." placeholder:"FILE"`
	JSON           bool    `name:"json" xor:"print" help:"Print the verdict as one JSON object."`
	Bundle         bool    `xor:"print" help:"Print a replay bundle: the verdict with all that it is a function of."`

	File string `arg:"" help:"PEM, DER, CBOR, CMS or JSON; - is standard input."`
}

// Help is the long text of --help.
func (AttestVerifyCmd) Help() string {
	return `FILE is an Android certificate chain (PEM, or DER one after the other), a WebAuthn attestation object, an App
Attest assertion or receipt, a JSON object with one of the members chain, attestation, response, assertion,
receipt and what goes with it, or base64 of any of these.

FORMAT is auto, android-chain, android-key, apple-appattest, apple-assertion or apple-receipt.

Nothing is fetched: without --status-list no revocation is checked, and the verdict says so.

Exit status: 0 accept, 1 reject, 2 cannot tell (malformed, unsupported, bad usage).

Examples:
  staunch attest verify chain.pem
  staunch attest verify --json --at 2026-11-01T12:00:00Z --challenge 3q2-7w chain.pem
  staunch attest verify --policy policy.toml --status-list status.json chain.pem
  staunch attest verify --bundle --policy policy.toml chain.pem >bundle.json`
}

// Run verifies and prints.
func (c *AttestVerifyCmd) Run(s *streams) error {
	verdict, bundle, err := c.verify(s.in)
	if err != nil {
		return &exitError{exitCannot, err}
	}
	switch {
	case c.Bundle:
		err = writeJSON(s.out, bundle)
	case c.JSON:
		err = writeJSON(s.out, verdict)
	default:
		err = writeVerdict(s.out, verdict)
	}
	if err != nil {
		return &exitError{exitCannot, err}
	}
	if !verdict.Accept() {
		return &exitError{code: exitNo}
	}
	return nil
}

func (c *AttestVerifyCmd) verify(stdin io.Reader) (verdict attest.Verdict, b *attest.Bundle, err error) {
	if err := c.usage(); err != nil {
		return verdict, nil, err
	}
	now, err := timeFlag(c.At)
	if err != nil {
		return verdict, nil, err
	}
	policy, err := c.policy()
	if err != nil {
		return verdict, nil, err
	}
	input, err := readBounded(stdin, c.File, attest.MaxInput)
	if err != nil {
		return verdict, nil, err
	}
	ev, want, err := attest.Parse(input, attest.Format(c.Format))
	if err != nil {
		return verdict, nil, err
	}
	if err := c.expect(stdin, &want); err != nil {
		return verdict, nil, err
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		return verdict, nil, err
	}
	if verdict, err = verifier.Verify(ev, want, policy, now); err != nil {
		return verdict, nil, err
	}
	b, err = attest.NewBundle(ev, want, policy, verdict)
	return verdict, b, err
}

// usage refuses flags that are empty, and standard input for two things.
func (c *AttestVerifyCmd) usage() error {
	for _, f := range []struct {
		name  string
		value *string
	}{
		{"policy", c.Policy}, {"profile", c.Profile}, {"at", c.At}, {"challenge", c.Challenge}, {"client-data", c.ClientData},
		{"client-data-hash", c.ClientDataHash}, {"app-id", c.AppID}, {"status-list", c.StatusList},
	} {
		if f.value != nil && *f.value == "" {
			return fmt.Errorf("--%s is empty: leave it out, or give it a value", f.name)
		}
	}
	inputs := 0
	for _, file := range []*string{&c.File, c.ClientData, c.StatusList} {
		if file != nil && *file == "-" {
			inputs++
		}
	}
	if inputs > 1 {
		return errors.New("standard input can be only one of FILE, --client-data and --status-list")
	}
	return nil
}

func (c *AttestVerifyCmd) policy() (*attest.Policy, error) {
	profile := attest.ProfileGoogle
	if c.Profile != nil {
		if profile = *c.Profile; profile != attest.ProfileGoogle && profile != attest.ProfileStrict {
			return nil, fmt.Errorf("--profile: %q is neither strict nor google", profile)
		}
	}
	if c.Policy == nil {
		return attest.Genuine(profile)
	}
	p, err := readPolicy(*c.Policy)
	if err != nil || c.Profile == nil {
		return p, err
	}
	return p.WithProfile(profile)
}

// readPolicy reads a policy file; an error names file, line and key.
func readPolicy(file string) (*attest.Policy, error) {
	t, err := readPolicyText(file)
	if err != nil {
		return nil, err
	}
	return t.policy, nil
}

// expect puts the flags over what came beside the evidence.
func (c *AttestVerifyCmd) expect(stdin io.Reader, want *attest.Expect) (err error) {
	if c.ClientDataHash != nil { // excludes the others
		want.Challenge, want.ClientData = nil, nil
		if want.ClientDataHash, err = hex.DecodeString(*c.ClientDataHash); err != nil {
			return fmt.Errorf("--client-data-hash: %q is no hex", *c.ClientDataHash)
		}
	} else if c.Challenge != nil || c.ClientData != nil {
		want.ClientDataHash = nil
	}
	if c.Challenge != nil {
		if want.Challenge, err = decodeBase64(*c.Challenge); err != nil {
			return fmt.Errorf("--challenge: %w", err)
		}
	}
	if c.ClientData != nil {
		if want.ClientData, err = readBounded(stdin, *c.ClientData, attest.MaxInput); err != nil {
			return fmt.Errorf("--client-data: %w", err)
		}
	}
	if c.AppID != nil {
		want.AppID = *c.AppID
	}
	if c.StatusList != nil {
		text, err := readBounded(stdin, *c.StatusList, 64<<20)
		if err != nil {
			return fmt.Errorf("--status-list: %w", err)
		}
		if want.Status, err = android.ParseStatusList(text); err != nil {
			return fmt.Errorf("--status-list: %s: %w", *c.StatusList, err)
		}
	}
	return nil
}

// decodeBase64 reads base64url or base64, padded or not.
func decodeBase64(text string) ([]byte, error) {
	plain := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	b, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return nil, fmt.Errorf("%q is no base64url", text)
	}
	return b, nil
}

// readBounded reads a file, or standard input for -, of at most limit bytes.
func readBounded(stdin io.Reader, file string, limit int64) ([]byte, error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", file, limit)
	}
	return b, nil
}
