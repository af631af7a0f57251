-- What all migrations come to; written by the tests with -update.

CREATE TABLE account (
	id          TEXT PRIMARY KEY,
	handle      TEXT NOT NULL, -- as it is shown; empty: none
	handle_key  TEXT UNIQUE,   -- folded; NULL: none
	user_handle BLOB NOT NULL UNIQUE CHECK (length(user_handle) = 64),
	state       TEXT NOT NULL,
	prior       TEXT NOT NULL, -- state before it was frozen or locked; empty: none
	hold_reason TEXT NOT NULL, -- empty: it is not held
	hold_since  INTEGER,
	hold_until  INTEGER,          -- NULL: no hold, or its clock is stopped
	hold_left   INTEGER NOT NULL, -- what was left when it was stopped; nanoseconds, unlike times
	hold_by     TEXT NOT NULL,
	not_before  INTEGER,
	freeze_code BLOB, -- SHA-256; NULL: none
	created_at  INTEGER NOT NULL,
	mac         BLOB NOT NULL     -- no row without one
) STRICT, WITHOUT ROWID;

CREATE INDEX account_due ON account (hold_until) WHERE hold_until IS NOT NULL;

CREATE INDEX account_freeze_code ON account (freeze_code) WHERE freeze_code IS NOT NULL;

