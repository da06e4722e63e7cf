-- Keys of the merchant API. A key's id is never given to another one, so a revoked key stays as a row.
CREATE TABLE api_keys (
    num          INTEGER NOT NULL PRIMARY KEY,
    id           BLOB    NOT NULL UNIQUE,
    merchant     BIGINT  NOT NULL REFERENCES merchants (num),
    name         TEXT    NOT NULL,
    -- Separated by spaces.
    scopes       TEXT    NOT NULL,
    created_at   BIGINT  NOT NULL,
    -- Coarse: written once a minute.
    last_used_at BIGINT,
    revoked_at   BIGINT
);

-- One secret a key, or two while it is rotated. Gone once the key is revoked.
CREATE TABLE api_key_secrets (
    id         BLOB   NOT NULL PRIMARY KEY,
    api_key    BIGINT NOT NULL REFERENCES api_keys (num),
    -- Encrypted under a key of the configuration; see server/src/seal.rs.
    sealed     BLOB   NOT NULL,
    created_at BIGINT NOT NULL,
    -- NULL until a newer one takes its place.
    expires_at BIGINT
);
CREATE INDEX api_key_secrets_by_key ON api_key_secrets (api_key);

-- Nonces of requests that changed something, in the transaction of the change (R33).
CREATE TABLE nonces (
    api_key    BIGINT NOT NULL REFERENCES api_keys (num),
    nonce      BLOB   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (api_key, nonce)
) WITHOUT ROWID;
CREATE INDEX nonces_by_time ON nonces (expires_at);

-- Answers to requests with an Idempotency-Key, in the transaction of their effect.
CREATE TABLE kept_answers (
    api_key BIGINT  NOT NULL REFERENCES api_keys (num),
    name    TEXT    NOT NULL,
    -- SHA-256 of method, path, query and body.
    request BLOB    NOT NULL,
    status  INTEGER NOT NULL,
    body    BLOB    NOT NULL,
    made_at BIGINT  NOT NULL,
    PRIMARY KEY (api_key, name)
);
CREATE INDEX kept_answers_by_time ON kept_answers (made_at);

-- Where the page of a charge made by the API leads once it is paid.
CREATE TABLE success_urls (
    charge INTEGER NOT NULL PRIMARY KEY REFERENCES charges (num),
    url    TEXT    NOT NULL
);
