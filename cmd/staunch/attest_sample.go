package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// AttestSampleCmd is `staunch attest sample`: software phones for people who
// try out or test a server that trusts the test roots, as `staunch dev` does.
type AttestSampleCmd struct {
	List      bool   `help:"List the samples: what phones do, and the code it raises."`
	Policy    bool   `help:"Print the policy file that the samples, or the named one, are meant for."`
	Challenge string `placeholder:"BASE64" help:"Challenge of the server that the phone answers."`
	Platform  string `default:"android" enum:"android,apple" help:"Phone that answers --challenge: ${enum}."`
	Account   string `placeholder:"ID" help:"With --challenge: print the body of a Register call for this account."`
	App       string `default:"demo" help:"With --account: the app of the call."`
	At        string `placeholder:"TIME" help:"Time at which the sample is made, in RFC 3339; default now."`

	Name string `arg:"" optional:"" help:"Sample to print, one of --list; see there."`
}

// Help is the long text of --help.
func (AttestSampleCmd) Help() string {
	return `The phones' certificates come from test roots whose private keys are public: only a server with these roots in its
dangerous_extra_roots accepts them. The output is what "staunch attest verify" reads.

Examples:
  staunch attest sample --list
  staunch attest sample --policy > policy.toml
  staunch attest sample batch-not-ca | staunch attest verify --profile strict --policy policy.toml -
  staunch attest sample --challenge "$CHALLENGE" --account "$ACCOUNT" > register.json`
}

// Run prints a sample or the list of them.
func (c *AttestSampleCmd) Run(s *streams) error {
	now := time.Now()
	if c.At != "" {
		var err error
		if now, err = time.Parse(time.RFC3339, c.At); err != nil {
			return &exitError{exitCannot, fmt.Errorf("--at: %q is no time in RFC 3339", c.At)}
		}
	}
	switch {
	case c.List:
		return listSamples(s.out)
	case c.Policy:
		return printPolicy(s.out, c.Name)
	case c.Challenge != "" && c.Name == "":
		return c.answer(s.out, now)
	case c.Name != "" && c.Challenge == "":
		return printSample(s.out, c.Name, now)
	}
	return &exitError{exitCannot, fmt.Errorf("give the name of a sample, or --challenge, or --list, or --policy")}
}

func listSamples(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tCODE\tCLASS\tGOOGLE\tSTRICT\tWHAT IS DIFFERENT")
	for _, d := range attesttest.Deviations() {
		code, class := d.Code, string(d.Class)
		if code == "" {
			code, class = "-", "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Name, code, class, orDash(d.Effects.Google), orDash(d.Effects.Strict), d.Change)
	}
	return t.Flush()
}

func orDash(e attest.Effect) string {
	if e == "" {
		return "-"
	}
	return string(e)
}

func findSample(name string) (attesttest.Deviation, error) {
	for _, d := range attesttest.Deviations() {
		if d.Name == name {
			return d, nil
		}
	}
	return attesttest.Deviation{}, &exitError{exitCannot, fmt.Errorf("there is no sample %q; see `staunch attest sample --list`", name)}
}

func printSample(w io.Writer, name string, now time.Time) error {
	d, err := findSample(name)
	if err != nil {
		return err
	}
	sample, err := d.Make(now)
	if err != nil {
		return err
	}
	return writeJSON(w, sample)
}

func printPolicy(w io.Writer, name string) error {
	text := attesttest.DemoPolicy()
	if name != "" {
		d, err := findSample(name)
		if err != nil {
			return err
		}
		text = d.Policy(attest.ProfileGoogle)
	}
	_, err := io.WriteString(w, text)
	return err
}

// answer makes a key for a server's challenge and attests it.
func (c *AttestSampleCmd) answer(w io.Writer, now time.Time) error {
	challenge, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(c.Challenge), "="))
	if err != nil || len(challenge) == 0 {
		return &exitError{exitCannot, fmt.Errorf("--challenge: %q is no base64", c.Challenge)}
	}
	sample, err := answerAs(c.Platform, challenge, now)
	if err != nil {
		return err
	}
	if c.Account == "" {
		return writeJSON(w, sample)
	}
	body := map[string]any{"app": c.App, "account": c.Account, "challenge": challenge}
	if c.Platform == "android" {
		body["certificateChain"] = map[string]any{"certificates": sample.Chain}
	} else {
		body["attestationObject"] = sample.Object
		body["keyId"] = base64.RawURLEncoding.EncodeToString(sample.KeyID)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(body)
}

// answerAs makes a phone of the test CAs, and a key on it for the challenge.
func answerAs(platform string, challenge []byte, now time.Time) (s attesttest.Sample, err error) {
	s = attesttest.Sample{Challenge: challenge, At: now}
	if platform == "android" {
		ca, err := attesttest.TestAndroidCA(now)
		if err != nil {
			return s, err
		}
		key, err := ca.Phone().GenerateKey(now, challenge)
		if err != nil {
			return s, err
		}
		s.Format, s.Chain = attest.FormatAndroidChain, key.Chain()
		return s, nil
	}
	ca, err := attesttest.TestAppleCA(now)
	if err != nil {
		return s, err
	}
	key := ca.Phone().GenerateKey()
	hash := sha256.Sum256(challenge)
	s.Format, s.KeyID = attest.FormatAppleAppAttest, key.ID()
	s.Object, err = key.Attest(now, hash[:])
	return s, err
}

// AttestTestRootsCmd is `staunch attest test-roots`.
type AttestTestRootsCmd struct{}

// Run prints the roots.
func (*AttestTestRootsCmd) Run(s *streams) error {
	android, apple := attesttest.TestRootsPEM()
	_, err := fmt.Fprintf(s.out, "# Test roots whose private keys are public. Never trust them in production.\n\n# android.dangerous_extra_roots\n%s\n# apple.dangerous_extra_roots\n%s",
		strings.Join(android, ""), strings.Join(apple, ""))
	return err
}

// AttestCodesCmd is `staunch attest codes`.
type AttestCodesCmd struct {
	JSON bool   `name:"json" help:"Print one JSON object a code."`
	Code string `arg:"" optional:"" help:"One code, or the beginning of some, such as android.boot."`
}

// Run prints the table.
func (c *AttestCodesCmd) Run(s *streams) error {
	some := false
	for _, code := range attest.Codes() {
		if !strings.HasPrefix(code.Name, c.Code) {
			continue
		}
		some = true
		if c.JSON {
			err := writeJSON(s.out, map[string]any{"code": code.Name, "class": code.Class, "hard": code.Hard, "meaning": code.Meaning, "advice": code.Advice})
			if err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(s.out, "%s (%s)\n    %s\n    %s\n", code.Name, code.Class, code.Meaning, code.Advice)
	}
	if !some {
		return &exitError{exitNo, fmt.Errorf("there is no code that begins with %q", c.Code)}
	}
	return nil
}
