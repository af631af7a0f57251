-- A freeze code finds its account, as fast as any other does.

CREATE INDEX account_freeze_code ON account (freeze_code) WHERE freeze_code IS NOT NULL;
