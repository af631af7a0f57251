-- What the vaults know of accounts, sealed by them. Nothing here can be read, and
-- no vault believes a column.

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

-- Which versions of a record there were. Two digests of one version are a fork.
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

-- Requests that change what is registered, on their way: each is repeated until
-- the record that it makes is stored.
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

-- What phones have encrypted.
CREATE TABLE recovery_blob (
	account TEXT NOT NULL,
	reg     BLOB NOT NULL CHECK (length(reg) = 16),
	hash    BLOB NOT NULL CHECK (length(hash) = 32), -- SHA-256 of blob
	blob    BLOB NOT NULL,
	at      INTEGER NOT NULL,
	PRIMARY KEY (account, reg, hash)
) STRICT;

-- Which blob each vault names for a registration, as its receipts show.
CREATE TABLE recovery_named (
	account TEXT NOT NULL,
	reg     BLOB NOT NULL CHECK (length(reg) = 16),
	vault   TEXT NOT NULL,
	gen     INTEGER NOT NULL,
	hash    BLOB NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (account, reg, vault)
) STRICT, WITHOUT ROWID;

-- The registration of an account whose PIN works.
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

-- Which device may register what: one approval of the owner.
CREATE TABLE recovery_setup (
	account  TEXT PRIMARY KEY,
	reg      BLOB NOT NULL CHECK (length(reg) = 16),
	device   TEXT NOT NULL,
	approval TEXT NOT NULL,
	at       INTEGER NOT NULL,
	mac      BLOB NOT NULL
) STRICT, WITHOUT ROWID;

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

CREATE INDEX recovery_session_ticket ON recovery_session (ticket);
CREATE INDEX recovery_session_open ON recovery_session (account, created_at) WHERE ended_at IS NULL;
CREATE INDEX recovery_session_until ON recovery_session (until);

-- What vaults have signed of the calls that they have executed.
CREATE TABLE recovery_receipt (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT, -- none comes again
	vault   TEXT NOT NULL,
	session BLOB CHECK (length(session) = 32), -- NULL: none
	receipt BLOB NOT NULL,
	at      INTEGER NOT NULL
) STRICT;

CREATE INDEX recovery_receipt_at ON recovery_receipt (at);

-- How often recoveries of an account were begun.
CREATE INDEX pending_begun ON pending (account, action, created_at);

-- All that a sign-in asks of the sessions of its account is in the index: each of
-- them is on a page of its own in the table.
DROP INDEX session_account;
CREATE INDEX session_account ON session (account, created_at, device, network) WHERE ended_at IS NULL;
