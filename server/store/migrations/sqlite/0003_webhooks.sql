-- What merchants are told, and what an order id stands for.

-- The price beside its document, so that charges of one order are compared without reading them (R21).
ALTER TABLE charges ADD COLUMN price BIGINT GENERATED ALWAYS AS (json_extract(terms, '$.price_cents')) VIRTUAL;
DROP INDEX charges_by_order;
CREATE INDEX charges_by_order ON charges (merchant, order_id, price) WHERE order_id IS NOT NULL;

-- Whether the order id had charges of other prices, or more than one with money, when the merchant was told (R21): a retry
-- says what the first attempt said (R35).
ALTER TABLE outbox ADD COLUMN order_conflict INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_by_merchant ON outbox (merchant, num);
-- By the id that merchants know, for what is to be told again.
CREATE UNIQUE INDEX outbox_by_id ON outbox (id);

CREATE TABLE webhooks (
    num           INTEGER NOT NULL PRIMARY KEY,
    id            BLOB    NOT NULL UNIQUE,
    merchant      BIGINT  NOT NULL REFERENCES merchants (num),
    announcement  TEXT    NOT NULL,
    url           TEXT    NOT NULL,
    -- Sealed; see server/src/seal.rs.
    secret        BLOB    NOT NULL,
    -- The secret before, which signs beside the new one until then.
    former_secret BLOB,
    former_until  BIGINT,
    -- Since when nothing is sent, because the receiver said 410 (R20).
    paused_at     BIGINT,
    -- A removed one stays, for the deliveries that it had.
    removed_at    BIGINT,
    created_at    BIGINT  NOT NULL
);
CREATE INDEX webhooks_by_merchant ON webhooks (merchant, num);

-- One row for each event and webhook, made in the transaction that makes the event.
CREATE TABLE deliveries (
    num           INTEGER NOT NULL PRIMARY KEY,
    outbox        BIGINT  NOT NULL REFERENCES outbox (num),
    webhook       BIGINT  NOT NULL REFERENCES webhooks (num),
    -- pending, delivered, given_up, cancelled
    state         TEXT    NOT NULL,
    -- Those made so far.
    attempts      BIGINT  NOT NULL DEFAULT 0,
    -- When the next one is due.
    due_at        BIGINT  NOT NULL,
    -- The newest event of the same charge that reached the same URL before this one (R19).
    superseded_by BLOB,
    finished_at   BIGINT
);
CREATE INDEX deliveries_by_webhook ON deliveries (webhook, num);
CREATE INDEX deliveries_pending ON deliveries (num) WHERE state = 'pending';

-- Each attempt of the last 90 days.
CREATE TABLE attempts (
    delivery BIGINT NOT NULL REFERENCES deliveries (num),
    attempt  BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    took_ms  BIGINT NOT NULL,
    -- NULL when there was no answer.
    status   BIGINT,
    -- Why there was none.
    failure  TEXT,
    -- The beginning of the answer.
    excerpt  TEXT,
    PRIMARY KEY (delivery, attempt)
) WITHOUT ROWID;
