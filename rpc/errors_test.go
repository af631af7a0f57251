package rpc

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
)

// inside lists the exported errors of pillars that have no row, with the
// reason: the test below demands one or the other for each.
func inside() map[string]string {
	return map[string]string{
		"attest/android.ErrStatusList":        "for who loads the list; a client never sends one",
		"attest/android.ErrMalformed":         "attest wraps it in its own",
		"attest/appattest.ErrMalformed":       "attest wraps it in its own",
		"attest/registry.ErrChallengeUnknown": "between store and service; a finding for clients",
		"attest/appattest.ErrUnsupported":     "attest wraps it in its own",
		"attest/request.ErrBodyTooLarge":      "for who reads a body; the middleware answers it itself",
		"attest/request.ErrUnavailable":       "between a Checker and the middleware",
		"audit.ErrInvalid":                    "a fault of the program: internal error",
		"audit.ErrKey":                        "for who reads a key at start",
		"audit.ErrQuery":                      "for an operator, at the console",
		"audit.ErrRewound":                    "for who seals, in the background",
		"integrity.ErrProof":                  "for who verifies the proof of an approval, offline",
		"event.ErrInvalid":                    "a fault of the program: internal error",
		"recovery/cpace.ErrProof":             "recovery/vault answers with a verdict",
		"recovery/toprf.ErrMalformed":         "recovery and recovery/vault answer with their own",
		"recovery/toprf.ErrProof":             "for who recovers: a phone",
		"recovery/toprf.ErrShares":            "for who recovers: a phone",
		"recovery.ErrUnavailable":             "for a phone: its own count of who answered",
		"recovery.ErrEvidence":                "for a phone: its own verdict on a vault",
		"recovery.ErrPIN":                     "for a phone: its own rules for a new PIN",
		"recovery.ErrOtherPIN":                "for a phone: what it remembers of the PIN, which nobody else hears",
		"recovery.ErrOtherDevice":             "for a phone: its journal is older than what the vaults hold",
		"recovery.ErrForgotten":               "for a phone: its own verdict on what a vault shows",
		"recovery.ErrRenamed":                 "for a phone: its own verdict on the service",
		"recovery.ErrShares":                  "for a phone: what it got does not open",
		"recovery.ErrLocked":                  "for a phone: sealed in the answers of vaults",
		"recovery.ErrPermanent":               "between the retry stream and who applies its entries",
		"recovery/wire.ErrMalformed":          "recovery wraps it in its own, and vaults answer with a verdict or a code",
		"recovery/wire.ErrUnreadable":         "recovery wraps it in its own, and vaults answer with a code",
		"recovery/wire.ErrSignature":          "recovery wraps it in its own, and vaults answer with a verdict or a code",
		"recovery/wire.ErrThreshold":          "for who verifies a vault set or a ceremony: a phone, a vault",
		"transfer/handover.ErrMalformed":      "for a phone; the server has transfer's own",
		"transfer/handover.ErrVersion":        "for a phone; the server has transfer's own",
		"transfer/handover.ErrCommitment":     "for a phone; the server has transfer's own",
		"transfer/handover.ErrMAC":            "for a phone; the server has transfer's own",
		"transfer/handover.ErrForged":         "for a phone; the server has transfer's own",
		"transfer/handover.ErrUntrusted":      "for a phone; the server has transfer's own",
		"transfer/handover.ErrAudience":       "for a phone; the server has transfer's own",
		"transfer/handover.ErrSchema":         "for a phone; the server has transfer's own",
		"transfer/handover.ErrSpace":          "for a phone; the server has transfer's own",
		"transfer/handover.ErrBeacon":         "for a phone; the server has transfer's own",
		"transfer/handover.ErrNumber":         "for a phone; the server has transfer's own",
		"transfer/handover.ErrStream":         "for a phone; the server has transfer's own",
		"transfer/handover.ErrKey":            "for a phone; the server has transfer's own",
		"transfer/handover.ErrOrder":          "for a phone; the server has transfer's own",
		"transfer/handover.ErrErased":         "for a phone; the server has transfer's own",
		"transfer/sealed.ErrSegment":          "transfer answers a PUT with its own",
		"transfer/sealed.ErrRecord":           "for who receives: a phone",
		"transfer/sealed.ErrOrder":            "for who sends or receives; transfer answers a seal with its own",
		"transfer/sealed.ErrItem":             "for who sends or receives: a phone",
		"transfer/sealed.ErrChanged":          "for who sends: a phone",
		"transfer/sealed.ErrKey":              "for who sends or receives: a phone",
		"transfer/sealed.ErrCheckpoint":       "for who sends or receives: a phone",
		"tee.ErrMalformed":                    "for who verifies evidence: a phone, an operator",
		"tee.ErrUnsupported":                  "for who verifies evidence: a phone, an operator",
		"tee/process.ErrMalformed":            "tee wraps it in its own",
		"recovery/replica.ErrFolder":          "for who starts a vault",
		"recovery/release.ErrDocument":        "for who signs sets and ceremonies",
		"recovery/release.ErrKey":             "for who signs sets and ceremonies",
		"recovery/release.ErrPlan":            "for who signs sets and ceremonies",
		"recovery/release.ErrRebase":          "for who signs sets and ceremonies",
		"recovery/release.ErrHandover":        "for who signs sets and ceremonies",
		"recovery/release.ErrReplace":         "for who signs sets and ceremonies",
		"recovery/release.ErrBefore":          "for who signs sets and ceremonies",
		"recovery/hostlink.ErrStranger":       "between a server and its remote vaults",
		"recovery/remote.ErrSet":              "for who starts a server",
		"recovery/spawn.ErrFolder":            "for who starts a server",
		"recovery/spawn.ErrRuns":              "for who replaces a vault",
		"recovery/vault.ErrCeremony":          "for who holds a ceremony, at the start of a vault",
		"recovery/vault.ErrEvidence":          "between a vault and its host",
		"recovery/vault.ErrKeys":              "for who starts a vault",
		"recovery/vault.ErrConfig":            "for who starts a vault",
		"recovery/vault.ErrStale":             "between a vault and its witnesses; the vault answers with a code",
		"recovery/vault.ErrAmnesia":           "between a vault and its witnesses; the vault answers with a code",
		"recovery/vault.ErrFuture":            "between a vault and its witnesses; the vault answers with a code",
		"recovery/vault.ErrJournal":           "for who starts a witness; it reaches the log",
		"recovery/vault.ErrPeer":              "between a vault and its witnesses; it reaches the log",
		"recovery/vault.ErrUnavailable":       "between a vault and its witnesses; the vault answers with a code",
	}
}

