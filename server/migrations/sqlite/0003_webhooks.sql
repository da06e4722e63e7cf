-- What merchants are told, and what an order id stands for.

-- The price beside its document, so that charges of one order are compared without reading them (R21).
ALTER TABLE charges ADD COLUMN price BIGINT GENERATED ALWAYS AS (json_extract(terms, '$.price_cents')) VIRTUAL;
DROP INDEX charges_by_order;
CREATE INDEX charges_by_order ON charges (merchant, order_id, price) WHERE order_id IS NOT NULL;

-- Whether the order id had charges of other prices, or more than one with money, when the merchant was told (R21): a retry
-- says what the first attempt said (R35).
ALTER TABLE outbox ADD COLUMN order_conflict INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_by_merchant ON outbox (merchant, num);
