package appattest_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/attest/appattest"
)

func Example() {
	// What the phone sent at registration, and later with a request. Here it
	// is a software phone under a test CA; in production Roots are AppleRoots().
	object, keyID, trusted := newPhone().attest(), newPhone().credentialID, roots()
	assertion, request := newSigner().assert(), []byte("request")

	challenge := sha256.Sum256([]byte("challenge"))
	att, err := appattest.VerifyAttestation(object, &appattest.Expect{
		ClientDataHash: challenge[:],
		KeyID:          keyID,
		Roots:          trusted,
	}, now)
	if failure := (*appattest.Failure)(nil); errors.As(err, &failure) {
		fmt.Println("not genuine:", failure.Code)
		return
	} else if err != nil {
		fmt.Println("cannot tell:", err)
		return
	}
	// Genuine. Ours?
	ours := sha256.Sum256([]byte("A1B2C3D4E5.com.example.chat"))
	fmt.Println(bytes.Equal(att.RPIDHash, ours[:]), att.Environment)

	// Keep att.KeySPKI, att.RPIDHash and the counter 0. Then, for a request:
	hash := sha256.Sum256(request)
	a, err := appattest.VerifyAssertion(assertion, att.KeySPKI, hash[:])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(bytes.Equal(a.RPIDHash, att.RPIDHash), a.Counter > 0)
	// Output:
	// true production
	// true true
}
