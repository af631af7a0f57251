package docs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest"
)

// TestFindings: docs/findings.md is the table of package attest; -update writes it.
func TestFindings(t *testing.T) {
	want := findingsPage(attest.Codes())
	if *update {
		if err := os.WriteFile("findings.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, readFile(t, "docs/findings.md")); diff != "" {
		t.Errorf("docs/findings.md is not the table of codes; `go test ./docs -update` writes it (-want +got):\n%s", diff)
	}
}

const findingsHead = `# Findings

<!-- Written by ` + "`go test ./docs -update`" + ` from attest.Codes(). -->

Every code that a verdict may hold, in the order of the checks. Codes are stable and never reused; the detail that comes
with a finding is for people and may change with any release. ` + "`staunch attest codes`" + ` prints the same table.

- **Class** says what a finding suggests. *abuse*: forged, altered, replayed, or another app. *honest*: an honest phone
  that is odd, old or late. *environment*: the phone says that it is in a state that policy may refuse. *policy*: the
  operator's rule or knowledge.
- **Hard** findings end verification: the evidence is not authentic, the tier is *none*, and no policy and no exception
  sees it. All others are decided by the profile and the policy; see the [manual](attestation.md#5-verdict). A code that
  is not marked may be hard in one place: ` + "`android.cert_expired`" + ` outside factory chains, ` + "`android.issuer_name`" + ` where the
  names differ in earnest, ` + "`apple.receipt_*`" + ` when the receipt itself is the evidence.
`

func findingsPage(codes []attest.Code) string {
	var b strings.Builder
	b.WriteString(findingsHead)
	last := ""
	for _, c := range codes {
		platform, _, _ := strings.Cut(c.Name, ".")
		if platform != last {
			fmt.Fprintf(&b, "\n## %s\n\n| code | class | hard | what was found | what to do |\n|---|---|---|---|---|\n",
				map[string]string{"common": "Both platforms", "android": "Android", "apple": "Apple"}[platform])
			last = platform
		}
		hard := ""
		if c.Hard {
			hard = "hard"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.Name, c.Class, hard, c.Meaning, c.Advice)
	}
	return b.String()
}
