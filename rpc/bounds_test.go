package rpc_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
	"github.com/staunchid/staunch/rpc"
)

// leaks are texts that no answer may hold: names of Go types and of what runs
// inside.
func leaks(s string) bool {
	for _, bad := range []string{"attestv1", "staunch/rpc", "unmarshal", "goroutine", ".go:", "panic", "sqlite", "proto:"} {
		if strings.Contains(s, bad) {
			return true
		}
	}
	return false
}

func TestBadRequests(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := io.Copy(z, strings.NewReader(`{"app":"`+strings.Repeat("a", 2*rpc.MaxMessage)+`"}`)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, body   string
		header       []string
		code, reason string
		message      string
	}{
		{"empty", "", nil, "invalid_argument", "REQUEST_MALFORMED", "the body is empty"},
		{"no JSON", "hello", nil, "invalid_argument", "REQUEST_MALFORMED", "invalid value hello"},
		{"cut", `{"app":`, nil, "invalid_argument", "REQUEST_MALFORMED", "unexpected"},
		{"unknown field", `{"appp":"demo"}`, nil, "invalid_argument", "REQUEST_MALFORMED", `unknown field "appp"`},
		{"twice", `{"app":"demo","app":"demo"}`, nil, "invalid_argument", "REQUEST_MALFORMED", "duplicate"},
		{"wrong type", `{"app":1}`, nil, "invalid_argument", "REQUEST_MALFORMED", "invalid value for string"},
		{"unknown name", `{"purpose":"REGISTER"}`, nil, "invalid_argument", "REQUEST_MALFORMED", "invalid value for enum"},
		{"unknown number", `{"purpose":7}`, nil, "invalid_argument", "REQUEST_MALFORMED", "purpose must be"},
		{"no UTF-8", "{\"app\":\"\xff\"}", nil, "invalid_argument", "REQUEST_MALFORMED", "invalid UTF-8"},
		{"too large", `{"app":"` + strings.Repeat("a", rpc.MaxMessage) + `"}`, nil, "resource_exhausted", "REQUEST_TOO_LARGE", "at most 262144"},
		{"too large when unpacked", zipped.String(), []string{"Content-Encoding: gzip"}, "resource_exhausted", "", "larger than configured max"},
		{"deep", strings.Repeat(`{"hints":`, 20000), nil, "invalid_argument", "REQUEST_MALFORMED", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, false, nil)
			a := b.post(t, "CreateChallenge", tt.body, tt.header...)
			if a.Code != tt.code || a.reason() != tt.reason || !strings.Contains(a.Message, tt.message) || leaks(a.body) || len(a.body) > 1000 {
				t.Errorf("%s", a.body)
			}
			if len(b.calls) != 1 || b.calls[0].Code != tt.code || b.calls[0].Reason == "" {
				t.Errorf("observed %+v", b.calls)
			}
			if b.demo.chal != nil {
				t.Error("the service was called")
			}
		})
	}
}

func TestTooLargeWithoutLength(t *testing.T) {
	b := newBench(t, false, nil)
	client := attestv1connect.NewAttestServiceClient(http.DefaultClient, b.URL)
	_, err := client.CreateChallenge(context.Background(), connect.NewRequest(&attestv1.CreateChallengeRequest{App: strings.Repeat("a", 2*rpc.MaxMessage)}))
	if connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("with length: %v", err)
	}
	body := io.MultiReader(strings.NewReader(`{"app":"`), bytes.NewReader(bytes.Repeat([]byte("a"), 2*rpc.MaxMessage)))
	res, err := http.Post(b.URL+attestv1connect.AttestServiceCreateChallengeProcedure, "application/json", struct{ io.Reader }{body})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("without length: status %d", res.StatusCode)
	}
}

func TestUnknownFieldInBinary(t *testing.T) {
	b := newBench(t, false, nil)
	post := func(body []byte) *connect.Error {
		t.Helper()
		client := connect.NewClient[attestv1.RegisterRequest, attestv1.RegisterResponse](http.DefaultClient, b.URL+attestv1connect.AttestServiceRegisterProcedure)
		m := &attestv1.RegisterRequest{Account: someAccount, Hints: &attestv1.Hints{}}
		m.Hints.ProtoReflect().SetUnknown(body)
		_, err := client.CallUnary(context.Background(), connect.NewRequest(m))
		var ce *connect.Error
		if err != nil && !errors.As(err, &ce) {
			t.Fatal(err)
		}
		return ce
	}
	if err := post(nil); err != nil {
		t.Errorf("good: %v", err)
	}
	if err := post([]byte{0x78, 1}); err == nil || err.Code() != connect.CodeInvalidArgument || !strings.Contains(err.Message(), "unknown field 15") {
		t.Errorf("unknown field in hints: %v", err)
	}
}

func TestOutsideTheAPI(t *testing.T) {
	b := newBench(t, false, nil)
	for _, tt := range []struct {
		method, path, typ string
		status            int
		code              string
	}{
		{"POST", "/staunch.attest.v1.AttestService/Nope", "application/json", http.StatusNotFound, "unimplemented"},
		{"GET", attestv1connect.AttestServiceGetKeyProcedure, "", http.StatusMethodNotAllowed, "invalid_argument"},
		{"POST", attestv1connect.AttestServiceGetKeyProcedure, "text/html", http.StatusUnsupportedMediaType, "invalid_argument"},
	} {
		req, err := http.NewRequest(tt.method, b.URL+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", tt.typ)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != tt.status {
			t.Errorf("%s %s: status %d, want %d", tt.method, tt.path, res.StatusCode, tt.status)
		}
		if last := b.calls[len(b.calls)-1]; last.Code != tt.code || last.Reason == "" {
			t.Errorf("%s %s: observed %+v", tt.method, tt.path, last)
		}
	}
}

// FuzzRequest: whatever is sent, the answer is one of the API's and tells
// nothing of the inside.
func FuzzRequest(f *testing.F) {
	f.Add("CreateChallenge", "application/json", []byte(`{"app":"demo","purpose":"PURPOSE_REGISTER"}`))
	f.Add("Register", "application/json", []byte(`{"challenge":"AA","certificateChain":{"certificates":["AA=="]},"hints":{"model":"x"}}`))
	f.Add("Register", "application/proto", []byte{0x0a, 4, 'd', 'e', 'm', 'o', 0x22, 1, 0xa0})
	f.Add("GetKey", "application/grpc-web+proto", []byte{0, 0, 0, 0, 2, 0x12, 0})
	f.Add("GetKey", "application/grpc+json", []byte{0, 0, 0, 0, 2, '{', '}'})
	b := newBench(f, false, nil)
	f.Fuzz(func(t *testing.T, method, typ string, body []byte) {
		if strings.Trim(method, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || strings.ContainsFunc(typ, func(r rune) bool { return r < ' ' || r > '~' }) {
			return
		}
		req, err := http.NewRequest(http.MethodPost, b.URL+"/staunch.attest.v1.AttestService/"+method, bytes.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", typ)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		data, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode >= 500 && res.StatusCode != http.StatusNotImplemented || bytes.Contains(data, []byte("attestv1")) || bytes.Contains(data, []byte("goroutine")) {
			t.Errorf("status %d: %s", res.StatusCode, data)
		}
	})
}
