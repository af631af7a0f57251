package config

import "time"

// App is one app. Whatever belongs to it lies in its own store.
type App struct {
	// Named in calls, in the policy and in the name of the store: a small
	// letter, then 1 to 30 small letters, digits and "-".
	ID string `toml:"id,required"`
	// File with the token that the app's backend sends as
	// "Authorization: Bearer TOKEN" to the attestation service: at least 32
	// characters, of which nobody else may know one. Without it no such call is
	// accepted. Calls about accounts are signed, see backend_public_key_file.
	ServiceTokenFile string `toml:"service_token_file"`
	// File with the secret that the app's keys are derived from, those of stored
	// hashes and of the marks on rows: at least 32 random bytes as text, such as
	// `openssl rand -hex 32` prints. Keep a copy: under another secret no device
	// is recognised again, and every account counts as tampered with.
	RootSecretFile string `toml:"root_secret_file,required"`
	// File with the key that seals the audit record once a minute: Ed25519, PKCS #8,
	// PEM. `staunch config new-key FILE` makes one. Without it nothing is sealed.
	AuditKeyFile string `toml:"audit_key_file,for=rp_id"`
	// Files with audit keys that were replaced, the public half in PEM: seals that
	// they have made still count. No server signs with them.
	AuditPublicKeyFiles []string `toml:"audit_public_key_files"`
	// Domain that the passkeys are bound to, such as "example.org". It can never be
	// changed: under another one no passkey works. With it the app has accounts,
	// and needs all that follows here, each value written. An app without it, and
	// without what follows, has attestation alone.
	RPID string `toml:"rp_id"`
	// What people see in the windows of their phones and in the pages.
	Name string `toml:"name,with=rp_id"`
	// File in data_dir with everything that the app stores.
	Store string `toml:"store,with=rp_id"`
	// Allows waits, holds and windows of under an hour. For demos and tests: with
	// them a thief need not wait, and the owner has no time to notice.
	DangerousShortWaits bool `toml:"dangerous_short_waits,with=rp_id"`
	// Host names of the pages, without port. Signed calls must be made to one of
	// them. No other app has them.
	Hosts []string `toml:"hosts,with=rp_id"`
	// Origins of the pages, as browsers write them. Every host has one.
	Origins []string `toml:"origins,with=rp_id"`
	// Origins of the Android apps: "android:apk-key-hash:" and the base64url of the
	// SHA-256 of the certificate that signs the app. An iOS app has that of rp_id.
	AndroidOrigins []string `toml:"android_origins,with=rp_id"`
	// Whether somebody may sign up in a browser, without a phone.
	AccountsWithoutDevice bool `toml:"accounts_without_device,with=rp_id"`
	// Whether a sign-in may begin with a handle. One that nobody has is answered
	// like one that somebody has.
	ByHandle bool `toml:"by_handle,with=rp_id"`
	// What a synced passkey counts for: "register", "sign_in", "step_up", names of
	// actions, or "all". An empty list refuses synced passkeys.
	SyncedOK []string `toml:"synced_ok,with=rp_id"`
	// What a synced passkey may do on a phone that nobody knows yet: "refuse",
	// "approve" (another device must), or "hold" (it enrols, and cools off).
	SyncedNewDevice string `toml:"synced_new_device,with=rp_id"`
	// File with the public key, in PEM, Ed25519 or P-256, by which the app's backend
	// signs its calls. Without it the backend makes none about accounts.
	BackendPublicKeyFile string `toml:"backend_public_key_file,beside=rp_id,silent"`
	// Where alerts and events are delivered, by https. Without it they are not:
	// the backend polls.
	WebhookURL string `toml:"webhook_url,beside=rp_id,silent"`
	// Logo of the pages: a PNG, WebP or JPEG file of at most 256 KiB.
	LogoFile string `toml:"logo_file,beside=rp_id,silent"`
	// Colour of the pages: "#" and six digits of lower-case hex.
	Colour string `toml:"colour,beside=rp_id,silent"`
	// How long sessions last, and what they are worth meanwhile.
	Session *Session `toml:"session,with=rp_id"`
	// How long new things cool off. Nobody can shorten a hold.
	Hold *Hold `toml:"hold,with=rp_id"`
	// How long actions wait before they happen; the owner is told at once.
	Wait *Wait `toml:"wait,with=rp_id"`
	// What becomes of what is odd about a passkey: "refuse", "raise" (sensitive
	// actions ask for more) or "note".
	Passkey *Passkey `toml:"passkey,with=rp_id"`
	// How often at most, as "N per TIME" or "N per TIME, burst M". Who is above it
	// is told when to try again, and nobody is locked out.
	Limit *AppLimits `toml:"limit,with=rp_id"`
	// How accounts move to a new phone. Without this table, as it stands here.
	Transfer *Transfer `toml:"transfer,beside=rp_id"`
	// Where operators look after the app. Without this table there is no console.
	Console *Console `toml:"console"`
}

