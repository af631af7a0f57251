package passkey

// AllAcceptedCredentials is the argument of
// PublicKeyCredential.signalAllAcceptedCredentials. WebAuthn L3 §5.1.10.3
type AllAcceptedCredentials struct {
	RPID                     string   `json:"rpId"`
	UserID                   string   `json:"userId"`
	AllAcceptedCredentialIDs []string `json:"allAcceptedCredentialIds"`
}

// CurrentUserDetails is that of signalCurrentUserDetails. WebAuthn L3 §5.1.10.4
type CurrentUserDetails struct {
	RPID        string `json:"rpId"`
	UserID      string `json:"userId"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

// UnknownCredential is that of signalUnknownCredential. WebAuthn L3 §5.1.10.2
type UnknownCredential struct {
	RPID         string `json:"rpId"`
	CredentialID string `json:"credentialId"`
}

// AllAccepted tells authenticators which passkeys of u are good: accepted holds
// all that are not removed, suspect ones too. Others are hidden or deleted.
func (rp *RelyingParty) AllAccepted(u User, accepted []Record) (AllAcceptedCredentials, error) {
	ids := make([]string, 0, len(accepted)) // [] and not null: no passkey is left
	for _, r := range accepted {
		ids = append(ids, encode(r.ID))
	}
	return AllAcceptedCredentials{RPID: rp.RPID(), UserID: encode(u.Handle), AllAcceptedCredentialIDs: ids}, u.check()
}

// CurrentUser tells authenticators what u is called now.
func (rp *RelyingParty) CurrentUser(u User) (CurrentUserDetails, error) {
	if err := u.check(); err != nil {
		return CurrentUserDetails{}, err
	}
	name := rp.nameOf(u)
	return CurrentUserDetails{RPID: rp.RPID(), UserID: encode(u.Handle), Name: name, DisplayName: name}, nil
}

// Unknown tells the authenticator that a credential is not known here, which
// deletes it for good: only for an ID that no row has, or a removed one.
func (rp *RelyingParty) Unknown(credentialID []byte) UnknownCredential {
	return UnknownCredential{RPID: rp.RPID(), CredentialID: encode(credentialID)}
}
