package attest

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/internal/der"
)

// maxReceiptAge is how old an ATTEST receipt may be at registration.
const maxReceiptAge = 5 * time.Minute

// attestation verifies an App Attest attestation and appraises it.
func (a *appraisal) attestation(cache *android.Cache) error {
	hash, err := a.bindApple()
	if err != nil {
		return err
	}
	result, err := appattest.VerifyAttestation(a.ev.Object, &appattest.Expect{
		ClientDataHash: hash, KeyID: a.want.KeyID, Roots: a.p.appleRoots, Cache: cache,
	}, a.now)
	if result != nil {
		a.verdict.Chain = appleChain(result.Chain)
	}
	claims := attestationClaims(result)
	if done, err := a.failed(err, claims); done {
		return err
	}
	if a.want.PublicKey != nil && !a.samePublicKey(result.KeyID) {
		a.hard(-1, "apple.key_id_mismatch", "the key is not public_key", claims)
		return nil
	}
	a.appraiseIdentity(claims)
	if app := a.app.apple; app != nil {
		if a.p.genuine == nil && !app.environments[result.Environment] {
			a.find("apple.environment", Reject, "%s", result.Environment)
		}
		a.appraiseExtensions(claims.Apple)
		if app.macOS {
			switch result.ACL {
			case appattest.ACLMatch:
			case appattest.ACLAbsent:
				a.find("apple.acl_missing", Reject, "the leaf has no extension .8.6")
			default:
				a.find("apple.acl_mismatch", Reject, "extension .8.6 is %x", result.ACLValue)
			}
		}
		a.appraiseEmbedded(result, claims.Apple)
	}
	a.appraiseRisk()
	a.conclude(claims)
	return nil
}

// assertion verifies an App Attest assertion and appraises it.
func (a *appraisal) assertion() error {
	hash, err := a.bindApple()
	if err != nil {
		return err
	}
	result, err := appattest.VerifyAssertion(a.ev.Object, a.want.PublicKey, hash)
	claims := assertionClaims(result)
	if done, err := a.failed(err, claims); done {
		return err
	}
	if a.want.KeyID != nil && subtle.ConstantTimeCompare(a.want.KeyID, result.KeyID) != 1 {
		a.hard(-1, "apple.key_id_mismatch", "the key id is not that of public_key", claims)
		return nil
	}
	a.appraiseIdentity(claims)
	if a.app.apple != nil {
		a.appraiseExtensions(claims.Apple)
	}
	if result.Counter <= a.want.Counter {
		a.find("apple.counter_replay", Reject, "counter %d, stored %d", result.Counter, a.want.Counter)
	}
	a.appraiseRisk()
	a.conclude(claims)
	return nil
}

// receipt verifies a receipt that stands alone and appraises it.
func (a *appraisal) receipt() error {
	result, err := appattest.VerifyReceipt(a.ev.Object, a.p.appleRoots)
	claims := receiptClaims(result, a.ev.Object)
	var rpIDHash []byte
	if result != nil {
		a.verdict.Chain = appleChain(result.Chain)
		rpIDHash = claims.Apple.RPIDHash
	}
	if err := a.chooseApp(func(app *appPolicy) bool { return app.apple.appID(rpIDHash) != "" }); err != nil {
		return err
	}
	if done, err := a.failed(err, claims); done {
		return err
	}
	if !a.ours(result.AppID) {
		a.hard(-1, "apple.receipt_app", fmt.Sprintf("the receipt is for %q", result.AppID), claims)
		return nil
	}
	if a.want.PublicKey != nil && !a.samePublicKey(result.KeyID) || a.want.KeyID != nil && !bytes.Equal(a.want.KeyID, result.KeyID) {
		a.hard(-1, "apple.receipt_key", "the receipt is for another key", claims)
		return nil
	}
	if a.p.genuine != nil && a.want.AppID == "" {
		a.find("common.app_not_checked", Note, "no app id was given")
	}
	if app := a.app.apple; app == nil {
		a.find("common.platform_refused", Reject, "app %q has no [app.apple]", a.app.id)
	} else if a.p.genuine == nil && !app.environments[result.Environment] {
		a.find("apple.environment", Reject, "%s", result.Environment)
	}
	if a.now.After(result.Expiration) {
		a.find("apple.receipt_expired", Reject, "expired on %s", result.Expiration.UTC().Format(time.RFC3339))
	}
	if result.RiskMetric == nil {
		a.find("apple.risk_unavailable", Note, "a receipt of type %s without a metric", result.Type)
	} else {
		a.hold(RiskMetric, uint64(*result.RiskMetric))
	}
	a.appraiseRisk()
	a.conclude(claims)
	return nil
}

// bindApple picks the app, which says how it hashes, and returns the client
// data hash that an attestation or an assertion must be made over.
func (a *appraisal) bindApple() ([]byte, error) {
	rpIDHash := peekRPIDHash(a.ev.Object)
	if err := a.chooseApp(func(app *appPolicy) bool { return app.apple.appID(rpIDHash) != "" }); err != nil {
		return nil, err
	}
	hash := a.want.clientDataHash(a.app.apple != nil && a.app.apple.raw)
	if hash == nil {
		return nil, expectError(fmt.Sprintf("%s cannot be checked without a challenge, client data or their hash", a.ev.Format))
	}
	return hash, nil
}

