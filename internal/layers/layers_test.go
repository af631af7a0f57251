// Package layers keeps the import rule of the repository. It is a test and
// nothing else: see docs/architecture.md, "Who may import whom".
package layers

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/staunchid/staunch"

// rule has one line a package: its path, what it may import of ours, and which
// modules of others. A name that ends in "/..." stands for the packages below
// it as well. The standard library and golang.org/x are open to all. Adding a
// line is a decision.
const rule = `
account               |                                                                          |
audit                 | account                                                                  |
event                 | account                                                                  |
attest                | attest/android attest/appattest internal/der internal/cbor internal/jsonobject |
attest/android        | internal/der internal/cbor internal/jsonobject                           |
attest/appattest      | internal/der internal/cbor                                               | github.com/smallstep/pkcs7
attest/attesttest     | attest attest/android attest/appattest attest/request internal/der internal/cbor |
attest/request        |                                                                          |
attest/registry       | account audit event attest attest/android attest/appattest attest/request |
passkey               | account audit event                                                      | github.com/go-webauthn/webauthn
operator              | account audit passkey                                                    |
passkey/passkeytest   | internal/cbor                                                            |
recovery/hostlink     | recovery/wire                                                               |
recovery/remote       | recovery recovery/hostlink recovery/replica recovery/wire tee               |
recovery/release      | recovery/wire tee                                                           |
recovery/spawn        | recovery recovery/release recovery/replica recovery/wire tee/process        |
recovery/replica      | recovery/hostlink recovery/release recovery/vault recovery/wire tee tee/process |
recovery/vault        | internal/cbor recovery/wire recovery/toprf recovery/cpace                  | github.com/cloudflare/circl
tee                   | tee/process internal/cbor                                                |
tee/process           | internal/cbor                                                            |
integrity             | account audit event attest attest/... passkey transfer transfer/handover |
recovery              | account audit event internal/cbor tee tee/... recovery/wire recovery/toprf recovery/cpace |
recovery/recoverytest | account recovery recovery/cpace recovery/release recovery/toprf recovery/vault recovery/wire tee tee/process             |
recovery/recoverytest/insider | account event recovery recovery/recoverytest recovery/replica recovery/spawn recovery/wire store/sqlite stream stream/wal |
gen/staunch/transfer/v1 | gen/staunch/account/v1                                                   | google.golang.org/protobuf
gen/staunch/transfer/v1/transferv1connect | gen/staunch/transfer/v1                              | connectrpc.com/connect
gen/staunch/recovery/v1 |                                                                        | google.golang.org/protobuf
gen/staunch/recovery/v1/recoveryv1connect | gen/staunch/recovery/v1                              | connectrpc.com/connect
transfer              | account audit event transfer/handover transfer/sealed                      |
transfer/derive       |                                                                          |
transfer/handover     | attest attest/android attest/appattest attest/request internal/cbor transfer/derive |
transfer/sealed       | internal/cbor transfer/derive                                            |
webhook               | account event                                                            |
store                 |                                                                          |
store/sqlite          | account audit event attest/... integrity operator recovery store store/sqlite/engine transfer | modernc.org/sqlite
store/sqlite/engine   |                                                                          | modernc.org/sqlite modernc.org/libc
store/storetest       | account audit event attest/... integrity operator recovery store transfer transfer/handover | github.com/google/go-cmp
blob                  | transfer                                                                 |
recovery/toprf        | internal/cbor                                                            | github.com/cloudflare/circl
recovery/wire         | internal/cbor                                                            |
recovery/cpace        | recovery/toprf recovery/wire                                             |
stream                | account recovery internal/cbor                                             |
stream/wal            | account recovery stream internal/cbor                                      |
stream/kafka          | account recovery stream                                                    | github.com/twmb/franz-go
stream/streamtest     | account recovery stream                                                    | github.com/google/go-cmp
config                |                                                                          | github.com/pelletier/go-toml/v2
rpc                   | account audit event attest attest/... passkey integrity recovery recovery/wire transfer gen/...                | connectrpc.com/connect google.golang.org/protobuf google.golang.org/genproto/googleapis/rpc
web                   | account audit event passkey integrity transfer web/site                   | rsc.io/qr
web/site              |                                                                          |
web/site/sitetest     |                                                                          |
web/demo              | account attest attest/attesttest attest/request audit config web/site     |
web/demo/insider      | account store/sqlite/engine                                              |
web/chart             |                                                                          |
web/console           | account attest attest/registry audit event integrity operator passkey recovery recovery/wire transfer web/chart web/site |
rpc/extauthz          | attest/registry attest/request gen/...                                   | connectrpc.com/connect google.golang.org/protobuf
server                | account audit event attest attest/... passkey operator integrity recovery recovery/release recovery/remote recovery/spawn recovery/wire stream stream/... transfer blob web web/console web/demo web/demo/insider webhook store/... store rpc rpc/extauthz config fetch gen/... | github.com/prometheus/client_golang
cmd/staunch           | account attest attest/android attest/appattest attest/attesttest attest/registry attest/request client config gen/... internal/load operator passkey/passkeytest recovery recovery/release recovery/replica recovery/spawn recovery/wire server stream tee tee/process transfer/handover | connectrpc.com/connect github.com/alecthomas/kong github.com/makiuchi-d/gozxing github.com/schollz/progressbar/v3 rsc.io/qr
cmd/staunch-vault     | recovery/release recovery/replica                                        |
client                | account attest/request gen/... recovery recovery/wire transfer/handover transfer/sealed                                         | connectrpc.com/connect google.golang.org/protobuf google.golang.org/genproto/googleapis/rpc
examples/pay          | attest/request client                                                    |
examples/pay/phone    | attest/attesttest gen/...                                                | connectrpc.com/connect
fetch                 | attest/android attest/appattest internal/jsonobject                      |
fetch/fetchtest       | attest/appattest                                                         |
gen/staunch/attest/v1 |                                                                          | google.golang.org/protobuf
gen/staunch/attest/v1/attestv1connect | gen/staunch/attest/v1                                    | connectrpc.com/connect
gen/staunch/account/v1 | gen/staunch/attest/v1                                                    | google.golang.org/protobuf
gen/staunch/account/v1/accountv1connect | gen/staunch/account/v1                                 | connectrpc.com/connect
gen/staunch/passkey/v1 | gen/staunch/account/v1                                                   | google.golang.org/protobuf
gen/staunch/passkey/v1/passkeyv1connect | gen/staunch/passkey/v1                                 | connectrpc.com/connect
gen/staunch/extauthz/v1 |                                                                        | google.golang.org/protobuf
internal/bench        | account attest attest/registry attest/request blob gen/... store/sqlite transfer/sealed | github.com/prometheus/client_golang google.golang.org/protobuf
internal/cbor         |                                                                          | github.com/fxamacker/cbor/v2
internal/der          |                                                                          |
internal/jsonobject   |                                                                          |
internal/load         | attest attest/attesttest attest/request gen/...                           | connectrpc.com/connect google.golang.org/genproto/googleapis/rpc
internal/soak         | client gen/... internal/load                                              |
internal/vectors      |                                                                          |
internal/mutate       |                                                                          |
`

