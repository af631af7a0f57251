package passkey

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// AAGUID names a model of authenticator. It is the authenticator's own word
// unless its attestation was verified.
type AAGUID [16]byte

// String writes a as a UUID.
func (a AAGUID) String() string {
	t := hex.EncodeToString(a[:])
	return t[:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20] + "-" + t[20:]
}

// ParseAAGUID reads a UUID, in lower case and with hyphens.
func ParseAAGUID(text string) (AAGUID, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != 16 || AAGUID(b).String() != text {
		return AAGUID{}, fmt.Errorf("passkey: %.40q is no AAGUID; want the form 00000000-0000-0000-0000-000000000000", text)
	}
	return AAGUID(b), nil
}

// Provider names who keeps the passkeys of a model, for people: "iCloud
// Keychain (unverified)". Anybody can claim an AAGUID, hence the word, which is
// left out when attested. An unknown model has no name.
func Provider(model AAGUID, attested bool) string {
	name := providers()[model.String()]
	if name == "" || attested {
		return name
	}
	return name + " (unverified)"
}

// providers are facts that their makers have published.
func providers() map[string]string {
	return map[string]string{
		"fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "iCloud Keychain",
		"dd4ec289-e01d-41c9-bb89-70fa845d4bf2": "iCloud Keychain (managed)",
		"ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4": "Google Password Manager",
		"adce0002-35bc-c60a-648b-0b25f1f05503": "Chrome on Mac",
		"b5397666-4885-aa6b-cebf-e52262a439a2": "Chromium",
		"771b48fd-d3d4-4f74-9232-fc157ab0507a": "Edge on Mac",
		"08987058-cadc-4b81-b6e1-30de50dcbe96": "Windows Hello",
		"9ddd1817-af5a-4672-a2b9-3e3dd95000a9": "Windows Hello",
		"6028b017-b1d4-4c02-b4b3-afcdafc96bb2": "Windows Hello",
		"53414d53-554e-4700-0000-000000000000": "Samsung Pass",
		"bada5566-a7aa-401f-bd96-45619a55120d": "1Password",
		"d548826e-79b4-40a3-a3d8-11116f7e8349": "Bitwarden",
		"531126d6-e717-415c-9320-3d9aa6981239": "Dashlane",
		"b84e4048-15dc-4dd0-8640-f4f60813c8af": "NordPass",
		"0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6": "Keeper",
		"f3809540-7f14-49c1-a8b3-8f813b225541": "Enpass",
		"fdb141b2-5d84-443e-8a35-4698c205a502": "KeePassXC",
		"50726f74-6f6e-5061-7373-50726f746f6e": "Proton Pass",
	}
}
