package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// AttestSampleCmd is `staunch attest sample`: software phones for people who
// try out or test a server that trusts the test roots, as `staunch dev` does.
type AttestSampleCmd struct {
	List      bool     `help:"List the samples: what phones do, and the code it raises."`
	Policy    bool     `help:"Print the policy file that the samples, or the named one, are meant for."`
	Challenge string   `placeholder:"BASE64" help:"Challenge of the server that the phone answers."`
	Platform  string   `default:"android" enum:"android,apple" help:"Phone that answers --challenge: ${enum}."`
	Account   string   `placeholder:"ID" help:"With --challenge: print the body of a Register call for this account. With --request: whose key it must be."`
	App       string   `default:"demo" help:"With --account or --request: the app of the call."`
	Key       string   `placeholder:"FILE" help:"With --challenge: keep the phone's key here, or take the one that is there. With --request: the key that signs. Android only."`
	Request   string   `placeholder:"REQUEST" help:"Sign a request, and print the body of a VerifyRequest call for it."`
	Body      string   `placeholder:"JSON" help:"With --request: its body."`
	Field     []string `sep:"none" placeholder:"FIELD" help:"With --request: a header field to send and to cover; may be given several times."`
	Nonce     string   `placeholder:"BASE64" help:"With --request: the server's challenge, where a route wants one."`
	At        string   `placeholder:"TIME" help:"Time at which the sample is made, in RFC 3339; default now."`

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
  staunch attest sample --challenge "$CHALLENGE" --account "$ACCOUNT" > register.json
  staunch attest sample --challenge "$CHALLENGE" --account "$ACCOUNT" --key phone.pem > register.json
  staunch attest sample --request 'POST https://pay.example.com/v1/messages' --body '{"text":"hello"}' --key phone.pem > verify.json`
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
	if err := c.usage(); err != nil {
		return &exitError{exitCannot, err}
	}
	switch {
	case c.List:
		return listSamples(s.out)
	case c.Policy:
		return printPolicy(s.out, c.Name)
	case c.Challenge != "":
		return c.answer(s.out, s.err, now)
	case c.Request != "":
		return c.signed(s.out, now)
	}
	return printSample(s.out, c.Name, now)
}

// usage refuses what does not go together: a sample is one of the list, or the
// answer to a challenge.
func (c *AttestSampleCmd) usage() error {
	asked := 0
	for _, given := range []bool{c.List, c.Policy, c.Challenge != "", c.Request != "", c.Name != "" && !c.Policy} {
		if given {
			asked++
		}
	}
	switch {
	case asked != 1:
		return errors.New("give one of: the name of a sample, --challenge, --request, --list, --policy")
	case c.Challenge == "" && c.Platform != "android":
		return errors.New("--platform goes with --challenge")
	case c.Challenge == "" && c.Request == "" && (c.Account != "" || c.Key != ""):
		return errors.New("--account and --key go with --challenge or --request")
	case c.Request == "" && (c.Body != "" || len(c.Field) > 0 || c.Nonce != ""):
		return errors.New("--body, --field and --nonce go with --request")
	case c.Request != "" && c.Key == "":
		return errors.New("--request is signed with a key that is registered: make it with --challenge and --key FILE, and give --key FILE here")
	case c.Key != "" && c.Platform != "android":
		return errors.New("--key keeps the key of an Android phone; an iPhone's has a counter besides")
	case c.Account != "" && !isAccount.MatchString(c.Account):
		return fmt.Errorf("--account: %q is no account: a_ and 26 characters of a-z and 2-7", c.Account)
	}
	return nil
}

// isAccount is the form of an account's id.
var isAccount = regexp.MustCompile(`^a_[a-z2-7]{26}$`)

// listSamples prints two lines a sample, which fit a terminal.
func listSamples(w io.Writer) error {
	for _, d := range attesttest.Deviations() {
		outcome := "accepted"
		if d.Code != "" {
			outcome = fmt.Sprintf("%s (%s) %s", d.Code, d.Class, effects(d.Effects))
		}
		if _, err := fmt.Fprintf(w, "%s: %s\n%s", d.Name, outcome, wrap(d.Change, "    ")); err != nil {
			return err
		}
	}
	return nil
}

// effects names the effect, or both if strict differs from google.
func effects(e attesttest.Effects) string {
	if e.Google == e.Strict {
		return string(e.Google)
	}
	return fmt.Sprintf("%s, strict: %s", e.Google, e.Strict)
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
func (c *AttestSampleCmd) answer(w, log io.Writer, now time.Time) error {
	challenge, err := decodeBase64(c.Challenge)
	if err != nil || len(challenge) == 0 {
		return &exitError{exitCannot, fmt.Errorf("--challenge: %w", err)}
	}
	if len(challenge) != serverChallenge {
		fmt.Fprintf(log, "staunch: warning: --challenge has %d bytes, and a challenge of the server has %d: it will not accept this\n", len(challenge), serverChallenge)
	}
	var key *sampleKey
	if c.Key != "" {
		if key, err = openSampleKey(c.Key, true); err != nil {
			return &exitError{exitCannot, err}
		}
	}
	sample, err := answerAs(c.Platform, challenge, key, now)
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

// serverChallenge is how many bytes a server's challenges have.
const serverChallenge = 32

// answerAs makes a phone of the test CAs, and a key on it for the challenge. A
// kept key takes the place of an Android phone's own.
func answerAs(platform string, challenge []byte, kept *sampleKey, now time.Time) (s attesttest.Sample, err error) {
	s = attesttest.Sample{Challenge: challenge, At: now}
	if platform == "android" {
		ca, err := attesttest.TestAndroidCA(now)
		if err != nil {
			return s, err
		}
		key, err := ca.Phone().GenerateKey(now, challenge, func(d *attesttest.AndroidDraft) {
			if kept != nil {
				d.Leaf().PublicKey = kept.spki
			}
		})
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
		fmt.Fprintf(s.out, "%s (class %s)\n%s%s", code.Name, code.Class, wrap(code.Meaning, "    "), wrap(code.Advice, "    "))
	}
	if !some {
		return &exitError{exitNo, fmt.Errorf("there is no code that begins with %q", c.Code)}
	}
	return nil
}