// pillars are the folders whose errors can reach a handler.
func pillars() []string {
	return []string{"account", "audit", "event", "attest", "passkey", "transfer", "recovery", "tee", "keytrans", "govern", "sealing", "backup", "integrity"}
}

// exportedErrors reads them off the syntax, as "package.Name".
func exportedErrors(t *testing.T, root string) []string {
	t.Helper()
	var all []string
	for _, pillar := range pillars() {
		dir := filepath.Join(root, pillar)
		if _, err := os.Stat(dir); err != nil {
			continue // not written yet
		}
		err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || d.Name() == filepath.Base(filepath.Dir(file))+"test") {
				return fs.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return nil
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				return err
			}
			pkg, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				return err
			}
			for _, decl := range f.Decls {
				g, ok := decl.(*ast.GenDecl)
				if !ok || g.Tok != token.VAR {
					continue
				}
				for _, spec := range g.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						if regexp.MustCompile(`^Err[A-Z]`).MatchString(name.Name) {
							all = append(all, filepath.ToSlash(pkg)+"."+name.Name)
						}
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// rows reads the names in the table off errors.go, as "package.Name".
func rows(t *testing.T) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for _, imp := range f.Imports {
		p := strings.Trim(imp.Path.Value, `"`)
		if ours, ok := strings.CutPrefix(p, "github.com/staunchid/staunch/"); ok {
			paths[p[strings.LastIndex(p, "/")+1:]] = ours
		}
	}
	var all []string
	ast.Inspect(f, func(n ast.Node) bool {
		fn, ok := n.(*ast.FuncDecl)
		if ok {
			return fn.Name.Name == "table"
		}
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && strings.HasPrefix(sel.Sel.Name, "Err") {
				all = append(all, paths[x.Name]+"."+sel.Sel.Name)
			}
		}
		return true
	})
	return all
}

func TestEveryErrorHasARow(t *testing.T) {
	exported, have := exportedErrors(t, ".."), rows(t)
	if len(exported) < 8 || len(have) < 8 {
		t.Fatalf("found %v and %v; the test reads too little", exported, have)
	}
	for _, name := range exported {
		_, in := inside()[name]
		if slices.Contains(have, name) == in {
			t.Errorf("%s: give it a row in errors.go, or a line in inside(), and not both", name)
		}
	}
	for name := range inside() {
		if !slices.Contains(exported, name) {
			t.Errorf("inside() has %s, which is gone", name)
		}
	}
}

