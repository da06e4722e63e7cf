-- Passkeys (WebAuthn): second factors whose private half stays with the person.
CREATE TABLE passkeys (
    id            BLOB    NOT NULL PRIMARY KEY,
    account       BIGINT  NOT NULL REFERENCES accounts (num),
    -- As the person named it.
    name          TEXT    NOT NULL,
    -- What the authenticator calls it: nobody else's passkey is called so.
    credential_id BLOB    NOT NULL UNIQUE,
    -- The public key, and what was said when it was registered, in JSON; see server/src/accounts/passkeys.rs.
    credential    TEXT    NOT NULL,
    -- How often it has signed, as the authenticator counts; 0 where it does not. A smaller number than before means a copy.
    sign_count    BIGINT  NOT NULL,
    created_at    BIGINT  NOT NULL,
    last_used_at  BIGINT
) WITHOUT ROWID;
CREATE INDEX passkeys_by_account ON passkeys (account);
