#!/usr/bin/env bash
# Enrols a software phone with a server that `staunch dev` runs, and looks at
# the key as the app's backend does. Then it shows a phone that is refused.
#
#   staunch dev --dir ~/staunch-demo   # in one terminal
#   examples/enrol.sh ~/staunch-demo   # in another
#
# Needs bash, curl, sed and grep. STAUNCH names the binary, by default "go run
# ./cmd/staunch" from the top of the repository. URL names the server, by default
# the one of which dev has written the address into the folder.
set -euo pipefail

dir=${1:?"usage: $0 DIR, the folder that was given to staunch dev --dir"}
if [ -z "${URL:-}" ] && ! [ -r "$dir/url" ]; then
	echo "$0: there is no $dir/url: start \`staunch dev --dir $dir\` in another terminal, or name its address with URL" >&2
	exit 1
fi
url=${URL:-$(cat "$dir/url")}
staunch=${STAUNCH:-go run ./cmd/staunch}
platform=${PLATFORM:-android}
api=$url/staunch.attest.v1.AttestService
account=${ACCOUNT:-a_demodemodemodemodemodemode}

# member NAME: the first text member of that name in the JSON on standard input.
member() { sed -n 's/.*"'"$1"'": *"\([^"]*\)".*/\1/p' | head -n 1; }

# backend CALL BODY: a call of the app's backend, which has the token. The token
# is given to curl on standard input, so that `ps` does not show it.
backend() {
	printf 'header = "Authorization: Bearer %s"\n' "$(cat "$dir/service.token")" |
		curl -sS --fail-with-body -K - -H 'Content-Type: application/json' -d "$2" "$api/$1" || {
		echo "$0: no good answer from $api/$1: does \`staunch dev --dir $dir\` run there?" >&2
		return 1
	}
}

challenge() {
	backend CreateChallenge '{"account":"'"$account"'","purpose":"PURPOSE_REGISTER"}' | member challenge
}

echo "1. The backend asks for a challenge and hands it to the phone."
challenge=$(challenge)
echo "   $challenge"

echo "2. The phone makes a key over it, and its evidence goes to Register."
body=$($staunch attest sample --platform "$platform" --challenge "$challenge" --account "$account")
answer=$(backend Register "$body")
key=$(member keyId <<<"$answer")
if [ -z "$key" ]; then echo "the server refused the phone: $answer" >&2; exit 1; fi
echo "   $(member decision <<<"$answer"), key $key, evidence $(member evidenceId <<<"$answer")"

echo "3. The backend looks at the key."
record=$(backend GetKey '{"keyId":"'"$key"'"}')
echo "   $(member platform <<<"$record"), $(member algorithm <<<"$record"), $(member state <<<"$record"), $(member tier <<<"$record")"

echo "4. The same evidence again is refused: its challenge is used up."
answer=$(backend Register "$body")
echo "   $(member decision <<<"$answer"), $(member advice <<<"$answer"), $(grep -o '"code": *"[^"]*"' <<<"$answer" | head -n 1 | member code)"

echo "5. Evidence made for another challenge is refused."
challenge=$(challenge)
other=$($staunch attest sample --platform "$platform" --challenge AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA --account "$account")
body=$(sed 's|"challenge": *"[^"]*"|"challenge": "'"$challenge"'"|' <<<"$other")
answer=$(backend Register "$body")
echo "   $(member decision <<<"$answer"), $(member advice <<<"$answer"), $(grep -o '"code": *"[^"]*"' <<<"$answer" | head -n 1 | member code)"
