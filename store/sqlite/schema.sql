-- What all migrations come to; written by the tests with -update.

CREATE TABLE app_meta (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	app    TEXT NOT NULL,
	schema INTEGER NOT NULL
) STRICT;

CREATE TABLE attest_challenge (
	hash       BLOB PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256 of the challenge
	account    TEXT NOT NULL,                              -- empty before sign-up
	purpose    TEXT NOT NULL,
	issued_at  INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	used_at    INTEGER                                     -- NULL: open
) STRICT, WITHOUT ROWID;

CREATE INDEX attest_challenge_expires ON attest_challenge (expires_at);

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
) STRICT, WITHOUT ROWID;

CREATE INDEX attest_key_account ON attest_key (account);

CREATE TABLE attest_serial (
	serial TEXT NOT NULL, -- canonical: lower-case hex without leading zeros
	key_id TEXT NOT NULL REFERENCES attest_key (id),
	PRIMARY KEY (serial, key_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX attest_serial_key ON attest_serial (key_id);

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
	hash          BLOB NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (account, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
	id      INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused
	account TEXT NOT NULL,
	type    TEXT NOT NULL,
	body    BLOB NOT NULL,
	at      INTEGER NOT NULL
) STRICT;