CREATE TABLE alert (
	account TEXT NOT NULL,
	seq     INTEGER NOT NULL CHECK (seq > 0),
	kind    TEXT NOT NULL,
	device  TEXT NOT NULL,
	cause   TEXT NOT NULL, -- the device that is not told; empty: all are
	session TEXT NOT NULL,
	data    BLOB NOT NULL,
	at      INTEGER NOT NULL,
	PRIMARY KEY (account, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX alert_at ON alert (at);

CREATE TABLE alert_seen (
	account TEXT NOT NULL,
	reader  TEXT NOT NULL, -- a device or a session; empty: up to here alerts were deleted, and no number comes again
	seq     INTEGER NOT NULL,
	PRIMARY KEY (account, reader)
) STRICT, WITHOUT ROWID;

CREATE TABLE app_meta (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	app    TEXT NOT NULL,
	schema INTEGER NOT NULL
) STRICT;

CREATE TABLE approval (
	id         TEXT PRIMARY KEY,
	account    TEXT NOT NULL,
	action     TEXT NOT NULL,
	params     BLOB, -- the bytes that will be executed
	text       TEXT NOT NULL,
	nonce      BLOB,
	challenge  BLOB,
	need       TEXT NOT NULL, -- a class
	created_by BLOB NOT NULL, -- JSON: kind, device, session
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	state      TEXT NOT NULL,
	proof      BLOB, -- JSON; once it is confirmed
	ended_at   INTEGER,
	mac        BLOB NOT NULL
) STRICT;

CREATE INDEX approval_expires ON approval (expires_at);

CREATE INDEX approval_open ON approval (account, created_at) WHERE state = 'open';

CREATE TABLE attest_challenge (
	hash       BLOB PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256 of the challenge
	account    TEXT NOT NULL,                              -- empty before sign-up
	purpose    TEXT NOT NULL,
	issued_at  INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	used_at    INTEGER                                     -- NULL: open
) STRICT, WITHOUT ROWID;

CREATE INDEX attest_challenge_expires ON attest_challenge (expires_at);

CREATE TABLE attest_document (
	digest   TEXT PRIMARY KEY, -- "sha256:" and hex of body
	kind     TEXT NOT NULL,
	body     BLOB NOT NULL,
	at       INTEGER NOT NULL, -- when it was first in force
	in_force INTEGER NOT NULL CHECK (in_force IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX attest_document_in_force ON attest_document (kind) WHERE in_force = 1;

CREATE TABLE attest_evidence (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL,
	key_id  TEXT NOT NULL, -- no reference: denied evidence may name a key that is not there
	at      INTEGER NOT NULL,
	until   INTEGER NOT NULL,
	verdict BLOB NOT NULL,
	bundle  BLOB           -- NULL: must not be kept
) STRICT;

CREATE INDEX attest_evidence_until ON attest_evidence (until);

CREATE TABLE attest_exception_use (
	exception TEXT NOT NULL,
	day       INTEGER NOT NULL, -- days since 1970 UTC
	account   BLOB NOT NULL,    -- keyed hash, or empty
	uses      INTEGER NOT NULL,
	PRIMARY KEY (exception, day, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX attest_exception_use_day ON attest_exception_use (day);

CREATE TABLE attest_job (
	name     TEXT PRIMARY KEY,
	target   TEXT NOT NULL,    -- what it works towards: the digest of a revocation list
	cursor   TEXT NOT NULL,    -- the last element that is done; empty: none
	changed  INTEGER NOT NULL, -- how many elements it has changed
	began    INTEGER NOT NULL,
	finished INTEGER           -- NULL: it goes on
) STRICT, WITHOUT ROWID;

CREATE TABLE attest_key (
	id            TEXT PRIMARY KEY,
	account       TEXT NOT NULL,
	platform      TEXT NOT NULL,
	spki          BLOB NOT NULL,
	algorithm     TEXT NOT NULL,
	app_id        TEXT NOT NULL, -- Apple's "TEAM.bundle"
	tier          TEXT NOT NULL,
	state         TEXT NOT NULL CHECK (state IN ('active', 'pending', 'observed', 'revoked', 'superseded')),
	counter       INTEGER NOT NULL,
	counter_seen  INTEGER NOT NULL, -- bitmap of the window below counter
	model         TEXT NOT NULL,
	os            TEXT NOT NULL,
	device        BLOB,          -- keyed hash; NULL: the evidence had no identifier
	policy_digest TEXT NOT NULL,
	evidence      TEXT NOT NULL, -- id; the evidence may have been deleted
	registered_at INTEGER NOT NULL,
	last_used     INTEGER        -- to the day; NULL: never
, batch BLOB, provisioning TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;

CREATE INDEX attest_key_account ON attest_key (account, registered_at);

CREATE INDEX attest_key_batch ON attest_key (batch, registered_at) WHERE batch IS NOT NULL;

CREATE INDEX attest_key_state ON attest_key (state, platform);

CREATE TABLE attest_nonce (
	id      INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: who has read up to one reads on behind it
	created INTEGER NOT NULL,                  -- of the newest request
	hashes  BLOB NOT NULL CHECK (length(hashes) > 0 AND length(hashes) % 32 = 0) -- over key id and nonce
) STRICT;

CREATE INDEX attest_nonce_created ON attest_nonce (created);

CREATE TABLE attest_nonce_floor (
	one     INTEGER PRIMARY KEY CHECK (one = 1),
	created INTEGER NOT NULL
) STRICT;

CREATE TABLE attest_receipt (
	key_id      TEXT PRIMARY KEY REFERENCES attest_key (id),
	account     TEXT NOT NULL,
	team        TEXT NOT NULL,
	environment TEXT NOT NULL,
	receipt     BLOB NOT NULL,
	created_at  INTEGER NOT NULL, -- field 12 of the receipt
	not_before  INTEGER,          -- field 19
	expires_at  INTEGER,          -- field 21
	metric      INTEGER,          -- NULL: not known
	metric_at   INTEGER,
	state       TEXT NOT NULL CHECK (state IN ('scheduled', 'parked', 'stopped')),
	next_at     INTEGER,          -- NULL unless scheduled
	lease_until INTEGER,          -- NULL: nobody is at it
	failures    INTEGER NOT NULL, -- in a row
	result      TEXT NOT NULL     -- of the last exchange; empty: none yet
) STRICT, WITHOUT ROWID;

CREATE INDEX attest_receipt_account ON attest_receipt (account);

CREATE INDEX attest_receipt_next ON attest_receipt (team, next_at) WHERE next_at IS NOT NULL;

CREATE TABLE attest_serial (
	serial TEXT NOT NULL, -- canonical: lower-case hex without leading zeros
	key_id TEXT NOT NULL REFERENCES attest_key (id),
	PRIMARY KEY (serial, key_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX attest_serial_key ON attest_serial (key_id);

CREATE TABLE attest_stat (
	id           INTEGER NOT NULL UNIQUE,
	hour         INTEGER NOT NULL, -- hours since 1970 UTC
	platform     TEXT NOT NULL,
	operation    TEXT NOT NULL,
	model        TEXT NOT NULL,
	model_source TEXT NOT NULL, -- attested, claimed, batch, or empty
	os           TEXT NOT NULL,
	app_version  TEXT NOT NULL,
	country      TEXT NOT NULL,
	stage        TEXT NOT NULL,
	verdict      TEXT NOT NULL, -- accept, reject, would_deny
	code         TEXT NOT NULL,
	class        TEXT NOT NULL,
	effect       TEXT NOT NULL,
	position     INTEGER NOT NULL, -- -1: none
	batch        TEXT NOT NULL,    -- hex; this and the next only where an exception could name it
	manufacturer TEXT NOT NULL,    -- with which the attested model begins
	count        INTEGER NOT NULL,
	accounts     INTEGER NOT NULL, -- distinct, up to 512; 513: more than there are rows of
	PRIMARY KEY (hour, platform, operation, model, model_source, os, app_version, country, stage, verdict,
		code, class, effect, position, batch, manufacturer)
) STRICT, WITHOUT ROWID;

CREATE TABLE attest_stat_account (
	stat    INTEGER NOT NULL REFERENCES attest_stat (id) ON DELETE CASCADE,
	account BLOB NOT NULL, -- keyed hash under a key that changes every 90 days
	PRIMARY KEY (stat, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_entry (
	account       TEXT NOT NULL, -- empty: the app's own chain
	n             INTEGER NOT NULL,
	time          INTEGER NOT NULL,
	actor_kind    TEXT NOT NULL,
	actor_id      TEXT NOT NULL,
	actor_session TEXT NOT NULL,
	actor_class   TEXT NOT NULL,
	action        TEXT NOT NULL,
	subject       TEXT NOT NULL,
	object        BLOB,
	reason        TEXT NOT NULL,
	detail        BLOB,
	prev          BLOB NOT NULL CHECK (length(prev) = 32),
	hash          BLOB NOT NULL CHECK (length(hash) = 32), seal INTEGER,
	PRIMARY KEY (account, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_entry_action ON audit_entry (action, time);

CREATE INDEX audit_entry_operator ON audit_entry (time) WHERE actor_kind = 'operator';

CREATE INDEX audit_entry_time ON audit_entry (time);

CREATE INDEX audit_entry_unsealed ON audit_entry (account, n) WHERE seal IS NULL;

CREATE TABLE audit_seal (
	number    INTEGER PRIMARY KEY CHECK (number > 0),
	count     INTEGER NOT NULL, -- of entries that it covers
	time      INTEGER NOT NULL,
	digest    BLOB NOT NULL CHECK (length(digest) = 32),
	prev      BLOB NOT NULL CHECK (length(prev) = 32),
	signature BLOB NOT NULL
) STRICT;

CREATE TABLE ceremony (
	id               TEXT PRIMARY KEY,
	purpose          TEXT NOT NULL,
	account          TEXT NOT NULL, -- empty: a sign-in, which names none
	session          TEXT NOT NULL,
	binding          BLOB, -- SHA-256 of the key id or cookie that may answer
	challenge        BLOB NOT NULL UNIQUE,
	origin           TEXT NOT NULL,
	extensions       TEXT NOT NULL,
	allow            BLOB,
	user_handle      BLOB,
	attest_challenge BLOB, -- SHA-256
	fake             INTEGER NOT NULL CHECK (fake IN (0, 1)),
	created_at       INTEGER NOT NULL,
	expires_at       INTEGER NOT NULL,
	used_at          INTEGER -- NULL: open
) STRICT, WITHOUT ROWID;

CREATE INDEX ceremony_expires ON ceremony (expires_at);

CREATE INDEX ceremony_open ON ceremony (account, session) WHERE used_at IS NULL AND account <> '';

CREATE TABLE credential (
	ref           TEXT NOT NULL UNIQUE,
	rp_id         TEXT NOT NULL,
	credential_id BLOB NOT NULL,
	account       TEXT NOT NULL,
	record        BLOB NOT NULL,
	state         TEXT NOT NULL,
	name          TEXT NOT NULL,
	sign_count    INTEGER NOT NULL,
	flags         INTEGER NOT NULL,
	added_at      INTEGER NOT NULL,
	last_used_at  INTEGER,
	mac           BLOB NOT NULL,
	evidence      BLOB, -- of its registration; the last column, so that reading the others leaves it where it is
	PRIMARY KEY (rp_id, credential_id)
) STRICT;

CREATE INDEX credential_account ON credential (account, added_at);

CREATE TABLE credential_device (
	ref    TEXT NOT NULL REFERENCES credential (ref),
	device TEXT NOT NULL,
	PRIMARY KEY (ref, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
	id           TEXT PRIMARY KEY,
	account      TEXT NOT NULL,
	name         TEXT NOT NULL,
	platform     TEXT NOT NULL,
	state        TEXT NOT NULL,
	prior        TEXT NOT NULL,
	hold_reason  TEXT NOT NULL,
	hold_since   INTEGER,
	hold_until   INTEGER,
	hold_left    INTEGER NOT NULL,
	hold_by      TEXT NOT NULL,
	key_id       TEXT NOT NULL UNIQUE CHECK (key_id <> ''), -- of attest_key
	sealing_alg  TEXT NOT NULL,
	sealing_key  BLOB, -- public; NULL: none
	tier         TEXT NOT NULL,
	attested_at  INTEGER,
	added_by     TEXT NOT NULL,
	added_at     INTEGER NOT NULL,
	last_seen_at INTEGER,
	mac          BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX device_account ON device (account, added_at);

CREATE INDEX device_due ON device (hold_until) WHERE hold_until IS NOT NULL;

CREATE TABLE joining (
	id          TEXT PRIMARY KEY,
	kind        TEXT NOT NULL,
	account     TEXT NOT NULL, -- empty: not approved yet
	name        TEXT NOT NULL,
	platform    TEXT NOT NULL,
	keys_hash   BLOB,
	key_id      TEXT NOT NULL,
	sealing_alg TEXT NOT NULL,
	sealing_key BLOB,
	number      TEXT NOT NULL,
	origin      TEXT NOT NULL,
	place       TEXT NOT NULL,
	network     TEXT NOT NULL,
	tries       INTEGER NOT NULL,
	approved_by TEXT NOT NULL,
	created_at  INTEGER NOT NULL,
	expires_at  INTEGER NOT NULL,
	state       TEXT NOT NULL,
	mac         BLOB NOT NULL
) STRICT;

CREATE INDEX joining_expires ON joining (expires_at);

CREATE INDEX joining_open ON joining (account, created_at) WHERE state IN ('open', 'confirmed') AND account <> '';

CREATE TABLE operator (
	id            TEXT PRIMARY KEY,
	name          TEXT NOT NULL,
	user_handle   BLOB NOT NULL UNIQUE CHECK (length(user_handle) = 64),
	added_at      INTEGER NOT NULL,
	removed_at    INTEGER,     -- NULL: he may come in
	invitation    BLOB UNIQUE CHECK (length(invitation) = 32), -- SHA-256 of the link's secret; NULL: none
	invited_until INTEGER,
	credential_id BLOB UNIQUE, -- NULL: no passkey yet
	record        BLOB,
	enrolled_at   INTEGER,
	sign_count    INTEGER NOT NULL,
	flags         INTEGER NOT NULL,
	last_used_at  INTEGER,
	mac           BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX operator_name ON operator (name) WHERE removed_at IS NULL;

CREATE TABLE operator_ceremony (
	id         TEXT PRIMARY KEY,
	purpose    TEXT NOT NULL,
	operator   TEXT NOT NULL, -- empty: a sign-in, which names nobody
	invitation BLOB,
	binding    BLOB NOT NULL, -- SHA-256 of the browser's cookie
	challenge  BLOB NOT NULL UNIQUE,
	origin     TEXT NOT NULL,
	extensions TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	used_at    INTEGER, -- NULL: open; not in mac
	mac        BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX operator_ceremony_expires ON operator_ceremony (expires_at);

CREATE TABLE operator_look (
	operator TEXT NOT NULL,
	account  TEXT NOT NULL,
	hour     INTEGER NOT NULL, -- its beginning
	PRIMARY KEY (operator, account, hour)
) STRICT, WITHOUT ROWID;

CREATE INDEX operator_look_hour ON operator_look (hour);

CREATE TABLE operator_session (
	id         TEXT PRIMARY KEY,
	token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32), -- SHA-256; the token itself is nowhere
	operator   TEXT NOT NULL,
	label      TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	until      INTEGER NOT NULL,
	ended_at   INTEGER, -- NULL: it lives
	mac        BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX operator_session_of ON operator_session (operator, created_at) WHERE ended_at IS NULL;

CREATE INDEX operator_session_until ON operator_session (until);

CREATE TABLE outbox (
	id      INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused
	account TEXT NOT NULL,
	type    TEXT NOT NULL,
	body    BLOB NOT NULL,
	at      INTEGER NOT NULL
) STRICT;

CREATE TABLE outbox_cursor (
	name TEXT PRIMARY KEY,
	at   INTEGER NOT NULL -- the last id that is done
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox_lease (
	name   TEXT PRIMARY KEY,
	holder TEXT NOT NULL,
	until  INTEGER NOT NULL -- another may take it from then on
) STRICT, WITHOUT ROWID;

CREATE TABLE pending (
	id         TEXT PRIMARY KEY,
	account    TEXT NOT NULL,
	action     TEXT NOT NULL,
	params     BLOB,
	created_by BLOB NOT NULL, -- JSON: kind, device, session
	created_at INTEGER NOT NULL,
	opens_at   INTEGER NOT NULL,
	state      TEXT NOT NULL,
	ended_at   INTEGER,
	mac        BLOB NOT NULL
) STRICT;

CREATE INDEX pending_begun ON pending (account, action, created_at);

CREATE INDEX pending_due ON pending (opens_at) WHERE state = 'open';

CREATE INDEX pending_open ON pending (account, created_at) WHERE state = 'open';

CREATE TABLE rate (
	key    BLOB PRIMARY KEY CHECK (length(key) = 32), -- keyed hash
	tokens REAL NOT NULL,
	at     INTEGER NOT NULL,
	hour   INTEGER NOT NULL -- of at, for the sweep: its index changes once an hour, and not with every token
) STRICT, WITHOUT ROWID;

CREATE INDEX rate_hour ON rate (hour);

CREATE TABLE recovery_blob (
	account TEXT NOT NULL,
	reg     BLOB NOT NULL CHECK (length(reg) = 16),
	hash    BLOB NOT NULL CHECK (length(hash) = 32), -- SHA-256 of blob
	blob    BLOB NOT NULL,
	at      INTEGER NOT NULL,
	PRIMARY KEY (account, reg, hash)
) STRICT;

CREATE TABLE recovery_history (
	vault   TEXT NOT NULL,
	acct    BLOB NOT NULL CHECK (length(acct) = 16),
	gen     INTEGER NOT NULL,
	ver     INTEGER NOT NULL,
	digest  BLOB NOT NULL CHECK (length(digest) = 32),
	used    INTEGER NOT NULL,
	session BLOB CHECK (length(session) = 32), -- whose call made it; NULL: none
	at      INTEGER NOT NULL,
	mac     BLOB NOT NULL,
	PRIMARY KEY (vault, acct, gen, ver, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX recovery_history_at ON recovery_history (at);

CREATE TABLE recovery_intent (
	vault        TEXT NOT NULL,
	acct         BLOB NOT NULL CHECK (length(acct) = 16),
	op           INTEGER NOT NULL,
	account      TEXT NOT NULL,
	epoch        INTEGER NOT NULL,
	request      BLOB NOT NULL, -- sealed to the vault
	request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
	at           INTEGER NOT NULL,
	next_at      INTEGER NOT NULL,
	tries        INTEGER NOT NULL,
	mac          BLOB NOT NULL, -- over what does not change with each try
	PRIMARY KEY (vault, acct, op, request_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX recovery_intent_next ON recovery_intent (next_at);

CREATE TABLE recovery_named (
	account TEXT NOT NULL,
	reg     BLOB NOT NULL CHECK (length(reg) = 16),
	vault   TEXT NOT NULL,
	gen     INTEGER NOT NULL,
	hash    BLOB NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (account, reg, vault)
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_pointer (
	account     TEXT PRIMARY KEY,
	reg         BLOB NOT NULL CHECK (length(reg) = 16),
	blob        BLOB NOT NULL CHECK (length(blob) = 32), -- hash of the newest one
	header      BLOB, -- of the blob; NULL: profile seed has none
	stage       TEXT NOT NULL,
	set_version INTEGER NOT NULL,
	profile     TEXT NOT NULL,
	at          INTEGER NOT NULL,
	mac         BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_receipt (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT, -- none comes again
	vault   TEXT NOT NULL,
	session BLOB CHECK (length(session) = 32), -- NULL: none
	receipt BLOB NOT NULL,
	at      INTEGER NOT NULL
) STRICT;

CREATE INDEX recovery_receipt_at ON recovery_receipt (at);

CREATE TABLE recovery_record (
	vault      TEXT NOT NULL,
	acct       BLOB NOT NULL CHECK (length(acct) = 16), -- the account, as that vault alone knows it
	account    TEXT NOT NULL,
	profile    TEXT NOT NULL,
	gen        INTEGER NOT NULL CHECK (gen > 0),
	ver        INTEGER NOT NULL CHECK (ver > 0),
	epoch      INTEGER NOT NULL, -- of the key that it is sealed with: the first 4 bytes of record
	used       INTEGER NOT NULL,
	state      INTEGER NOT NULL, -- 0 active, 1 locked, 2 deleted
	record     BLOB NOT NULL,
	updated_at INTEGER NOT NULL,
	mac        BLOB NOT NULL,
	PRIMARY KEY (vault, acct)
) STRICT, WITHOUT ROWID;

CREATE INDEX recovery_record_epoch ON recovery_record (vault, epoch, acct) WHERE state <> 2;

CREATE INDEX recovery_record_gone ON recovery_record (vault, epoch, acct) WHERE state = 2;

CREATE TABLE recovery_session (
	hash       BLOB PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256 of its secret
	account    TEXT NOT NULL,
	key        TEXT NOT NULL, -- that signs its calls
	device     TEXT NOT NULL, -- empty: a phone that is new
	ticket     BLOB NOT NULL CHECK (length(ticket) = 32), -- SHA-256
	created_at INTEGER NOT NULL,
	until      INTEGER NOT NULL,
	releases   TEXT NOT NULL, -- vaults, a JSON array
	finished   INTEGER,
	ended_at   INTEGER,
	mac        BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX recovery_session_open ON recovery_session (account, created_at) WHERE ended_at IS NULL;

CREATE INDEX recovery_session_ticket ON recovery_session (ticket);

CREATE INDEX recovery_session_until ON recovery_session (until);

CREATE TABLE recovery_setup (
	account  TEXT PRIMARY KEY,
	reg      BLOB NOT NULL CHECK (length(reg) = 16),
	device   TEXT NOT NULL,
	approval TEXT NOT NULL,
	at       INTEGER NOT NULL,
	mac      BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE risk (
	account  TEXT NOT NULL,
	device   TEXT NOT NULL, -- empty: the account
	signal   TEXT NOT NULL,
	source   TEXT NOT NULL,
	value    TEXT NOT NULL,
	level    TEXT NOT NULL,
	first_at INTEGER NOT NULL,
	last_at  INTEGER NOT NULL,
	until    INTEGER, -- NULL: for ever
	PRIMARY KEY (account, device, signal, source)
) STRICT, WITHOUT ROWID;

CREATE INDEX risk_until ON risk (until) WHERE until IS NOT NULL;

CREATE TABLE session (
	id           TEXT PRIMARY KEY,
	token_hash   BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32), -- SHA-256; the token itself is nowhere
	account      TEXT NOT NULL,
	device       TEXT NOT NULL,
	kind         TEXT NOT NULL,
	proofs       TEXT NOT NULL, -- a JSON array
	origin       TEXT NOT NULL,
	label        TEXT NOT NULL,
	network      TEXT NOT NULL, -- keyed hash
	place        TEXT NOT NULL,
	created_at   INTEGER NOT NULL,
	last_seen_at INTEGER,
	until        INTEGER NOT NULL,
	ended_at     INTEGER, -- NULL: it lives
	ended_why    TEXT NOT NULL,
	mac          BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_account ON session (account, created_at, device, network) WHERE ended_at IS NULL;

CREATE INDEX session_over ON session (min(until, coalesce(ended_at, until)));

CREATE TABLE transfer (
	id             TEXT NOT NULL PRIMARY KEY,
	version        INTEGER NOT NULL,
	revision       INTEGER NOT NULL,
	bytes_expected INTEGER NOT NULL,
	bytes_stored   INTEGER NOT NULL,
	record_acked   INTEGER NOT NULL,
	created_at     INTEGER NOT NULL,
	confirmed_at   INTEGER,
	opens          INTEGER, -- NULL: not confirmed
	moved          INTEGER, -- the last new segment or acknowledgement
	deadline       INTEGER, -- NULL: no limit
	committed_at   INTEGER,
	acked_at       INTEGER,
	recall_until   INTEGER,
	frozen_since   INTEGER, -- NULL: the clock of recall_until runs
	ended_at       INTEGER, -- NULL: it is neither final, recalled nor aborted
	state          TEXT NOT NULL,
	reason         TEXT NOT NULL, -- empty: not aborted
	account        TEXT NOT NULL, -- empty: not claimed
	sender_device  TEXT NOT NULL, -- empty: not claimed
	sender_key     TEXT NOT NULL,
	receiver_key   TEXT NOT NULL,
	new_device     TEXT NOT NULL, -- empty: not committed
	class          TEXT NOT NULL,
	hold_reasons   TEXT NOT NULL, -- a JSON array
	stamps         TEXT NOT NULL, -- at which version each envelope came; a JSON object
	mac            BLOB NOT NULL, -- over all; place and network until it is confirmed
	place          TEXT NOT NULL, -- forgotten before the rest
	network        TEXT NOT NULL, -- forgotten before the rest
	verdict        TEXT NOT NULL,
	hold_share     BLOB CHECK (length(hold_share) = 32),
	commit_share   BLOB CHECK (length(commit_share) = 32),
	sealed         BLOB, -- keys and secrets of the account, for who has the commit share and is the new phone
	passkey        BLOB, -- the new phone's, until the account is its
	offer          BLOB NOT NULL,
	hello          BLOB,
	answer         BLOB,
	matched        BLOB,
	confirm        BLOB,
	"grant"        BLOB,
	receipt        BLOB,
	ack            BLOB,
	recall         BLOB,
	final          BLOB
) STRICT;

CREATE INDEX transfer_account ON transfer (account, created_at, id) WHERE ended_at IS NULL;

CREATE INDEX transfer_brought ON transfer (new_device) WHERE new_device <> '';

CREATE INDEX transfer_deadline ON transfer (deadline) WHERE ended_at IS NULL AND deadline IS NOT NULL;

CREATE INDEX transfer_ended ON transfer (ended_at) WHERE ended_at IS NOT NULL;

CREATE UNIQUE INDEX transfer_live ON transfer (account) WHERE state IN ('claimed', 'held', 'streaming', 'sealed');

CREATE UNIQUE INDEX transfer_moved ON transfer (sender_device) WHERE state IN ('committed', 'acked', 'final');

CREATE INDEX transfer_opens ON transfer (opens) WHERE state = 'held';

CREATE INDEX transfer_placed ON transfer (created_at) WHERE place <> '' OR network <> '';

CREATE INDEX transfer_sender ON transfer (sender_device) WHERE sender_device <> '';

CREATE INDEX transfer_unclaimed ON transfer (ended_at) WHERE account = '' AND ended_at IS NOT NULL;

CREATE INDEX transfer_window ON transfer (recall_until) WHERE state = 'acked' AND frozen_since IS NULL;

CREATE TABLE transfer_segment (
	transfer TEXT NOT NULL,
	revision INTEGER NOT NULL,
	first    INTEGER NOT NULL,
	records  INTEGER NOT NULL CHECK (records > 0),
	bytes    INTEGER NOT NULL,
	leaf     BLOB NOT NULL CHECK (length(leaf) = 32),
	blob     TEXT NOT NULL,    -- last part of the key of its ciphertext
	synced   INTEGER NOT NULL, -- 1: it survives a power cut
	acked    INTEGER NOT NULL, -- 1: the new phone has it, and it may be gone
	PRIMARY KEY (transfer, revision, first)
) STRICT, WITHOUT ROWID;

CREATE INDEX transfer_segment_unsynced ON transfer_segment (transfer, revision, first) WHERE synced = 0 AND acked = 0;

CREATE INDEX transfer_segment_waiting ON transfer_segment (transfer, revision, first) WHERE acked = 0;

CREATE TABLE transfer_space (
	transfer TEXT NOT NULL PRIMARY KEY,
	bytes    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE transfer_token (
	hash     BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256 of it
	transfer TEXT NOT NULL,
	party    TEXT NOT NULL,
	UNIQUE (transfer, party)
) STRICT, WITHOUT ROWID;

