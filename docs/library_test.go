package docs_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

// genuine is the example of the README, word for word.
func genuine(pemChain, statusList, challenge []byte) error {
	chain, err := android.ParseChain(pemChain)
	if err != nil {
		return err
	}
	list, err := android.ParseStatusList(statusList)
	if err != nil {
		return err
	}
	a, err := android.Verify(chain, &android.Options{
		Roots: android.GoogleRoots(), Status: list, Challenge: challenge,
	}, time.Now())
	var failure *android.Failure
	switch {
	case errors.As(err, &failure):
		return fmt.Errorf("not genuine: %w", failure) // failure.Code says which check
	case err != nil:
		return err // cannot tell
	}
	// Genuine, and not yet acceptable: boot state, app and level are yours to judge.
	fmt.Println(a.Provisioning, a.Description.Level(), a.Description.HardwareEnforced.RootOfTrust)
	return nil
}

// TestLibrary: the README shows the code above, and it does what it says.
func TestLibrary(t *testing.T) {
	source := readFile(t, "docs/library_test.go")
	_, code, ok := strings.Cut(source, "// genuine is the example of the README, word for word.\n")
	code, _, end := strings.Cut(code, "\n}\n")
	if !ok || !end || !strings.Contains(readFile(t, "README.md"), "```go\n"+code+"\n}\n```") {
		t.Error("README.md does not show func genuine of docs/library_test.go")
	}
	if err := genuine([]byte("junk"), []byte(`{"entries":{}}`), nil); !errors.Is(err, android.ErrMalformed) {
		t.Errorf("junk: %v, want ErrMalformed", err)
	}
	ca, err := attesttest.TestAndroidCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	challenge := []byte("challenge")
	key, err := ca.Phone().GenerateKey(time.Now(), challenge)
	if err != nil {
		t.Fatal(err)
	}
	var failure *android.Failure
	err = genuine(bytes.Join(key.Chain(), nil), []byte(`{"entries":{}}`), challenge)
	if !errors.As(err, &failure) || failure.Code != android.CodeRootUnknown {
		t.Errorf("a software phone: %v, want %s", err, android.CodeRootUnknown)
	}
}
