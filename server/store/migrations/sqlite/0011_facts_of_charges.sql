-- Two facts of a charge that its snapshot did not hold: whether it was ever confirmed (R12), and whether its merchant was ever told
-- of money (R17). Where they were missing, what was told last stood in for them, and said yes of a charge that was only seen and
-- taken back. The log knows, and a charge must be what its log makes of it.
UPDATE charges
SET snapshot = json_set(
    snapshot,
    '$.was_confirmed', json(CASE WHEN EXISTS (
        SELECT 1 FROM events e, json_each(e.body) j
        WHERE e.charge = charges.num
          AND j.value ->> '$.kind' = 'state_changed'
          AND j.value ->> '$.state' = 'confirmed'
    ) THEN 'true' ELSE 'false' END),
    '$.was_announced', json(CASE WHEN EXISTS (
        SELECT 1 FROM events e, json_each(e.body) j
        WHERE e.charge = charges.num
          AND j.value ->> '$.kind' = 'announced'
          AND j.value ->> '$.announcement' IN ('charge:seen', 'charge:confirmed', 'charge:failed', 'charge:reverted')
    ) THEN 'true' ELSE 'false' END)
)
WHERE snapshot IS NOT NULL AND json_type(snapshot, '$.was_confirmed') IS NULL;
