-- Proves what a charge was created with: its terms, its origin, its order id, its address. NULL on rows of earlier releases until the
-- first start, which proves them as they stand.
ALTER TABLE charges ADD COLUMN mac BLOB;
