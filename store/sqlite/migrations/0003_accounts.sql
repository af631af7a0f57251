-- Seals over the audit record.

ALTER TABLE audit_entry ADD COLUMN seal INTEGER; -- number of the seal that covers it; NULL: none yet

CREATE INDEX audit_entry_unsealed ON audit_entry (account, n) WHERE seal IS NULL;

CREATE TABLE audit_seal (
	number    INTEGER PRIMARY KEY CHECK (number > 0),
	count     INTEGER NOT NULL, -- of entries that it covers
	time      INTEGER NOT NULL,
	digest    BLOB NOT NULL CHECK (length(digest) = 32),
	prev      BLOB NOT NULL CHECK (length(prev) = 32),
	signature BLOB NOT NULL
) STRICT;

-- Accounts, devices, passkeys and sessions. A row that is deleted for its owner
-- stays as a tombstone. mac is over the other columns but last_seen_at, and is
-- made with a key that is not in the store; so it is in the tables below.

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

-- The devices that used a passkey.
CREATE TABLE credential_device (
	ref    TEXT NOT NULL REFERENCES credential (ref),
	device TEXT NOT NULL,
	PRIMARY KEY (ref, device)
) STRICT, WITHOUT ROWID;

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

CREATE INDEX session_account ON session (account, created_at) WHERE ended_at IS NULL;
CREATE INDEX session_over ON session (min(until, coalesce(ended_at, until)));

-- What is open for a while: ceremonies, approvals, joins, and actions that wait.

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

CREATE INDEX ceremony_open ON ceremony (account, session) WHERE used_at IS NULL AND account <> '';
CREATE INDEX ceremony_expires ON ceremony (expires_at);

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

CREATE INDEX approval_open ON approval (account, created_at) WHERE state = 'open';
CREATE INDEX approval_expires ON approval (expires_at);

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

CREATE INDEX joining_open ON joining (account, created_at) WHERE state IN ('open', 'confirmed') AND account <> '';
CREATE INDEX joining_expires ON joining (expires_at);

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

CREATE INDEX pending_open ON pending (account, created_at) WHERE state = 'open';
CREATE INDEX pending_due ON pending (opens_at) WHERE state = 'open';

-- What owners are told, and how far each reader has read.

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

-- How far readers of the outbox have come.
CREATE TABLE outbox_cursor (
	name TEXT PRIMARY KEY,
	at   INTEGER NOT NULL -- the last id that is done
) STRICT, WITHOUT ROWID;

-- One server at a time delivers what is in the outbox.
CREATE TABLE outbox_lease (
	name   TEXT PRIMARY KEY,
	holder TEXT NOT NULL,
	until  INTEGER NOT NULL -- another may take it from then on
) STRICT, WITHOUT ROWID;

-- Signals of risk.
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

-- Token buckets.
CREATE TABLE rate (
	key    BLOB PRIMARY KEY CHECK (length(key) = 32), -- keyed hash
	tokens REAL NOT NULL,
	at     INTEGER NOT NULL,
	hour   INTEGER NOT NULL -- of at, for the sweep: its index changes once an hour, and not with every token
) STRICT, WITHOUT ROWID;

CREATE INDEX rate_hour ON rate (hour);
