-- The people at the console. A row that was removed stays, so that the audit record
-- can be read. mac is over the other columns, and is made with a key that is not in
-- the store; so it is in the tables below.

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

-- That an operator looks at an account, in an hour: it is recorded once.
CREATE TABLE operator_look (
	operator TEXT NOT NULL,
	account  TEXT NOT NULL,
	hour     INTEGER NOT NULL, -- its beginning
	PRIMARY KEY (operator, account, hour)
) STRICT, WITHOUT ROWID;

CREATE INDEX operator_look_hour ON operator_look (hour);
