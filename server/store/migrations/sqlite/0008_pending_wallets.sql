-- Where a merchant's money is to go from `due_at` on, unless an owner stops it.
CREATE TABLE pending_wallets (
    merchant BIGINT NOT NULL PRIMARY KEY REFERENCES merchants (num),
    -- The receive descriptor in its normal form.
    receive  TEXT   NOT NULL,
    -- Under the configuration's key: a row that somebody else wrote is never carried out.
    mac      BLOB   NOT NULL,
    -- The person as named then.
    asked_by TEXT   NOT NULL,
    client   TEXT   NOT NULL,
    asked_at BIGINT NOT NULL,
    due_at   BIGINT NOT NULL
) WITHOUT ROWID;