// Session says how long sessions last.
type Session struct {
	// How long a sign-in counts for reading and renaming (class Person).
	Person Duration `toml:"person,required"`
	// How long it counts for changes of what protects the account (class Fresh).
	Fresh Duration `toml:"fresh,required"`
	// The same while a risk signal stands, such as a new network.
	Risky Duration `toml:"risky,required"`
	// How long a browser's session lasts, at most "30d".
	Browser Duration `toml:"browser,required"`
	// How long a phone's session lasts.
	Phone Duration `toml:"phone,required"`
	// How long a session lasts that was approved for a TV or somebody else's PC.
	Guest Duration `toml:"guest,required"`
}

// Hold says how long new things cool off.
type Hold struct {
	// A device that was added.
	Add Duration `toml:"add,required"`
	// The account after a recovery.
	Recovery Duration `toml:"recovery,required"`
}

// Wait says how long actions wait.
type Wait struct {
	// A recovery before it may go on.
	Recovery Duration `toml:"recovery,required"`
	// The same for a frozen account.
	RecoveryFrozen Duration `toml:"recovery_frozen,required"`
	// The deletion of an account.
	Delete Duration `toml:"delete,required"`
	// Unfreezing without a device-bound passkey or an active device.
	Unfreeze Duration `toml:"unfreeze,required"`
	// Recovery of somebody who has nothing left, by two operators. "0s" switches it
	// off, and is the only value that this release takes.
	Assisted Duration `toml:"assisted,required"`
}

// Passkey says what becomes of findings, and which models are taken.
type Passkey struct {
	// The counter of a device-bound passkey went back: it may have been copied.
	CounterRegress string `toml:"counter_regress,required"`
	// The same of a synced one, whose counters seldom mean anything.
	CounterRegressSynced string `toml:"counter_regress_synced,required"`
	// It says that it has become one that can be synced, or ceased to be one.
	BackupEligibleChanged string `toml:"backup_eligible_changed,required"`
	// It has been synced since, or is no longer.
	BackupStateChanged string `toml:"backup_state_changed,required"`
	// It cannot wrap a sealing key.
	PRFMissing string `toml:"prf_missing,required"`
	// Its model is not in allow_models, or not in the metadata.
	ModelUnknown string `toml:"model_unknown,required"`
	// Its model is in deny_models, or was revoked or compromised.
	ModelStatus string `toml:"model_status,required"`
	// Nobody trusted says which model it is.
	AttestationUntrusted string `toml:"attestation_untrusted,required"`
	// "none": models do not matter. "direct": authenticators are asked for their
	// model, and some people are asked whether they want that.
	Attestation string `toml:"attestation,required"`
	// AAGUIDs of the models that may be registered; none listed: any.
	AllowModels []string `toml:"allow_models,required"`
	// AAGUIDs of the models that may not.
	DenyModels []string `toml:"deny_models,required"`
	// Metadata of the FIDO Alliance, as downloaded from https://mds3.fidoalliance.org/.
	// Without it nobody vouches for a model, and each is attestation_untrusted.
	MetadataFile string `toml:"metadata_file,silent"`
}

