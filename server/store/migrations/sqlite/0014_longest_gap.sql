-- The longest run of unpaid addresses below one that was paid: whoever looks for payments from the wallet's seed has to look across it (R26).
ALTER TABLE descriptors ADD COLUMN longest_gap BIGINT NOT NULL DEFAULT 0;
UPDATE descriptors SET longest_gap = coalesce((
    SELECT max(gap) FROM (
        SELECT s.idx - lag(s.idx, 1, -1) OVER (ORDER BY s.idx) - 1 AS gap
        FROM scripts s JOIN charges c ON c.script = s.id
        WHERE s.descriptor = descriptors.id AND c.is_paid = 1
    )
), 0);
