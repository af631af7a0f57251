package console_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// TestRisks: a risk is said in words, with what it is about and what it changes.
func TestRisks(t *testing.T) {
	since, until := now.Add(-time.Hour), now.Add(time.Hour)
	tests := []struct {
		name   string
		signal account.Signal
		want   []string
	}{
		{"of a device", account.Signal{Name: account.SignalNewDevice, Device: "d_1", Source: "staunch"},
			[]string{"A new device was added", "Mika&#39;s phone<br><code class=\"small\">d_1", "When this device asks, what matters", "this server"}},
		{"of a device that is gone", account.Signal{Name: account.SignalNewDevice, Device: "d_9"}, []string{"d_9"}},
		{"of the account", account.Signal{Name: account.SignalRecentRecovery, Source: "staunch"}, []string{"was recovered lately", "the account", "What matters needs a passkey"}},
		{"of a passkey, told by it", account.Signal{Name: account.SignalBackupState, Source: "c_1"}, []string{"kept in several places", "Blue key<br><code class=\"small\">c_1"}},
		{"of a passkey, by its value", account.Signal{Name: account.SignalSharedCredential, Source: "staunch:c_1", Value: "c_1"}, []string{"has used a passkey", "Blue key"}},
		{"a copy", account.Signal{Name: account.SignalCounterRegress, Source: "c_1", Value: "c_1"}, []string{"may have been copied", "That passkey counts for less"}},
		{"of attestation", account.Signal{Name: "attest:android.boot_state", Device: "d_1"}, []string{"Found at attestation: android.boot_state"}},
		{"of the backend", account.Signal{Name: "external:spam", Source: "backend:hold", Level: account.LevelHold, Value: "<b>c_1", Device: "d_1"},
			[]string{"Reported by the app: spam: &lt;b&gt;c_1", "the app&#39;s backend", "has to wait", "Mika&#39;s phone"}},
		{"noted", account.Signal{Name: "external:spam", Source: "backend:note", Level: account.LevelNote}, []string{"only noted", "<td>the account</td>"}},
		{"of a day to come", account.Signal{Name: "worms"}, []string{"worms"}},
	}
	for _, tt := range tests {
		f := newReading()
		tt.signal.FirstAt, tt.signal.Until = since, until
		f.seen.Devices[0].Name = "Mika's phone"
		f.seen.Passkeys = []integrity.PasskeyView{{Ref: "c_1", Name: "Blue key"}}
		f.seen.Signals = []account.Signal{tt.signal}
		page := text(t, ask(t, readingSite(t, f), "/accounts/"+owner, "", signedIn))
		risks := page[strings.Index(page, `id="risks"`):strings.Index(page, `id="devices"`)]
		for _, want := range append(tt.want, string(tt.signal.Name), "22 Nov 2026, 11:00:00", "22 Nov 2026, 13:00:00") {
			if !strings.Contains(risks, want) {
				t.Errorf("%s: no %q in\n%s", tt.name, want, risks)
			}
		}
	}
	f := newReading()
	if page := text(t, ask(t, readingSite(t, f), "/accounts/"+owner, "", signedIn)); !strings.Contains(page, "None is known.") {
		t.Error("no risk, and the page does not say so")
	}
	f.seen.Signals = []account.Signal{{Name: account.SignalSharedCredential, FirstAt: since}}
	if page := text(t, ask(t, readingSite(t, f), "/accounts/"+owner, "", signedIn)); !strings.Contains(page, "what it is about is gone") {
		t.Error("no end, and the page does not say so")
	}
}

// TestRiskWords: each signal that package account names has words.
func TestRiskWords(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../account/signal.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(v.Names[0].Name, "Signal") || strings.HasSuffix(v.Names[0].Name, "Prefix") {
			return true
		}
		name, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		f := newReading()
		f.seen.Signals = []account.Signal{{Name: account.SignalName(name), FirstAt: now}}
		if page := text(t, ask(t, readingSite(t, f), "/accounts/"+owner, "", signedIn)); strings.Contains(page, `<th scope="row">`+name) {
			t.Errorf("%s has no words", name)
		}
		return true
	})
	if found < 11 {
		t.Errorf("only %d signals were found in the source", found)
	}
}
