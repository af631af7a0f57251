package passkey_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/staunchid/staunch/passkey/passkeytest"
)

// fidoGroup is one group of the public list of server tests
// (fido-alliance/conformance-test-tools-resources, docs/FIDO2/Server): numbers
// of what a server must accept (P) and must refuse (F), and our items.
type fidoGroup struct {
	name  string
	p, f  int
	items []fidoItem
}

// fidoItem is one answer: a good one with one change. A nil want is "accepted".
type fidoItem struct {
	id     string // P-1, F-12
	what   string
	opts   passkeytest.Options
	blob   *fidoBlob // what is known of the model; nil: any model is taken
	change passkeytest.Change
	want   error
}

// fidoList is the whole list. Groups without items here are tested by their own
// test, or stand in docs/divergences/passkey.md with the reason.
func fidoList() []fidoGroup {
	return []fidoGroup{
		{name: "Creation-Req-1", p: 3}, // TestFIDOOptions
		{name: "Attestation-Resp-1", p: 1, f: 14, items: fidoAttestationStructure()},
		{name: "Attestation-Resp-2", f: 17, items: fidoClientData("webauthn.create", "webauthn.get")},
		{name: "Attestation-Resp-3", p: 1, f: 19, items: fidoAttestationObject()},
		{name: "Attestation-Resp-4", p: 12, items: fidoAlgorithms()},
		{name: "Attestation-Resp-5", p: 2, f: 14, items: fidoPackedFull()},
		{name: "Attestation-Resp-6", p: 1, f: 3, items: fidoPackedSelf()},
		{name: "Attestation-Resp-7", p: 2, f: 1, items: fidoNone()},
		{name: "Attestation-Resp-8", p: 1, f: 2, items: fidoU2F()},
		{name: "Attestation-Resp-9", p: 3, f: 4, items: fidoTPM()},
		{name: "Attestation-Resp-A", p: 1, f: 3},
		{name: "Attestation-Resp-B", p: 1, f: 7},
		{name: "Request-Req-1", p: 2}, // TestFIDOOptions
		{name: "Assertion-Resp-1", p: 1, f: 21, items: fidoAssertionStructure()},
		{name: "Assertion-Resp-2", f: 17, items: fidoClientData("webauthn.get", "webauthn.create")},
		{name: "Assertion-Resp-3", p: 8, f: 5, items: fidoAuthenticatorData()},
		{name: "Metadata", p: 1, f: 6, items: fidoMetadata()},
	}
}

// fidoDivergences reads the section of docs/divergences/passkey.md about the
// list: item to the words under "here".
func fidoDivergences(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, row := range divergenceTable(t, "## The FIDO server test list") {
		group, ids, ok := strings.Cut(row[0], " ")
		if !ok {
			t.Fatalf("no item in %q", row[0])
		}
		for id := range strings.SplitSeq(ids, ", ") {
			all[group+" "+id] = row[2]
		}
	}
	return all
}

// divergenceTable returns the rows of the table below a heading.
func divergenceTable(t *testing.T, heading string) [][]string {
	t.Helper()
	page, err := os.ReadFile("../docs/divergences/passkey.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(page), heading+"\n")
	if !ok {
		t.Fatalf("docs/divergences/passkey.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var rows [][]string
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| item") || strings.HasPrefix(line, "| case") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != 4 {
			t.Fatalf("not four cells: %q", line)
		}
		rows = append(rows, cells)
	}
	if len(rows) == 0 {
		t.Fatalf("docs/divergences/passkey.md: no rows below %q", heading)
	}
	return rows
}

// TestFIDOListIsComplete: each item of the list has a test that says what the
// list says, or a row in docs/divergences/passkey.md.
func TestFIDOListIsComplete(t *testing.T) {
	listed := fidoDivergences(t)
	total := 0
	for _, g := range fidoList() {
		ours := map[string]bool{} // id to accepted
		for _, i := range g.items {
			ours[i.id] = i.want == nil
		}
		if strings.HasSuffix(g.name, "-Req-1") {
			for n := range g.p {
				ours[fmt.Sprintf("P-%d", n+1)] = true // TestFIDOOptions
			}
		}
		for _, kind := range []struct {
			letter string
			n      int
		}{{"P", g.p}, {"F", g.f}} {
			for n := range kind.n {
				total++
				id := fmt.Sprintf("%s-%d", kind.letter, n+1)
				key := g.name + " " + id
				here, differs := listed[key]
				delete(listed, key)
				accepted, tested := ours[id]
				delete(ours, id)
				if same := tested && accepted == (kind.letter == "P"); same == differs && here != "in part" {
					t.Errorf("%s: tested %t, as the list says %t, in docs/divergences/passkey.md %t (%s)", key, tested, same, differs, here)
				}
			}
		}
		for id := range ours {
			t.Errorf("%s %s is not in the list", g.name, id)
		}
	}
	for key := range listed {
		t.Errorf("docs/divergences/passkey.md names %s, which is not in the list", key)
	}
	if total < 172 {
		t.Errorf("%d items; the list has 173", total)
	}
}
