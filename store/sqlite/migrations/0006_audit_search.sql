-- So that the record can be searched by time, by action, and for what operators did,
-- without reading through it. Entries by operators are few.

CREATE INDEX audit_entry_time ON audit_entry (time);
CREATE INDEX audit_entry_action ON audit_entry (action, time);
CREATE INDEX audit_entry_operator ON audit_entry (time) WHERE actor_kind = 'operator';
