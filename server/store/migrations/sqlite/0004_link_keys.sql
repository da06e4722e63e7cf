-- What merchants sign links with: at most two of a merchant count at a time, the one that signs and the one before it.
CREATE TABLE link_keys (
    id         BLOB   NOT NULL PRIMARY KEY,
    merchant   BIGINT NOT NULL REFERENCES merchants (num),
    -- Sealed under the configuration's keys.
    sealed     BLOB   NOT NULL,
    created_at BIGINT NOT NULL,
    -- NULL: it signs now.
    ends_at    BIGINT
);
CREATE INDEX link_keys_by_merchant ON link_keys (merchant);
