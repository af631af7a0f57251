-- Accounts on their way to a new phone. What is sent lies beside the store, as
-- ciphertext; here is what of it there is.

-- Numbers come first and large things last: a change of a number writes a page or
-- two then, and not the whole row.
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

-- An account moves once at a time, and a phone hands it over once.
CREATE UNIQUE INDEX transfer_live ON transfer (account) WHERE state IN ('claimed', 'held', 'streaming', 'sealed');
CREATE UNIQUE INDEX transfer_moved ON transfer (sender_device) WHERE state IN ('committed', 'acked', 'final');

CREATE INDEX transfer_account ON transfer (account, created_at, id) WHERE ended_at IS NULL;
CREATE INDEX transfer_sender ON transfer (sender_device) WHERE sender_device <> '';
CREATE INDEX transfer_brought ON transfer (new_device) WHERE new_device <> '';
CREATE INDEX transfer_deadline ON transfer (deadline) WHERE ended_at IS NULL AND deadline IS NOT NULL;
CREATE INDEX transfer_opens ON transfer (opens) WHERE state = 'held';
CREATE INDEX transfer_window ON transfer (recall_until) WHERE state = 'acked' AND frozen_since IS NULL;
CREATE INDEX transfer_ended ON transfer (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX transfer_unclaimed ON transfer (ended_at) WHERE account = '' AND ended_at IS NOT NULL;
CREATE INDEX transfer_placed ON transfer (created_at) WHERE place <> '' OR network <> '';

CREATE TABLE transfer_token (
	hash     BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256 of it
	transfer TEXT NOT NULL,
	party    TEXT NOT NULL,
	UNIQUE (transfer, party)
) STRICT, WITHOUT ROWID;

-- Which pieces of ciphertext are there. Nobody believes a leaf: the phones have
-- signed the root of all of them.
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

CREATE INDEX transfer_segment_waiting ON transfer_segment (transfer, revision, first) WHERE acked = 0;
CREATE INDEX transfer_segment_unsynced ON transfer_segment (transfer, revision, first) WHERE synced = 0 AND acked = 0;

-- The sum of the bytes of a transfer's segments that are not acked, so that none of
-- them is read for it; under the empty name that of all transfers.
CREATE TABLE transfer_space (
	transfer TEXT NOT NULL PRIMARY KEY,
	bytes    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
