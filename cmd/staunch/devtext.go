package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
)

// announce tells where the server is, and what to do with it. The first line is
// for programs: the address, or one JSON object.
func (c *DevCmd) announce(w io.Writer, url, pages, console, dir string) error {
	demo := ""
	if pages != "" {
		demo = pages + "/demo"
	}
	if c.JSON {
		return json.NewEncoder(w).Encode(struct {
			URL     string `json:"url"`
			Pages   string `json:"pages,omitempty"`
			Console string `json:"console,omitempty"`
			Demo    string `json:"demo,omitempty"`
			Dir     string `json:"dir"`
		}{url, pages, console, demo, dir})
	}
	kept, flag := "kept", "--dir "+quoted(dir)+" "
	if c.Dir == "" {
		kept, flag = "removed at exit; --dir keeps one", "" // the load tool looks for it
	}
	people := ""
	if pages != "" {
		people = fmt.Sprintf(devPeople, pages, demo)
	}
	if console != "" {
		people += fmt.Sprintf(devOperators, console, quoted(program()), quoted(filepath.Join(dir, configName)))
	}
	_, err := fmt.Fprintf(w, devText, url, dir, kept, quoted(filepath.Join(dir, tokenName)), demoAccount, quoted(program()), flag, people)
	return err
}

const devPeople = `
Five minutes in a browser: two phones, three vaults and a thief.
  %[2]s

People sign up, sign in and look after their account in a browser, with a passkey:
  %[1]s/signup
`

const devOperators = `
Operators read how it goes at the console, %[1]s. The first one
is invited by a link that works once:
  %[2]s operator add --config %[3]s --name NAME
`

const devText = `%[1]s

Staunch serves the app "demo" there.
Folder: %[2]s (%[3]s)
It trusts software phones, whose keys are public. Do not use it for real ones.
%[8]s
A phone in the terminal has an account too, and a PIN that brings its key back:
  %[6]s phone enroll --server %[1]s --home ./pixel --name Pixel
  %[6]s phone backup --home ./pixel

Programs try, in another terminal:

  STAUNCH=%[6]s
  API=%[1]s/staunch.attest.v1.AttestService
  TOKEN=$(cat %[4]s)
  ACCOUNT=%[5]s
  call() { curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' "$API/$1" -d "$2"; echo; }

  # The app's backend asks for a challenge and hands it to the phone.
  CHALLENGE=$(call CreateChallenge '{"account":"'$ACCOUNT'","purpose":"PURPOSE_REGISTER"}' |
    sed 's/.*"challenge": *"\([^"]*\)".*/\1/'); echo "$CHALLENGE"

  # A software phone attests a key over it; the answer is the verdict.
  call Register "$("$STAUNCH" attest sample --challenge "$CHALLENGE" --account $ACCOUNT)"

  # The backend looks at the key. KEY_ID is keyId in the answer above.
  call GetKey '{"keyId":"KEY_ID"}'

  # More phones, also bad ones; many at once; health; metrics.
  "$STAUNCH" attest sample --list
  "$STAUNCH" attest load %[7]s--phones 200 --rate 50 --duration 30s
  curl %[1]s/healthz
  curl %[1]s/metrics

Calls are logged here. Ctrl-C stops the server.
`
