package extauthz_test

import (
	"crypto/sha256"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/staunchid/staunch/attest/request"
	extauthzv1 "github.com/staunchid/staunch/gen/staunch/extauthz/v1"
)

func recorded(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".binpb"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestWire: the same bytes are a message of ours and of Envoy's own types.
func TestWire(t *testing.T) {
	option := func(name, value string) *extauthzv1.HeaderValueOption {
		return &extauthzv1.HeaderValueOption{
			Header:       &extauthzv1.HeaderValue{Key: name, Value: value},
			AppendAction: extauthzv1.AppendAction_APPEND_ACTION_OVERWRITE_IF_EXISTS_OR_ADD,
		}
	}
	for name, ours := range map[string]*extauthzv1.CheckResponse{
		"response-allowed": {Status: &extauthzv1.Status{}, HttpResponse: &extauthzv1.CheckResponse_OkResponse{OkResponse: &extauthzv1.OkHttpResponse{
			Headers:         []*extauthzv1.HeaderValueOption{option("x-staunch-key", "k"), option("x-staunch-tier", "affirming")},
			HeadersToRemove: []string{"x-staunch-account", "x-staunch-admin"},
		}}},
		"response-denied": {Status: &extauthzv1.Status{Code: 7}, HttpResponse: &extauthzv1.CheckResponse_DeniedResponse{DeniedResponse: &extauthzv1.DeniedHttpResponse{
			Status:  &extauthzv1.HttpStatus{Code: 403},
			Headers: []*extauthzv1.HeaderValueOption{option("cache-control", "no-store"), option("content-type", "application/json")},
			Body:    `{"reason":"ATTEST_REJECTED","advice":"NEW_KEY"}` + "\n",
		}}},
	} {
		theirs := recorded(t, "go-control-plane-1.40.0/"+name)
		got := &extauthzv1.CheckResponse{}
		if err := proto.Unmarshal(theirs, got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(ours, got, protocmp.Transform()); d != "" { // unknown fields are differences too
			t.Errorf("%s: %s", name, d)
		}
	}

	got := &extauthzv1.CheckRequest{}
	if err := proto.Unmarshal(recorded(t, "go-control-plane-1.40.0/request-made"), got); err != nil {
		t.Fatal(err)
	}
	want := &extauthzv1.CheckRequest{Attributes: &extauthzv1.AttributeContext{
		ContextExtensions: map[string]string{"staunch.app": "chat"},
		Request: &extauthzv1.Request{Http: &extauthzv1.HttpRequest{
			Method: "METHOD", Path: "/path", Host: "host", Query: "query", Fragment: "fragment", Body: "body", RawBody: []byte("raw"),
			HeaderMap: &extauthzv1.HeaderMap{Headers: []*extauthzv1.HeaderValue{{Key: ":path", RawValue: []byte("/path")}, {Key: "k", Value: "v"}}},
		}},
	}}
	got.Attributes.ProtoReflect().SetUnknown(nil) // what we do not read
	got.Attributes.Request.Http.ProtoReflect().SetUnknown(nil)
	if d := cmp.Diff(want, got, protocmp.Transform()); d != "" {
		t.Error(d)
	}
}

// TestRecorded: what a real Envoy sends is understood when it is configured as
// the manual says, and refused when it is not, whatever the Checker says.
func TestRecorded(t *testing.T) {
	const body = `{"amount":1200}`
	tests := []struct {
		name          string
		want          int // 0: allowed
		method, query string
		body          string
	}{
		{"post", 0, "POST", "?dry=0", body},
		{"get", 0, "GET", "?", ""},
		{"empty", 0, "POST", "?dry=0", ""},
		{"text", http.StatusServiceUnavailable, "", "", ""},
		{"text-body", http.StatusServiceUnavailable, "", "", ""},
		{"no-body", http.StatusServiceUnavailable, "", "", ""},
		{"no-body-length", http.StatusRequestEntityTooLarge, "", "", ""},
		{"cut", http.StatusRequestEntityTooLarge, "", "", ""},
	}
	for _, tt := range tests {
		g := newRig(t)
		g.decision = &request.Decision{Allow: true, Identity: request.Identity{Key: "k"}}
		m := &extauthzv1.CheckRequest{}
		if err := proto.Unmarshal(recorded(t, "envoy-1.40.0/"+tt.name), m); err != nil {
			t.Fatal(err)
		}
		if m.Attributes.ContextExtensions["staunch.app"] != "demo" {
			t.Errorf("%s: context extensions %v", tt.name, m.Attributes.ContextExtensions)
		}
		m.Attributes.ContextExtensions["staunch.app"] = "chat"
		res := g.check(t, m)
		if got := res.GetDeniedResponse().GetStatus().GetCode(); int(got) != tt.want || (got == 0) != (res.GetOkResponse() != nil) {
			t.Errorf("%s: %v\n%s", tt.name, res, g.log.String())
		}
		if tt.want != 0 {
			continue
		}
		sum := sha256.Sum256([]byte(tt.body))
		msg := g.asked[0].Message
		if msg.Method != tt.method || msg.Authority != "pay.example.com" || msg.Query != tt.query || msg.HasBody != (tt.body != "") ||
			!slices.Equal(msg.BodySHA256, sum[:]) || msg.HasBody && !slices.Equal(msg.BodyMembers, []string{"amount"}) {
			t.Errorf("%s: the checker was asked about %+v", tt.name, msg)
		}
		if tt.name == "post" && !slices.Equal(res.GetOkResponse().GetHeadersToRemove(), []string{"x-staunch-account", "x-staunch-tier"}) {
			t.Errorf("%v", res)
		}
	}
}

// FuzzCheck: whatever stands in a message, the answer is one of the two, and a
// request is allowed only as a whole and without claims of its own.
func FuzzCheck(f *testing.F) {
	for _, pattern := range []string{"envoy-*/*", "go-control-plane-*/request-*"} {
		files, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(files) == 0 {
			f.Fatal("no seeds ", err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	g := newRig(f)
	g.decision = &request.Decision{Allow: true, Identity: request.Identity{Key: "k", Account: "a"}}
	claim := regexp.MustCompile(`^x[^a-z0-9]staunch[^a-z0-9]`)
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &extauthzv1.CheckRequest{}
		if proto.Unmarshal(data, m) != nil {
			return
		}
		if ext := m.GetAttributes().GetContextExtensions(); ext["staunch.app"] == "demo" {
			ext["staunch.app"] = "chat"
		}
		g.asked, g.calls = nil, nil
		g.log.Reset()
		res := g.check(t, m)
		if res.GetOkResponse() == nil {
			refusalOf(t, res)
			return
		}
		h := m.GetAttributes().GetRequest().GetHttp()
		sent := map[string][]string{}
		for _, line := range h.GetHeaderMap().GetHeaders() {
			name, value := strings.ToLower(line.GetKey()), string(line.GetRawValue())
			sent[name] = append(sent[name], value)
			if name == "content-length" && strings.TrimLeft(value, "0") != strings.TrimLeft(strconv.Itoa(len(h.GetRawBody())), "0") {
				t.Errorf("allowed with Content-Length %s and %d bytes", value, len(h.GetRawBody()))
			}
		}
		sum := sha256.Sum256(h.GetRawBody())
		if msg := g.asked[0].Message; h.GetBody() != "" || len(h.GetRawBody()) > 1000 || !slices.Equal(msg.BodySHA256, sum[:]) ||
			msg.Method != h.GetMethod() || msg.Path+msg.Query != h.GetPath() && msg.Path+msg.Query != h.GetPath()+"?" || msg.Authority != h.GetHost() {
			t.Errorf("allowed %v, asked about %+v", h, msg)
		}
		for name, lines := range upstream(t, res, sent) {
			if want := map[string]string{"x-staunch-key": "k", "x-staunch-account": "a"}[name]; claim.MatchString(name) && (want == "" || !slices.Equal(lines, []string{want})) {
				t.Errorf("the upstream gets %s: %q", name, lines)
			}
		}
	})
}
