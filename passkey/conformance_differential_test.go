package passkey_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/passkey/passkeytest"
)

// question is one decision that the other library is asked for.
type question struct {
	Name       string      `json:"name"`
	Kind       string      `json:"kind"` // create, get
	Response   string      `json:"response"`
	Challenge  string      `json:"challenge"`
	Origin     string      `json:"origin"`
	RPID       string      `json:"rpId"`
	Algorithms []int       `json:"algorithms"`
	Verified   bool        `json:"userVerification"` // is required
	TopOrigin  string      `json:"topOrigin,omitempty"`
	Roots      []string    `json:"roots,omitempty"`
	Credential *questioned `json:"credential,omitempty"`

	accepted bool   // by us
	why      string // if not
}

type questioned struct {
	ID        string `json:"id"`
	PublicKey string `json:"publicKey"`
	Counter   uint32 `json:"counter"`
}

func (x *exchange) question(name string) question {
	q := question{
		Name: name, Kind: x.kind, Response: string(x.response), Challenge: base64url(x.ceremony.Challenge),
		Origin: fidoOrigin, RPID: fidoRPID, Algorithms: []int{-8, -7, -257}, Verified: true, accepted: x.err == nil,
	}
	if x.foreign {
		q.Verified, q.TopOrigin = false, fidoTopOrigin
		q.Algorithms = append(q.Algorithms, -35, -36, -53)
	}
	if x.err != nil {
		q.why = x.err.Error()
	}
	if x.kind == "get" {
		q.Credential = &questioned{base64url(x.stored.Record.ID), base64url(x.stored.Record.Key), x.stored.Count}
	}
	return q
}

// opinion is what the other library says.
type opinion struct {
	Name   string `json:"name"`
	Accept bool   `json:"accept"`
	Why    string `json:"why"`
}

// opinions asks @simplewebauthn/server.
func opinions(t *testing.T, questions []question) map[string]opinion {
	t.Helper()
	dir := filepath.Join("testdata", "secondopinion")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@simplewebauthn", "server")); err != nil {
		text := "@simplewebauthn/server is not installed: run `make node-modules`, which needs npm and Node 20"
		if os.Getenv("CI") == "true" {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	var in bytes.Buffer
	for _, q := range questions {
		line, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(line, '\n'))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "opinion.mjs")
	var errs bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, &in, &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node opinion.mjs: %v\n%s", err, errs.Bytes())
	}
	all := map[string]opinion{}
	for line := range bytes.Lines(out) {
		var o opinion
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatalf("node opinion.mjs answers %q: %v", line, err)
		}
		all[o.Name] = o
	}
	if len(all) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(all), len(questions))
	}
	return all
}

// questions are those of the whole corpus.
func questions(t *testing.T) []question {
	t.Helper()
	var all []question
	for _, g := range append(fidoList(), moreGroups()...) {
		for _, i := range g.items {
			c, x := g.play(t, i)
			q := x.question(g.name + " " + i.id)
			if i.opts.Attestation >= passkeytest.Certified { // a certificate attests
				root, err := c.auth.Root()
				if err != nil {
					t.Fatal(err)
				}
				q.Roots = []string{string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root}))}
			}
			all = append(all, q)
		}
	}
	return append(all, vectorQuestions(t)...)
}

// TestSecondOpinion gives the corpus to @simplewebauthn/server too. What it
// sees in another way than we do must stand in docs/divergences/passkey.md, and
// what stands there must still be so.
func TestSecondOpinion(t *testing.T) {
	listed := map[string]string{} // case to "accepted" or "refused", as we do
	for _, row := range divergenceTable(t, "## The second opinion") {
		group, ids, _ := strings.Cut(row[0], " ")
		for id := range strings.SplitSeq(ids, ", ") {
			listed[group+" "+id] = row[2]
		}
	}
	all := questions(t)
	answers := opinions(t, all)
	word := map[bool]string{true: "accepted", false: "refused"}
	agreed := map[string]int{}
	for _, q := range all {
		theirs := answers[q.Name]
		here, differs := listed[q.Name]
		delete(listed, q.Name)
		switch {
		case theirs.Accept == q.accepted && differs:
			t.Errorf("%s: both say %s: take it out of docs/divergences/passkey.md", q.Name, word[q.accepted])
		case theirs.Accept != q.accepted && !differs:
			t.Errorf("%s: here %s (%s), there %s (%s): which is right? If we are, it belongs into docs/divergences/passkey.md",
				q.Name, word[q.accepted], q.why, word[theirs.Accept], theirs.Why)
		case differs && here != word[q.accepted]:
			t.Errorf("%s: here it is %s; docs/divergences/passkey.md says %s", q.Name, word[q.accepted], here)
		}
		if theirs.Accept == q.accepted {
			agreed[fmt.Sprint(q.Kind, " ", word[q.accepted])]++
		}
	}
	vectors := slices.ContainsFunc(all, func(q question) bool { return strings.HasPrefix(q.Name, "W3C-") })
	for name := range listed {
		if vectors || !strings.HasPrefix(name, "W3C-") {
			t.Errorf("docs/divergences/passkey.md lists %s, which is no case", name)
		}
	}
	for _, kind := range []string{"create accepted", "create refused", "get accepted", "get refused"} {
		if agreed[kind] < 5 { // a library that answers always the same is no second opinion
			t.Errorf("only %d cases of %s are agreed", agreed[kind], kind)
		}
	}
}