// AppLimits says how often at most.
type AppLimits struct {
	// Ceremonies and joins begun from a network (an IPv4 /24 or IPv6 /48).
	BeginNetwork Limit `toml:"begin_network,required"`
	// Ceremonies and joins begun by a known device.
	BeginDevice Limit `toml:"begin_device,required"`
	// Failed sign-ins and other ceremonies from a network.
	FailedNetwork Limit `toml:"failed_network,required"`
	// The same by a known device.
	FailedDevice Limit `toml:"failed_device,required"`
	// The same at an account from a network.
	FailedAccount Limit `toml:"failed_account,required"`
	// Joins and guest approvals of an account.
	Join Limit `toml:"join,required"`
	// Changes of an account's handle.
	HandleChange Limit `toml:"handle_change,required"`
	// Handles that are found taken: who may ask on could list them.
	HandleTaken Limit `toml:"handle_taken,required"`
	// Approvals that the backend asks of an account.
	AppApproval Limit `toml:"app_approval,required"`
	// Freeze codes tried from a network.
	FreezeCode Limit `toml:"freeze_code,required"`
	// Tickets for the sealing key of an account's own active device.
	RecoveryOpen Limit `toml:"recovery_open,required"`
	// Refusals that are written into an account's audit record.
	AuditRefusal Limit `toml:"audit_refusal,required"`
	// Codes that new phones show from a network, for moves.
	MoveOffer Limit `toml:"move_offer"`
	// Codes that an account's phones scan.
	MoveClaim Limit `toml:"move_claim"`
	// How often each of the two phones asks how a move stands.
	MoveWait Limit `toml:"move_wait"`
	// How often the history of a move begins anew, since it has changed on the old
	// phone. Each time is written down for ever, and what was sent is thrown away.
	MoveRevise Limit `toml:"move_revise"`
}

// HasAccounts reports whether the app has more than attestation.
func (a *App) HasAccounts() bool { return a.RPID != "" }

// StoreFile is the name of the app's store in data_dir.
func (a *App) StoreFile() string {
	if a.Store != "" {
		return a.Store
	}
	return a.ID + ".db"
}

// sampleApp is an app with accounts, and the values to begin with.
func sampleApp() App {
	moves := defaultTransfer()
	d := func(n time.Duration) Duration { return Duration{n} }
	const minute, hour, day = time.Minute, time.Hour, 24 * time.Hour
	return App{
		ID: "demo", ServiceTokenFile: "service.token", RootSecretFile: "root.secret", AuditKeyFile: "audit.key", AuditPublicKeyFiles: []string{},
		RPID: "example.org", Name: "Demo", Store: "demo.db",
		Hosts: []string{"accounts.example.org"}, Origins: []string{"https://accounts.example.org", "https://example.org"}, AndroidOrigins: []string{},
		SyncedOK: []string{"all"}, SyncedNewDevice: "hold",
		BackendPublicKeyFile: "backend.pub", WebhookURL: "https://api.example.org/staunch", LogoFile: "logo.png", Colour: "#1f5fd0",
		Session: &Session{d(day), d(5 * minute), d(minute), d(30 * day), d(180 * day), d(12 * hour)},
		Hold:    &Hold{Add: d(day), Recovery: d(3 * day)},
		Wait:    &Wait{Recovery: d(day), RecoveryFrozen: d(3 * day), Delete: d(7 * day), Unfreeze: d(day)},
		Passkey: &Passkey{
			CounterRegress: "refuse", CounterRegressSynced: "raise", BackupEligibleChanged: "refuse", BackupStateChanged: "raise",
			PRFMissing: "note", ModelUnknown: "refuse", ModelStatus: "refuse", AttestationUntrusted: "refuse",
			Attestation: "none", AllowModels: []string{}, DenyModels: []string{}, MetadataFile: "mds.jwt",
		},
		Transfer: &moves,
		Console:  &Console{Host: "console.example.org", Origin: "https://console.example.org", RPID: "console.example.org"},
		Limit: AppLimits{
			BeginNetwork: Limit{600, d(minute), 1200}, BeginDevice: Limit{30, d(minute), 0},
			FailedNetwork: Limit{20, d(10 * minute), 0}, FailedDevice: Limit{10, d(hour), 0}, FailedAccount: Limit{10, d(hour), 0},
			Join: Limit{10, d(hour), 0}, HandleChange: Limit{5, d(day), 0}, HandleTaken: Limit{5, d(day), 0}, AppApproval: Limit{30, d(hour), 0},
			FreezeCode: Limit{600, d(hour), 0}, RecoveryOpen: Limit{60, d(hour), 0}, AuditRefusal: Limit{60, d(hour), 0},
		}.WithMoves(),
	}
}
