-- Where each feed was read to, and what it left out or what could not be read.

CREATE TABLE feed_cursors (
    feed             text        PRIMARY KEY,
    position         jsonb,                 -- the feed's own notion; null before the first read
    drained_position jsonb,                 -- up to here everything sent was seen to leave the queue
    moved_at         timestamptz,           -- when the position last moved
    newest_killmail  timestamptz,           -- the newest killmail time accepted
    killmails        bigint      NOT NULL DEFAULT 0,  -- accepted by the queue, ever
    retry_at         timestamptz,           -- the service asked us to stay away until then
    last_error       text,
    last_error_at    timestamptz,
    lease_owner      text,
    lease_expires_at timestamptz
);

CREATE TABLE feed_holes (
    feed           text        NOT NULL,
    first_sequence bigint      NOT NULL,
    last_sequence  bigint      NOT NULL CHECK (last_sequence >= first_sequence),
    noted_at       timestamptz NOT NULL DEFAULT now(),
    closed_at      timestamptz,
    PRIMARY KEY (feed, first_sequence)
);

CREATE TABLE rejected_killmails (
    digest      bytea       PRIMARY KEY,  -- sha256 of feed, reason and raw: the same rejection is kept once
    feed        text        NOT NULL,
    killmail_id bigint,
    reason      text        NOT NULL,
    raw         text        NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT now()
);
