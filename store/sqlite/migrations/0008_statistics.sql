-- Statistics lie in the order of their hours, so that a report reads one run of pages
-- and nothing else. Before, it went by an index from row to row. id is what hashes of
-- accounts refer to.

ALTER TABLE attest_stat RENAME TO attest_stat_7;
ALTER TABLE attest_stat_account RENAME TO attest_stat_account_7;

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

INSERT INTO attest_stat (id, hour, platform, operation, model, model_source, os, app_version, country, stage, verdict,
	code, class, effect, position, batch, manufacturer, count, accounts)
SELECT id, hour, platform, operation, model, model_source, os, app_version, country, stage, verdict,
	code, class, effect, position, batch, manufacturer, count, accounts FROM attest_stat_7;
INSERT INTO attest_stat_account (stat, account) SELECT stat, account FROM attest_stat_account_7;

DROP TABLE attest_stat_account_7;
DROP TABLE attest_stat_7;
