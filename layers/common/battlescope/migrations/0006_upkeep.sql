-- Upkeep: how far each of its steps is, and names that are cached with their age.

CREATE TABLE maintenance_progress (
    step        text        PRIMARY KEY,
    position    jsonb       NOT NULL,  -- the step's own notion
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz            -- null while there is more to do
);

-- Ids that ESI knew no name for, so that they are not asked for at every run.
CREATE TABLE unresolvable_names (
    id       bigint      PRIMARY KEY,
    asked_at timestamptz NOT NULL DEFAULT now()
);

-- The oldest names are asked for again first.
CREATE INDEX names_resolved ON names (resolved_at);
