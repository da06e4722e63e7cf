-- Time alone moves more charges than before: one that has failed may still hold money that is judged as stuck when its settlement
-- time has passed (R12). Only what is marked as open is loaded at a start. Those that are settled all the same are marked as such
-- again by the first start after this.
UPDATE charges SET is_open = 1 WHERE is_paid = 1 AND state IN ('seen', 'failed');
