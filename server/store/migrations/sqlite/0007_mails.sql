-- Letters that are still to be sent. A row goes once its letter is sent, or given up.
CREATE TABLE mails (
    -- Never used twice: files are named by it.
    num      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id       BLOB    NOT NULL UNIQUE,
    -- The letter, sealed under the configuration's keys: it may hold a link that lets somebody in.
    sealed   BLOB    NOT NULL,
    attempts BIGINT  NOT NULL DEFAULT 0,
    -- When it was first tried to send it; NULL: never yet.
    first_at BIGINT,
    -- From when on it is to be tried; 0: at once.
    next_at  BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX mails_by_next ON mails (next_at, num);

-- When the buyer's receipt was posted, which happens once a charge.
ALTER TABLE personal ADD COLUMN receipt_at BIGINT;
