-- Instants are Unix milliseconds. Hashes and ids are raw bytes, hashes in the order of the protocol. Amounts are satoshis.
-- Documents are JSON with a version; see server/src/store/documents.

-- Facts about the database itself: network, epoch, a check of the secret, the highest time seen.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- One counter for each normal receive descriptor (R27). The authenticator proves that the text was written by this server.
CREATE TABLE descriptors (
    id           INTEGER NOT NULL PRIMARY KEY,
    text         TEXT    NOT NULL UNIQUE,
    mac          BLOB    NOT NULL,
    next_index   BIGINT  NOT NULL,
    -- The highest index that ever received money, or was found used.
    highest_used BIGINT,
    -- 0 until the chain was scanned for addresses used before (R27), or after the issuance mark was lost (R28).
    scanned      INTEGER NOT NULL,
    -- Added to the index when the scan is done: 1,000 after the mark was lost.
    jump         BIGINT  NOT NULL
);

CREATE TABLE merchants (
    num           INTEGER NOT NULL PRIMARY KEY,
    id            BLOB    NOT NULL UNIQUE,
    settings      TEXT    NOT NULL,
    logo          BLOB,
    descriptor    BIGINT REFERENCES descriptors (id),
    -- Proves that this server gave this merchant this descriptor.
    descriptor_mac BLOB,
    created_at    BIGINT  NOT NULL
);

-- Every script that is watched: those given out, and a look-ahead of those not given out yet. One below the descriptor's
-- next_index was given out, unless it is skipped.
CREATE TABLE scripts (
    id         INTEGER NOT NULL PRIMARY KEY,
    descriptor BIGINT  NOT NULL REFERENCES descriptors (id),
    idx        BIGINT  NOT NULL,
    script     BLOB    NOT NULL UNIQUE,
    skipped    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (descriptor, idx)
);

-- Terms never change. Everything after email_key follows from the charge's events.
CREATE TABLE charges (
    num        INTEGER NOT NULL PRIMARY KEY,
    id         BLOB    NOT NULL UNIQUE,
    merchant   BIGINT  NOT NULL REFERENCES merchants (num),
    script     BIGINT  NOT NULL UNIQUE REFERENCES scripts (id),
    origin     TEXT    NOT NULL,
    order_id   TEXT,
    language   TEXT,
    created_at BIGINT  NOT NULL,
    terms      TEXT    NOT NULL,
    -- A keyed hash of the shopper's e-mail, for reuse only (R22); erased with it.
    email_key  BLOB,
    state      TEXT    NOT NULL,
    reason     TEXT,
    sequence   BIGINT  NOT NULL,
    -- 1 while chain or clock can still move it: such charges are loaded at the start.
    is_open    INTEGER NOT NULL,
    -- 1 once any payment is known.
    is_paid    INTEGER NOT NULL,
    -- NULL: as it was made.
    snapshot   TEXT
);
CREATE INDEX charges_by_merchant ON charges (merchant, num);
CREATE INDEX charges_by_order ON charges (merchant, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX charges_paid ON charges (merchant, order_id) WHERE is_paid = 1 AND order_id IS NOT NULL;
CREATE INDEX charges_open ON charges (num) WHERE is_open = 1;

-- How many charges there are in each state.
CREATE TABLE state_counts (
    state   TEXT   NOT NULL PRIMARY KEY,
    charges BIGINT NOT NULL
);

-- The log. A row is one batch: what one change of view, or one command, made of one charge (R2).
CREATE TABLE events (
    num            INTEGER NOT NULL PRIMARY KEY,
    charge         BIGINT  NOT NULL REFERENCES charges (num),
    first_sequence BIGINT  NOT NULL,
    last_sequence  BIGINT  NOT NULL,
    at             BIGINT  NOT NULL,
    body           TEXT    NOT NULL,
    UNIQUE (charge, last_sequence)
);

CREATE TABLE payments (
    txid                BLOB   NOT NULL,
    vout                BIGINT NOT NULL,
    charge              BIGINT NOT NULL REFERENCES charges (num),
    value               BIGINT NOT NULL,
    -- NULL outside the chain.
    height              BIGINT,
    -- NULL while it is live.
    loss                TEXT,
    first_seen_earliest BIGINT NOT NULL,
    first_seen_latest   BIGINT NOT NULL,
    -- The rate when it was first seen (R44); NULL when there was no fresh one.
    rate_cents          BIGINT,
    rate_source         TEXT,
    rate_at             BIGINT,
    PRIMARY KEY (txid, vout)
) WITHOUT ROWID;
CREATE INDEX payments_by_charge ON payments (charge);

-- Transactions that pay us, as needed to follow them: to send them again, and to notice what takes their place (R3).
CREATE TABLE payment_txs (
    txid                BLOB    NOT NULL PRIMARY KEY,
    raw                 BLOB    NOT NULL,
    -- 36 bytes an outpoint.
    inputs              BLOB    NOT NULL,
    ancestor_inputs     BLOB    NOT NULL,
    coinbase            INTEGER NOT NULL,
    height              BIGINT,
    block               BLOB,
    loss                TEXT,
    -- The height of the tip when it was lost.
    lost_at             BIGINT,
    replaced_by         BLOB,
    first_seen_earliest BIGINT  NOT NULL,
    first_seen_latest   BIGINT  NOT NULL,
    -- 1 until it is 144 blocks deep (R34).
    followed            INTEGER NOT NULL
);
CREATE INDEX payment_txs_followed ON payment_txs (followed) WHERE followed = 1;

-- The chain that the charges stand on, as far back as a fork is looked for (R6).
CREATE TABLE chain (
    height INTEGER NOT NULL PRIMARY KEY,
    hash   BLOB   NOT NULL
);

-- One row: the tip's work, and how far chain and mempool were read (R4).
CREATE TABLE tip (
    id             INTEGER NOT NULL PRIMARY KEY,
    height         BIGINT  NOT NULL,
    hash           BLOB    NOT NULL,
    work           BLOB    NOT NULL,
    observed_until BIGINT  NOT NULL
);

-- What merchants are to be told, in the transaction that decided it.
CREATE TABLE outbox (
    num          INTEGER NOT NULL PRIMARY KEY,
    id           BLOB    NOT NULL,
    merchant     BIGINT  NOT NULL REFERENCES merchants (num),
    charge       BIGINT  NOT NULL REFERENCES charges (num),
    sequence     BIGINT  NOT NULL,
    announcement TEXT    NOT NULL,
    at           BIGINT  NOT NULL
);

-- What can be erased on request, apart from the log, which cannot (R31).
CREATE TABLE personal (
    charge      INTEGER NOT NULL PRIMARY KEY REFERENCES charges (num),
    buyer_email TEXT,
    metadata    TEXT,
    notes       TEXT
);