func TestTable(t *testing.T) {
	codes := map[string]string{}
	for _, r := range table() {
		if !regexp.MustCompile(`^[A-Z]+(_[A-Z]+)*$`).MatchString(r.reason) {
			t.Errorf("reason %q", r.reason)
		}
		if was, ok := codes[r.reason]; ok && was != r.code.String() {
			t.Errorf("%s has two codes: %s and %s", r.reason, was, r.code)
		}
		codes[r.reason] = r.code.String()
		e := &edge{away: func(error) bool { return false }}
		if got, known := e.lookup(errors.Join(errors.New("outer"), r.err)); !known || got.err != r.err {
			t.Errorf("%v is found as %v", r.err, got.err)
		}
	}
}

func TestClip(t *testing.T) {
	if got := clip("a\u00a0b\x00\n" + strings.Repeat("é", 500) + "\xff"); len(got) > 310 || !strings.HasPrefix(got, "a bé") {
		t.Errorf("%q", got)
	}
}

// TestNames walks the enumerations that are translated by their names.
func TestNames(t *testing.T) {
	for _, a := range []registry.Advice{
		registry.AdviceNone, registry.AdviceRetry, registry.AdviceNewChallenge, registry.AdviceNewKey,
		registry.AdviceReboot, registry.AdviceUpdateApp, registry.AdviceUpdateOS, registry.AdviceContact,
	} {
		if adviceToProto(a) == 0 {
			t.Errorf("advice %s", a)
		}
	}
	for _, tier := range []attest.Tier{attest.TierNone, attest.TierContraindicated, attest.TierWarning, attest.TierAffirming} {
		if tierToProto(tier) == 0 {
			t.Errorf("tier %s", tier)
		}
	}
	for _, s := range []registry.State{registry.StateActive, registry.StatePending, registry.StateObserved, registry.StateRevoked, registry.StateSuperseded} {
		if stateToProto(s) == 0 {
			t.Errorf("state %s", s)
		}
	}
	for _, c := range []attest.Class{attest.Abuse, attest.Honest, attest.Environment, attest.PolicyClass} {
		if classToProto(c) == 0 {
			t.Errorf("class %s", c)
		}
	}
	for _, e := range []attest.Effect{attest.Reject, attest.Warn, attest.Note} {
		if effectToProto(e) == 0 {
			t.Errorf("effect %s", e)
		}
	}
	if platformToProto("android") == 0 || platformToProto("apple") == 0 {
		t.Error("platform")
	}
}

func TestTokens(t *testing.T) {
	const good = "0123456789abcdef0123456789abcdef"
	for _, tt := range []struct {
		name, secret string
		ok           bool
	}{
		{"good", good, true},
		{"with a newline at the end", good + "\n", true},
		{"one character short", good[1:], false},
		{"short, with white space", good[1:] + "\n", false},
		{"empty", "", false},
		{"two words", good + " " + good, false},
		{"binary", good + "\x00", false},
		{"not ASCII", good + "é", false},
	} {
		tok, err := NewToken([]byte(tt.secret))
		if (err == nil) != tt.ok || tok.Matches(good) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && strings.Contains(err.Error(), "abcdef") {
			t.Errorf("%s: the error shows the token: %v", tt.name, err)
		}
	}
	if (Token{}).Matches("") {
		t.Error("the zero token matches")
	}
}

func TestNew(t *testing.T) {
	tok, err := NewToken([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	service := &registry.Service{}
	for _, tt := range []struct {
		name string
		apps []App
		ok   bool
	}{
		{"good", []App{{ID: "a1", Attest: service, Token: tok}, {ID: "a2", Attest: service}, {ID: "a3", Attest: service}}, true},
		{"none", nil, false},
		{"bad id", []App{{ID: "A", Attest: service}}, false},
		{"no service", []App{{ID: "a1"}}, false},
		{"twice", []App{{ID: "a1", Attest: service}, {ID: "a1", Attest: service}}, false},
		{"one token for two", []App{{ID: "a1", Attest: service, Token: tok}, {ID: "a2", Attest: service, Token: tok}}, false},
	} {
		if _, err := New(&Options{Apps: tt.apps}); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if account.AppID("a1").Validate() != nil {
		t.Error("the good ids are not good")
	}
}
