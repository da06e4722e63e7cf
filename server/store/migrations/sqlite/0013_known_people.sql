-- Counts up when the browsers that have logged in to an account are to be known no more: their cookies name the number.
ALTER TABLE accounts ADD COLUMN device_epoch BIGINT NOT NULL DEFAULT 0;
-- Whether the merchant that was asked for is still to be made: when the first password shows that the mailbox was opened.
ALTER TABLE accounts ADD COLUMN wants_merchant BOOLEAN NOT NULL DEFAULT FALSE;
-- When the operator was told of the request; NULL: not yet.
ALTER TABLE accounts ADD COLUMN told_at BIGINT;
UPDATE accounts SET told_at = created_at;
-- When the operator blocked the account; NULL: it is not blocked.
ALTER TABLE accounts ADD COLUMN disabled_at BIGINT;

-- Merchants whose owners require a second factor of the whole team.
CREATE TABLE factor_rules (
    merchant BIGINT NOT NULL PRIMARY KEY REFERENCES merchants (num),
    since    BIGINT NOT NULL
) WITHOUT ROWID;
