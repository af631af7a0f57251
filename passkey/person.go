package passkey

import (
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// person is a User as the library knows users.
type person struct {
	rp    *RelyingParty
	user  User
	creds []webauthn.Credential
}

func (rp *RelyingParty) person(u User, creds ...webauthn.Credential) *person {
	return &person{rp, u, creds}
}

func (p *person) WebAuthnID() []byte                         { return p.user.Handle }
func (p *person) WebAuthnName() string                       { return p.rp.nameOf(p.user) }
func (p *person) WebAuthnDisplayName() string                { return p.rp.nameOf(p.user) }
func (p *person) WebAuthnCredentials() []webauthn.Credential { return p.creds }

// nameOf is what system prompts call u: the handle that he chose, or the app
// and the first four characters of the account, so that two can be told apart.
func (rp *RelyingParty) nameOf(u User) string {
	if u.Name != "" {
		return u.Name
	}
	const prefix, most = len("a_"), len("a_") + 4
	return rp.name + " " + string(u.Account[prefix:most])
}

// descriptors name credentials in options.
func descriptors(records []Record) []protocol.CredentialDescriptor {
	var list []protocol.CredentialDescriptor
	for _, r := range records {
		d := protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: slices.Clone(r.ID)}
		for _, t := range r.Transports {
			d.Transport = append(d.Transport, protocol.AuthenticatorTransport(t))
		}
		list = append(list, d)
	}
	return list
}
