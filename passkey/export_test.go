package passkey

import (
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Foreign makes rp take what the vectors of others need and ours never does:
// any algorithm, no user verification, and frames if there are topOrigins.
func Foreign(rp *RelyingParty, topOrigins ...string) {
	rp.params = append(webauthn.CredentialParametersExtendedL3(),
		protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: -53})
	rp.userVerification = protocol.VerificationPreferred
	rp.library.Config.RPAllowCrossOrigin = len(topOrigins) > 0
	rp.library.Config.RPTopOrigins = topOrigins
}

// Sessions returns the session that the library gave at the begin of a
// ceremony, and the one that is made anew of the row.
func Sessions(rp *RelyingParty, c Ceremony, u User, records []Record, challenge []byte) (given, made webauthn.SessionData, err error) {
	var s *webauthn.SessionData
	if c.Purpose.creates() {
		_, s, err = rp.beginCreation(u, records)
	} else {
		_, s, err = rp.beginRequest(records, challenge)
	}
	if err != nil {
		return given, made, err
	}
	return *s, rp.session(c), nil
}