type line struct{ ours, modules []string }

func parseRule(t *testing.T, text string) map[string]line {
	t.Helper()
	lines := map[string]line{}
	for text := range strings.Lines(strings.TrimSpace(text)) {
		cols := strings.Split(text, "|")
		if len(cols) != 3 {
			t.Fatalf("not three columns: %q", text)
		}
		name := strings.TrimSpace(cols[0])
		if _, twice := lines[name]; twice {
			t.Fatalf("two lines for %s", name)
		}
		lines[name] = line{strings.Fields(cols[1]), strings.Fields(cols[2])}
	}
	return lines
}

// allows reports whether a package of line l may import the path imp.
func (l line) allows(imp string) bool {
	if rest, ok := strings.CutPrefix(imp, module+"/"); ok {
		return slices.ContainsFunc(l.ours, func(o string) bool {
			below, all := strings.CutSuffix(o, "/...")
			return rest == below || all && strings.HasPrefix(rest, below+"/")
		})
	}
	first, _, _ := strings.Cut(imp, "/")
	if !strings.Contains(first, ".") || strings.HasPrefix(imp, "golang.org/x/") {
		return true
	}
	return slices.ContainsFunc(l.modules, func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") })
}

// packages maps the path of each package below root to its imports. Tests may
// import what they like.
func packages(t *testing.T, root string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && file != root && (name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		pkg := path.Clean(filepath.ToSlash(rel))
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		all[pkg] = append(all[pkg], []string{}...)
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			all[pkg] = append(all[pkg], imp)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// broken lists where the packages depart from the lines.
func broken(lines map[string]line, pkgs map[string][]string) []string {
	var out []string
	for pkg, imports := range pkgs {
		l, ok := lines[pkg]
		if !ok {
			out = append(out, pkg+" has no line; add one if the package is wanted")
			continue
		}
		for _, imp := range imports {
			if !l.allows(imp) {
				out = append(out, pkg+" may not import "+imp)
			}
		}
	}
	for pkg := range lines {
		if _, ok := pkgs[pkg]; !ok {
			out = append(out, "no package for the line of "+pkg)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestImports(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range broken(parseRule(t, rule), packages(t, filepath.Join(root, "..", ".."))) {
		t.Error(b)
	}
}

func TestRuleBites(t *testing.T) {
	lines := parseRule(t, "a | b c/... | example.org/m\nb | |")
	tests := []struct {
		name string
		pkgs map[string][]string
		want string
	}{
		{"good", map[string][]string{"a": {"fmt", "golang.org/x/sys/unix", module + "/b", module + "/c/d", "example.org/m/x"}, "b": nil}, ""},
		{"ours", map[string][]string{"a": nil, "b": {module + "/a"}}, "b may not import " + module + "/a"},
		{"below", map[string][]string{"a": {module + "/b/c"}, "b": nil}, "a may not import " + module + "/b/c"},
		{"module", map[string][]string{"a": nil, "b": {"example.org/m"}}, "b may not import example.org/m"},
		{"like a module", map[string][]string{"a": {"example.org/max"}, "b": nil}, "a may not import example.org/max"},
		{"no line", map[string][]string{"a": nil, "b": nil, "c": nil}, "c has no line; add one if the package is wanted"},
		{"no package", map[string][]string{"a": nil}, "no package for the line of b"},
	}
	for _, tt := range tests {
		if got := strings.Join(broken(lines, tt.pkgs), "; "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
