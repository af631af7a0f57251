package attest

import (
	"slices"
)

// Code is a row of the table of findings: what a code says, for people. Codes
// are never reused.
type Code struct {
	Name    string // with the platform: "android.ca_bit"
	Class   Class
	Hard    bool   // raised in verification: nothing of the evidence may be believed
	Effect  Effect // under every policy file; empty: the policy decides, by Key
	Key     string // of the policy, that the finding is about or that decides; empty: none
	Meaning string // what was found
	Advice  string // what to do about it
}

// LookupCode finds a row of the table.
func LookupCode(name string) (Code, bool) {
	i := slices.IndexFunc(codes[:], func(c Code) bool { return c.Name == name })
	if i < 0 {
		return Code{}, false
	}
	return codes[i], true
}

// Codes returns the table of findings, in order.
func Codes() []Code { return slices.Clone(codes[:]) }

// classOf is the class of a code that this package raises.
func classOf(name string) Class {
	c, ok := LookupCode(name)
	if !ok {
		panic("attest: code without a row: " + name) // a test raises every code
	}
	return c.Class
}

const (
	adviceForged = "Refuse. The evidence was forged or altered."
	adviceNewKey = "Let the app make a new key and attest again."
	adviceReport = "Nothing: kept for statistics."
	adviceScoped = "A phone that deserves a scoped exception, if it is one of a known model. Otherwise refuse."
)

