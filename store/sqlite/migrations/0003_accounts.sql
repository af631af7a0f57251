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
