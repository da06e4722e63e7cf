-- A charge's payments stand in rows of their own, one document each: a charge's document does not grow with what strangers send,
-- and an event writes what it changed. NULL: the payment still stands in its charge's document, which is of an earlier release.
ALTER TABLE payments ADD COLUMN body TEXT;
