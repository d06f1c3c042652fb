-- Whole days of history: which were imported, how complete each day is, and what things are worth.

-- Days imported by `battlescope backfill`. A day whose file did not change since is not read again.
CREATE TABLE history_days (
    day           date        NOT NULL,
    source        text        NOT NULL,
    etag          text,                  -- of the file as it was imported; of a local file its name, size and age
    last_modified text,
    killmails     integer     NOT NULL,
    rejected      integer     NOT NULL,
    asked_at      timestamptz NOT NULL DEFAULT now(),  -- when the source was last asked for it
    PRIMARY KEY (day, source)
);

-- What repair found: of the killmails that R2Z2 lists for a day, how many we held when it looked.
CREATE TABLE day_completeness (
    day          date        PRIMARY KEY,
    feed_total   integer     NOT NULL,  -- R2Z2's count when the day was checked; another one now means: look again
    expected     integer     NOT NULL,  -- ids listed
    held         integer     NOT NULL,  -- of those, stored when it was checked
    missing_sent integer     NOT NULL,  -- of those not held, put into the queue by that check
    unobtainable integer     NOT NULL,  -- of those not held, known to be no killmail or not to be had
    checked_at   timestamptz NOT NULL DEFAULT now()
);

-- Jobs of which one runs at a time.
CREATE TABLE leases (
    name       text        PRIMARY KEY,
    owner      text,
    expires_at timestamptz,
    not_before timestamptz  -- an outside service asked us to stay away until then
);

-- ESI's market prices, in ISK.
CREATE TABLE type_prices (
    type_id    bigint        PRIMARY KEY,
    price      numeric(20,2) NOT NULL CHECK (price > 0),
    fetched_at timestamptz   NOT NULL DEFAULT now()
);

CREATE INDEX rejected_killmails_killmail ON rejected_killmails (killmail_id);
