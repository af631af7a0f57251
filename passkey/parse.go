package passkey

import (
	"encoding/json"

	"github.com/go-webauthn/webauthn/protocol"
)

// assertionJSON is AuthenticationResponseJSON (WebAuthn L3 §5.1.5), as far as a
// Relying Party reads it. Bytes stay text here: the library decodes each of
// them with a JSON parser of its own, which costs more than our whole share.
type assertionJSON struct {
	ID         string          `json:"id"`
	RawID      string          `json:"rawId"`
	Type       string          `json:"type"`
	Attachment string          `json:"authenticatorAttachment"`
	Extensions json.RawMessage `json:"clientExtensionResults"`
	Response   struct {
		ClientDataJSON    string `json:"clientDataJSON"`
		AuthenticatorData string `json:"authenticatorData"`
		Signature         string `json:"signature"`
		UserHandle        string `json:"userHandle"`
	} `json:"response"`
}

// parseAssertion reads a response; the library parses client data and
// authenticator data.
func parseAssertion(response []byte) (*protocol.ParsedCredentialAssertionData, error) {
	var r assertionJSON
	if err := json.Unmarshal(response, &r); err != nil {
		return nil, err
	}
	var car protocol.CredentialAssertionResponse
	car.ID, car.Type, car.AuthenticatorAttachment = r.ID, r.Type, r.Attachment
	for _, field := range []struct {
		text string
		into *protocol.URLEncodedBase64
	}{
		{r.RawID, &car.RawID},
		{r.Response.ClientDataJSON, &car.AssertionResponse.ClientDataJSON},
		{r.Response.AuthenticatorData, &car.AssertionResponse.AuthenticatorData},
		{r.Response.Signature, &car.AssertionResponse.Signature},
		{r.Response.UserHandle, &car.AssertionResponse.UserHandle},
	} {
		b, err := decode(field.text)
		if err != nil {
			return nil, err
		}
		*field.into = b
	}
	if len(r.Extensions) > 0 && string(r.Extensions) != "{}" {
		if err := json.Unmarshal(r.Extensions, &car.ClientExtensionResults); err != nil {
			return nil, err
		}
	}
	return car.Parse()
}
