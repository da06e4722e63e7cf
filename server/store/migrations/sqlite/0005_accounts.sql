-- People who log in. Secrets that travel (sessions, links in letters) stand here as SHA-256 only.
CREATE TABLE accounts (
    num         INTEGER NOT NULL PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE,
    -- In lower case: an address is one person, however it is written.
    email       TEXT    NOT NULL UNIQUE,
    name        TEXT    NOT NULL,
    -- What was asked for at the sign-up: the first merchant's name and site.
    company     TEXT    NOT NULL,
    site        TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    -- NULL until the operator, or the configuration, let the person in.
    approved_at BIGINT,
    -- Argon2id in PHC form; NULL until one is chosen.
    password    TEXT,
    -- The secret of one-time codes (RFC 6238), sealed; see server/src/seal.rs.
    totp        BLOB,
    -- The last time step a code was taken for: a code counts once.
    totp_step   BIGINT,
    created_at  BIGINT  NOT NULL
);

-- Codes for when the phone is lost: each counts once.
CREATE TABLE recovery_codes (
    hash    BLOB   NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL REFERENCES accounts (num)
) WITHOUT ROWID;
CREATE INDEX recovery_codes_by_account ON recovery_codes (account);

-- Links in letters: one use, with an end.
CREATE TABLE account_tokens (
    hash       BLOB   NOT NULL PRIMARY KEY,
    account    BIGINT NOT NULL REFERENCES accounts (num),
    -- password, or email
    purpose    TEXT   NOT NULL,
    -- The new address, for email.
    detail     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX account_tokens_by_account ON account_tokens (account);

CREATE TABLE sessions (
    hash         BLOB    NOT NULL PRIMARY KEY,
    -- Names it in the list, where its secret has no business.
    id           BLOB    NOT NULL UNIQUE,
    account      BIGINT  NOT NULL REFERENCES accounts (num),
    created_at   BIGINT  NOT NULL,
    -- Coarse: written every few minutes.
    seen_at      BIGINT  NOT NULL,
    -- When the password was last given.
    confirmed_at BIGINT  NOT NULL,
    -- When a second factor was last given; NULL: not yet.
    factor_at    BIGINT,
    client       TEXT    NOT NULL,
    agent        TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_account ON sessions (account);

CREATE TABLE members (
    merchant BIGINT NOT NULL REFERENCES merchants (num),
    account  BIGINT NOT NULL REFERENCES accounts (num),
    -- owner, manager, developer, accountant, viewer
    role     TEXT   NOT NULL,
    since    BIGINT NOT NULL,
    PRIMARY KEY (merchant, account)
) WITHOUT ROWID;
CREATE INDEX members_by_account ON members (account);

CREATE TABLE invitations (
    id         BLOB   NOT NULL PRIMARY KEY,
    hash       BLOB   NOT NULL UNIQUE,
    merchant   BIGINT NOT NULL REFERENCES merchants (num),
    email      TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    invited_by BIGINT NOT NULL REFERENCES accounts (num),
    expires_at BIGINT NOT NULL,
    UNIQUE (merchant, email)
) WITHOUT ROWID;

-- Who changed what, from where. A row is committed before the change is begun, so that no change is without one.
CREATE TABLE audit (
    num      INTEGER NOT NULL PRIMARY KEY,
    -- NULL: it concerns a person, not a merchant.
    merchant BIGINT REFERENCES merchants (num),
    account  BIGINT REFERENCES accounts (num),
    -- The person as named then; an account may change its address.
    who      TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    client   TEXT    NOT NULL,
    at       BIGINT  NOT NULL,
    -- NULL: begun; the server ended before it could say how it went.
    outcome  TEXT
);
CREATE INDEX audit_by_merchant ON audit (merchant, num);
CREATE INDEX audit_by_account ON audit (account, num);
CREATE INDEX audit_by_time ON audit (at);
