-- What the dashboard looks for, each found by a step into an index.

-- By the time of making, newest first.
CREATE INDEX charges_by_time ON charges (merchant, created_at);
-- By state, in the order of the list.
CREATE INDEX charges_by_state ON charges (merchant, state, created_at);
CREATE INDEX personal_by_email ON personal (buyer_email) WHERE buyer_email IS NOT NULL;
-- What became of what a merchant was told about one charge.
CREATE INDEX outbox_by_charge ON outbox (charge);
CREATE INDEX deliveries_by_outbox ON deliveries (outbox);

-- The merchant's own words about a charge. Like all that may name a person, they stand beside the log and can be erased (R31).
CREATE TABLE charge_notes (
    charge     INTEGER NOT NULL PRIMARY KEY REFERENCES charges (num),
    text       TEXT    NOT NULL,
    written_at BIGINT  NOT NULL
);