var codes = [...]Code{
	{"common.challenge_mismatch", Abuse, true, Reject, "", "The evidence was made for another challenge or other client data.", "Refuse. A replay, or the app hashes something else than the server: see client_data."},
	{"common.challenge_unknown", Abuse, true, Reject, "", "The challenge was not issued for this app, account and purpose.", "Refuse. Let the app ask for a challenge first."},
	{"common.challenge_used", Abuse, true, Reject, "", "The challenge was used before.", "Refuse. A replay, or a retry after an answer was lost: ask GetKey for the key's id, or for a new challenge."},
	{"common.challenge_expired", Honest, true, Reject, "app.challenge_lifetime", "The challenge is older than challenge_lifetime.", "Let the app ask for a new challenge."},
	{"common.challenge_not_checked", PolicyClass, false, Note, "", "No challenge was given to compare with.", "Give --challenge: without it a replay passes."},
	{"common.app_not_checked", PolicyClass, false, Note, "", "No app identity was given to compare with.", "Give --policy or --app-id: without it every app in the world passes."},
	{"common.key_exists", Abuse, false, Reject, "", "The key is registered to another account.", "Refuse. One key belongs to one account."},
	{"common.account_mismatch", Abuse, false, Reject, "", "The key belongs to another account than the one that is named.", "Refuse."},
	{"common.key_revoked", Abuse, false, Reject, "", "The key has been revoked.", "Refuse. " + adviceNewKey},
	{"common.key_unknown", PolicyClass, true, Reject, "", "There is no key with this id.", "Let the app register first."},
	{"common.key_not_attested", PolicyClass, false, Reject, "", "The key was superseded, or let in without a good verdict.", adviceNewKey},
	{"common.key_too_old", PolicyClass, false, Reject, "app.max_key_age", "The key was registered longer ago than max_key_age.", adviceNewKey},
	{"common.key_algorithm", PolicyClass, false, Reject, "app.request_algorithms", "The key's algorithm is not one that requests may be signed with.", "Let the app make a key of another algorithm, or add it to request_algorithms."},
	{"common.platform_refused", PolicyClass, false, Reject, "app", "The policy has no table for this platform.", "Add [app.android] or [app.apple] to the app, if it is meant to run there."},
	{"common.signature_missing", Abuse, true, Reject, "", "The request holds no signature with the tag staunch-v1.", "Refuse. Not our app, or a call that the app forgot to sign."},
	{"common.signature_invalid", Abuse, true, Reject, "", "The request is not signed by this key.", "Refuse. Altered on the way, or the app and its backend see another method, host, path or query."},
	{"common.request_components", Abuse, true, Reject, "route", "The signature does not cover what it must, or the path can be read in two ways.", "Refuse. An altered request, or an app older than the route's demands."},
	{"common.request_digest", Abuse, true, Reject, "", "The body's Content-Digest is missing, wrong or not covered.", "Refuse. An altered body, or something on the way that encodes it anew."},
	{"common.request_params", Abuse, true, Reject, "route", "A member of the body that the route names is missing, or there more than once.", "Refuse. Two readers of such a body could read two amounts."},
	{"common.request_nonce", Abuse, true, Reject, "route", "The nonce has the wrong form, or is no open challenge of the server where the route demands one.", "Refuse. Let the app ask for a challenge, where the route demands it, and use each once."},
	{"common.request_replay", Abuse, false, Reject, "", "The nonce was used before with this key.", "Refuse. A replay, or a retry that was not signed anew."},
	{"common.request_clock", Honest, true, Reject, "request", "The request was made too long ago, or in the future.", "Let the app correct its clock by server_time and sign anew."},
	{"common.risk", PolicyClass, false, "", "risk", "A risk rule of the policy fired.", "A hint, not proof: ask for more, or look closer."},
	{"common.exception_used", PolicyClass, false, Note, "exception", "An exception of the policy relaxed a check.", adviceReport},
	{"common.exception_inactive", PolicyClass, false, Note, "exception", "An exception would have relaxed a check, but is outside its time or above its cap.", "Extend or remove it."},

	{"android.chain_length", Abuse, true, Reject, "", "The chain has another number of certificates than its kind of provisioning gives.", adviceForged},
	{"android.software_root", Environment, true, Reject, "", "The chain ends in the AOSP software root, whose private key is public.", "An emulator, or a phone without a hardware key store. Refuse in production."},
	{"android.root_unknown", Abuse, true, Reject, "android.dangerous_extra_roots", "The chain ends in no key of Google's.", adviceForged},
	{"android.root_missing", Honest, false, "", "app.android.profile", "The app left out the root; the last certificate is signed by a key of Google's.", "Let the app send the chain as the key store returns it. " + adviceScoped},
	{"android.chain_extended", Abuse, true, Reject, "", "An attested key signed a certificate of its own.", adviceForged},
	{"android.kd_missing", Abuse, true, Reject, "", "The leaf holds no KeyDescription: it attests nothing.", adviceForged},
	{"android.issuer_name", Honest, false, "", "app.android.profile", "An issuer's name is not the subject of the certificate above.", adviceScoped},
	{"android.signature_algorithm", Abuse, true, Reject, "", "A certificate is signed with an algorithm or a key that phones do not use.", adviceForged},
	{"android.signature", Abuse, true, Reject, "", "A certificate's signature is wrong.", adviceForged},
	{"android.cert_not_yet_valid", Honest, true, Reject, "", "An issuer's certificate is not valid yet.", "Look at the server's clock. " + adviceNewKey},
	{"android.cert_expired", Honest, false, "", "app.android.profile", "An issuer's certificate has expired.", "With remote provisioning: " + adviceNewKey + " Of a factory chain: phones cannot get a newer one."},
	{"android.revoked", Abuse, true, Reject, "", "Google has revoked a certificate of the chain.", "Refuse. The attestation key leaked: anybody can sign with it."},
	{"android.kd_malformed", Honest, true, Reject, "", "The KeyDescription cannot be read.", "Keep the evidence and report it: a fault of the phone, or a new shape."},
	{"android.status_unavailable", PolicyClass, false, Reject, "android.revocation", "There is no revocation list.", "Give --status-list on the command line. A server downloads the list from status_list_url, or reads status_list_file: its log says what is wrong. Without a list a leaked key passes."},
	{"android.status_stale", PolicyClass, false, "", "android.revocation", "The revocation list is old.", "Fetch it again, and look at what should have. The phone is not at fault."},
	{"android.suspended", PolicyClass, false, "", "android.revocation.suspended", "Google has suspended a certificate of the chain.", "As the policy says."},
	{"android.status_value", PolicyClass, false, Warn, "", "The revocation list gives a certificate a status that this release does not know.", "Look for a newer release."},
	{"android.leaf_validity", Honest, false, "", "app.android.profile", "The leaf is outside its own dates, which the phone writes.", adviceScoped},
	{"android.ca_bit", Honest, false, "", "app.android.profile", "An issuer's certificate does not say that it is a CA.", adviceScoped},
	{"android.key_cert_sign", Honest, false, "", "app.android.profile", "An issuer's key usage does not include signing certificates.", adviceScoped},
	{"android.path_length", Honest, false, "", "app.android.profile", "An issuer's path length is shorter than the chain.", adviceScoped},
	{"android.critical_extension", Honest, false, "", "app.android.profile", "A certificate holds a critical extension that nobody here knows.", adviceScoped},
	{"android.cert_encoding", Honest, false, "", "app.android.profile", "A certificate is not quite DER.", adviceScoped},
	{"android.kd_encoding", Honest, false, Note, "", "The KeyDescription is not quite DER.", adviceReport},
	{"android.kd_field_unusable", Honest, false, Note, "", "A field of the KeyDescription is of a wrong type and counts as absent.", adviceReport},
	{"android.kd_unknown_tag", PolicyClass, false, Note, "", "The KeyDescription holds a tag that this release does not know.", "Look for a newer release."},
	{"android.kd_version_unknown", PolicyClass, false, Note, "", "The KeyDescription has a version that this release does not know.", "Look for a newer release."},
	{"android.provisioning_unknown", Honest, false, Warn, "", "The chain is neither a factory chain nor one of remote provisioning.", "Keep the evidence and report it."},
	{"android.rkp_info_unreadable", Honest, false, Note, "", "The provisioning info of the batch certificate cannot be read.", adviceReport},
	{"android.level_software", Environment, false, Reject, "", "The key, or its attestation, is made in software.", "Refuse. The key can be copied off the phone."},
	{"android.level_mismatch", Environment, false, Reject, "", "Key store and attester run at different levels.", "Refuse. The claims of the weaker one count for nothing."},
	{"android.level_unproven", Abuse, false, Reject, "", "The level that the key claims is not the level that its chain is for.", adviceForged},
	{"android.level_too_low", PolicyClass, false, Reject, "app.android.min_level", "The level is below min_level.", "Refuse, or lower min_level."},
	{"android.origin", Abuse, false, Reject, "", "The key was not generated in the key store.", "Refuse. Somebody else may hold a copy."},
	{"android.purpose", PolicyClass, false, Reject, "", "The key cannot sign, or may attest other keys.", "Let the app make a key with PURPOSE_SIGN alone."},
	{"android.all_applications", Abuse, false, Reject, "", "The key may be used by every app on the phone.", "Refuse."},
	{"android.boot_missing", Environment, false, Reject, "", "The hardware says nothing of the boot chain.", "Refuse. The system may have been replaced."},
	{"android.boot_unlocked", Environment, false, "", "app.android.boot", "The boot loader is unlocked.", "The owner can lock it again, which erases the phone."},
	{"android.boot_state", Environment, false, "", "app.android.boot", "The system was not verified with a key that is trusted.", "A rooted or self-built system. List its boot key, or refuse."},
	{"android.boot_key_zero", Environment, false, Warn, "", "The boot state is verified, and the verified boot key all zero.", "Good phones do this. Watch."},
	{"android.app_missing", Honest, false, Reject, "", "The key store could not say which app made the key.", "Ask the owner to restart the phone."},
	{"android.app_package", Abuse, false, Reject, "app.android.packages", "The key was made by another app.", "Refuse. A repackaged or cloned app, or a package that is missing in the policy."},
	{"android.app_signer", Abuse, false, Reject, "app.android.packages", "The app was signed by somebody else.", "Refuse. A repackaged app, or a signer that is missing in the policy."},
	{"android.app_version", PolicyClass, false, Reject, "app.android.packages", "The app is older than min_version_code.", "Ask the owner to update the app."},
	{"android.os_version", Environment, false, Reject, "app.android.min_os_version", "The system is older than min_os_version.", "Ask the owner to update the system."},
	{"android.patch_old", Environment, false, Reject, "app.android.patch_floor", "A patch level is older than the policy's floor.", "Ask the owner to update the system."},
	{"android.patch_missing", Honest, false, Reject, "app.android.patch_floor", "The policy has a floor for a patch level that the phone does not state.", "Many phones write 0. Lower the floor, or refuse."},
	{"android.patch_future", Environment, false, Warn, "", "A patch level lies more than 31 days ahead.", "Look at the server's clock. Otherwise a self-built system."},
	{"android.webauthn_auth_data", Abuse, true, Reject, "", "The authenticator data cannot be read.", adviceForged},
	{"android.webauthn_signature", Abuse, true, Reject, "", "The attestation signature is wrong.", adviceForged},
	{"android.webauthn_key", Abuse, true, Reject, "", "The credential's key is not the attested key.", adviceForged},
	{"android.rp_id", Abuse, false, Reject, "app.android.rp_ids", "The credential was made for another relying party.", "Refuse, or add the RP ID to rp_ids."},

	{"apple.chain_length", Abuse, true, Reject, "", "The chain is not a leaf and Apple's CA 1.", adviceForged},
	{"apple.root_unknown", Abuse, true, Reject, "apple.dangerous_extra_roots", "CA 1 is not signed by Apple's root.", adviceForged},
	{"apple.signature", Abuse, true, Reject, "", "The leaf is not signed by CA 1.", adviceForged},
	{"apple.ca_constraints", Abuse, true, Reject, "", "CA 1 may not sign certificates, or the names do not chain.", adviceForged},
	{"apple.cert_time", Honest, true, Reject, "", "A certificate is not valid at this time.", "Verify attestations when they arrive. " + adviceNewKey},
	{"apple.nonce_missing", Abuse, true, Reject, "", "The leaf holds no nonce.", adviceForged},
	{"apple.nonce_mismatch", Abuse, true, Reject, "app.apple.client_data", "The attestation was made for another challenge or other client data.", "Refuse. A replay, or the app hashes something else than the server: see client_data."},
	{"apple.auth_data", Abuse, true, Reject, "", "The authenticator data cannot be read.", adviceForged},
	{"apple.trailing_data", Abuse, true, Reject, "", "Something unknown follows the authenticator data.", adviceForged},
	{"apple.extension_malformed", Abuse, true, Reject, "", "A known extension is of a wrong type.", adviceForged},
	{"apple.key_id_mismatch", Abuse, true, Reject, "", "The key is not the one that the app named.", adviceForged},
	{"apple.credential_id_mismatch", Abuse, true, Reject, "", "The credential is not that of the attested key.", adviceForged},
	{"apple.cose_key_mismatch", Abuse, true, Reject, "", "The credential's key is not the attested key.", adviceForged},
	{"apple.counter_not_zero", Abuse, true, Reject, "", "The key was used before it was attested.", adviceForged},
	{"apple.aaguid_unknown", Abuse, true, Reject, "", "The attestation is of neither of Apple's environments.", adviceForged},
	{"apple.assertion_signature", Abuse, true, Reject, "", "The assertion is not signed by this key over this client data.", "Refuse. An altered request, or the wrong public key."},
	{"apple.app_id_mismatch", Abuse, false, Reject, "app.apple.bundle_ids", "The key was made by another app.", "Refuse. A foreign app, or a bundle id that is missing in the policy."},
	{"apple.environment", PolicyClass, false, Reject, "app.apple.environments", "The environment is not one of the policy's.", "A development build. Add the environment to the policy of test systems only."},
	{"apple.category_refused", Abuse, false, Reject, "app.apple.categories", "The app came to the device in a way that the policy does not allow.", "Refuse. A side-loaded or test build, or a category that is missing in the policy."},
	{"apple.category_missing", PolicyClass, false, "", "app.apple.missing_category", "No validation category is written: iOS 26 and earlier write none.", "As the policy's missing_category says."},
	{"apple.bundle_version", PolicyClass, false, Reject, "app.apple.bundle_versions", "The bundle version is not one of the policy's.", "Ask the owner to update the app."},
	{"apple.acl_missing", Environment, false, Reject, "app.apple.platform", "The key has no access control list.", "Refuse on macOS: nothing is known of its security settings."},
	{"apple.acl_mismatch", Environment, false, Reject, "app.apple.platform", "The Mac does not run with full security and system integrity protection.", "Refuse, or ask the owner to switch them on."},
	{"apple.extension_unknown", PolicyClass, false, Note, "", "The authenticator data holds an extension that this release does not know.", "Look for a newer release."},
	{"apple.counter_replay", Abuse, false, Reject, "app.apple.counter_window", "The counter is not greater than the stored one.", "Refuse. A replay."},
	{"apple.receipt_missing", PolicyClass, false, "", "app.apple.receipt", "The attestation holds no receipt.", "No risk metric can be had for this key."},
	{"apple.receipt_invalid", Abuse, false, "", "app.apple.receipt", "The receipt's signature, chain or fields are wrong.", adviceForged},
	{"apple.receipt_app", Abuse, false, "", "app.apple.receipt", "The receipt is for another app.", adviceForged},
	{"apple.receipt_key", Abuse, false, "", "app.apple.receipt", "The receipt is for another key.", adviceForged},
	{"apple.receipt_expired", Honest, false, "", "app.apple.receipt", "The receipt has expired.", adviceNewKey},
	{"apple.receipt_stale", Honest, false, "", "app.apple.receipt", "The receipt was made more than five minutes before.", "Register a key when it is attested. Look at the server's clock."},
	{"apple.risk_unavailable", Honest, false, Note, "", "There is no risk metric yet.", adviceReport},
}
