package passkey_test

import (
	"fmt"
	"log"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// A page asks for a passkey and later for a sign-in with it. The software
// authenticator stands for the browser.
func Example() {
	const origin = "https://accounts.example.org"
	rp, err := passkey.New(&passkey.Options{
		App: "demo", RPID: "example.org", Name: "Demo", Origins: []string{origin},
		Policy: passkey.Policy{BackupStateChanged: passkey.Raise, PRFMissing: passkey.Note},
	})
	if err != nil {
		log.Fatal(err)
	}
	page, err := rp.For(passkey.Dialog{Origin: origin})
	if err != nil {
		log.Fatal(err)
	}
	browser, err := passkeytest.New(&passkeytest.Options{Synced: true})
	if err != nil {
		log.Fatal(err)
	}
	user := passkey.User{Account: account.NewID(), Handle: make([]byte, 64)} // random bytes, in earnest

	ceremony, options, err := page.Create(passkey.Enrol, user, nil, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	response, err := browser.Create(options, origin)
	if err != nil {
		log.Fatal(err)
	}
	registration, err := rp.VerifyCreation(ceremony, response, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	row := registration.Stored()

	ceremony, options, err = page.Request(passkey.SignIn, nil, nil, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	if response, err = browser.Get(options, origin); err != nil {
		log.Fatal(err)
	}
	assertion, err := rp.VerifyAssertion(ceremony, user, row, response, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	effect, findings := rp.Policy().Appraise(assertion)
	row = assertion.Next(row) // what is stored
	fmt.Println("synced:", assertion.BackupState, "findings:", len(findings), "refused:", effect == passkey.Refuse, "count:", row.Count)
	// Output: synced: true findings: 0 refused: false count: 0
}
