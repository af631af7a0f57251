-- What the attestation service keeps beside challenges, keys and evidence.

ALTER TABLE attest_key ADD COLUMN batch BLOB;                            -- Android: SHA-256 of the key at position 1
ALTER TABLE attest_key ADD COLUMN provisioning TEXT NOT NULL DEFAULT ''; -- Android: factory, rkp ...

DROP INDEX attest_key_account;
CREATE INDEX attest_key_account ON attest_key (account, registered_at);
CREATE INDEX attest_key_batch ON attest_key (batch, registered_at) WHERE batch IS NOT NULL;
CREATE INDEX attest_key_state ON attest_key (state, platform);

-- Nonces of Android's requests: a row holds those that were answered at once,
-- and is gone when the requests would be too old.
CREATE TABLE attest_nonce (
	id      INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: who has read up to one reads on behind it
	created INTEGER NOT NULL,                  -- of the newest request
	hashes  BLOB NOT NULL CHECK (length(hashes) > 0 AND length(hashes) % 32 = 0) -- over key id and nonce
) STRICT;

CREATE INDEX attest_nonce_created ON attest_nonce (created);

-- Nonces of requests made at or before this time may have been deleted.
CREATE TABLE attest_nonce_floor (
	one     INTEGER PRIMARY KEY CHECK (one = 1),
	created INTEGER NOT NULL
) STRICT;

-- Policies that were in force, by digest.
CREATE TABLE attest_document (
	digest   TEXT PRIMARY KEY, -- "sha256:" and hex of body
	kind     TEXT NOT NULL,
	body     BLOB NOT NULL,
	at       INTEGER NOT NULL, -- when it was first in force
	in_force INTEGER NOT NULL CHECK (in_force IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX attest_document_in_force ON attest_document (kind) WHERE in_force = 1;

-- Where a job that takes many transactions has got to.
CREATE TABLE attest_job (
	name     TEXT PRIMARY KEY,
	target   TEXT NOT NULL,    -- what it works towards: the digest of a revocation list
	cursor   TEXT NOT NULL,    -- the last element that is done; empty: none
	changed  INTEGER NOT NULL, -- how many elements it has changed
	began    INTEGER NOT NULL,
	finished INTEGER           -- NULL: it goes on
) STRICT, WITHOUT ROWID;

-- Uses of an exception on a day, by account; the row with an empty account is their sum.
CREATE TABLE attest_exception_use (
	exception TEXT NOT NULL,
	day       INTEGER NOT NULL, -- days since 1970 UTC
	account   BLOB NOT NULL,    -- keyed hash, or empty
	uses      INTEGER NOT NULL,
	PRIMARY KEY (exception, day, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX attest_exception_use_day ON attest_exception_use (day);

-- Apple's receipts, one a key, and when the next one may be asked for.
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

CREATE INDEX attest_receipt_next ON attest_receipt (team, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX attest_receipt_account ON attest_receipt (account);

-- What happened in an hour. A row without a code counts attempts, one with a
-- code the attempts that had this finding.
CREATE TABLE attest_stat (
	id           INTEGER PRIMARY KEY,
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
	UNIQUE (hour, platform, operation, model, model_source, os, app_version, country, stage, verdict,
		code, class, effect, position, batch, manufacturer)
) STRICT;

CREATE TABLE attest_stat_account (
	stat    INTEGER NOT NULL REFERENCES attest_stat (id) ON DELETE CASCADE,
	account BLOB NOT NULL, -- keyed hash under a key that changes every 90 days
	PRIMARY KEY (stat, account)
) STRICT, WITHOUT ROWID;
