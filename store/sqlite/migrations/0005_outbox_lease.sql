-- One server at a time delivers what is in the outbox.

CREATE TABLE outbox_lease (
	name   TEXT PRIMARY KEY,
	holder TEXT NOT NULL,
	until  INTEGER NOT NULL -- another may take it from then on
) STRICT, WITHOUT ROWID;