// failed deals with the error of a format: a Failure, or client data of another
// challenge, is a hard finding; anything else "cannot tell". done says that the
// appraisal ends here.
func (a *appraisal) failed(err error, claims *Claims) (done bool, out error) {
	var failure *appattest.Failure
	switch {
	case errors.As(err, &failure):
		a.hard(failure.Position, "apple."+failure.Code, failure.Detail, claims)
		return true, nil
	case err != nil:
		return true, notReadable(err)
	case !a.want.boundToChallenge():
		a.hard(-1, "common.challenge_mismatch", "the client data's challenge is another one", claims)
		return true, nil
	}
	return false, nil
}

// samePublicKey compares a key id with that of the expected public key.
func (a *appraisal) samePublicKey(keyID []byte) bool {
	id, err := appattest.KeyID(a.want.PublicKey)
	return err == nil && subtle.ConstantTimeCompare(id, keyID) == 1
}

// appID returns the app's id whose hash this is, or "".
func (app *appleApp) appID(rpIDHash []byte) string {
	if app == nil {
		return ""
	}
	for _, id := range app.appIDs {
		if hashes(id, rpIDHash) {
			return id
		}
	}
	return ""
}

func hashes(appID string, rpIDHash []byte) bool {
	sum := sha256.Sum256([]byte(appID))
	return subtle.ConstantTimeCompare(sum[:], rpIDHash) == 1
}

// ours reports whether a receipt's app id is the expected one and the policy's.
func (a *appraisal) ours(appID string) bool {
	if a.want.AppID != "" && a.want.AppID != appID {
		return false
	}
	return a.p.genuine != nil || a.app.apple == nil || slices.Contains(a.app.apple.appIDs, appID)
}

// appraiseIdentity judges rpIdHash: the expected app id, and the policy's.
func (a *appraisal) appraiseIdentity(claims *Claims) {
	c := claims.Apple
	expected := a.want.AppID != "" && hashes(a.want.AppID, c.RPIDHash)
	if expected {
		c.AppID = a.want.AppID
	}
	if a.want.AppID != "" && !expected {
		a.find("apple.app_id_mismatch", Reject, "rpIdHash %x is not that of %s", c.RPIDHash, a.want.AppID)
		return
	}
	if a.p.genuine != nil {
		if !expected {
			a.find("common.app_not_checked", Note, "no app id was given")
		}
		return
	}
	if a.app.apple == nil {
		a.find("common.platform_refused", Reject, "app %q has no [app.apple]", a.app.id)
		return
	}
	id := a.app.apple.appID(c.RPIDHash)
	if id == "" {
		a.find("apple.app_id_mismatch", Reject, "rpIdHash %x is that of none of the app's bundle ids", c.RPIDHash)
		return
	}
	c.AppID = id
}

// appraiseExtensions judges what iOS 27 writes, and what earlier systems do not.
func (a *appraisal) appraiseExtensions(c *AppleClaims) {
	app := a.app.apple
	if c.ValidationCategory == nil {
		a.find("apple.category_missing", app.missingCategory, "no validation category is written")
	} else if a.p.genuine == nil && !app.categories[*c.ValidationCategory] {
		a.find("apple.category_refused", Reject, "category %d", *c.ValidationCategory)
	}
	if v := c.BundleVersion; v != nil && len(app.bundleVersions) > 0 && !app.bundleVersions[*v] {
		a.find("apple.bundle_version", Reject, "bundle version %q", *v)
	}
	if len(c.ExtensionsUnknown) > 0 {
		a.find("apple.extension_unknown", Note, "%s", abridged(c.ExtensionsUnknown))
	}
}

// appraiseEmbedded judges the receipt inside an attestation; the policy says
// what its findings do.
func (a *appraisal) appraiseEmbedded(att *appattest.Attestation, c *AppleClaims) {
	effect := a.app.apple.receipt
	if att.Receipt == nil {
		a.find("apple.receipt_missing", effect, "the attestation holds no receipt")
		return
	}
	r, err := appattest.VerifyReceipt(att.Receipt, a.p.appleRoots)
	if err != nil {
		a.find("apple.receipt_invalid", effect, "%v", err)
		return
	}
	c.addReceipt(r, att.Receipt)
	if !hashes(r.AppID, att.RPIDHash) {
		a.find("apple.receipt_app", effect, "the receipt is for %q", r.AppID)
	}
	if subtle.ConstantTimeCompare(r.KeyID, att.KeyID) != 1 {
		a.find("apple.receipt_key", effect, "the receipt is for another key")
	}
	if a.now.After(r.Expiration) {
		a.find("apple.receipt_expired", effect, "expired on %s", r.Expiration.UTC().Format(time.RFC3339))
	} else if age := a.now.Sub(r.CreationTime); age > maxReceiptAge {
		a.find("apple.receipt_stale", effect, "made %s ago", age.Round(time.Second))
	}
}

// appleChain describes the certificates as they were sent.
func appleChain(certs []*x509.Certificate) []Certificate {
	chain := make([]Certificate, 0, len(certs))
	for _, c := range certs {
		spki := sha256.Sum256(c.RawSubjectPublicKeyInfo)
		chain = append(chain, Certificate{
			der.FormatName(c.RawSubject), der.Serial(c.SerialNumber.Bytes()), timeOrNil(c.NotBefore), timeOrNil(c.NotAfter), hex.EncodeToString(spki[:]),
		})
	}
	return chain
}
