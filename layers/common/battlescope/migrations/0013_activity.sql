-- Search finds the most active of those whose names begin as typed without reading the names of all the others: how active
-- somebody is stands beside the name, and who is has indexes of their own.
ALTER TABLE names ADD COLUMN activity smallint NOT NULL DEFAULT 0;  -- battles, at most 1000; as of the latest upkeep

-- In how many battles somebody was, at most 1000; a pilot's ships count one by one.
CREATE FUNCTION activity_of(id bigint, category text) RETURNS smallint LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN category = 'character' THEN (
        SELECT count(*) FROM (SELECT FROM battle_participants p WHERE p.character_id = activity_of.id LIMIT 1000) AS counted
    )
    ELSE (SELECT count(*) FROM (SELECT FROM battle_entities e WHERE e.entity_id = activity_of.id LIMIT 1000) AS counted)
END;

DROP INDEX names_beginning;
CREATE INDEX names_beginning ON names (category, lower(name) text_pattern_ops);
CREATE INDEX names_beginning_active ON names (category, lower(name) text_pattern_ops) WHERE activity BETWEEN 32 AND 999;
CREATE INDEX names_beginning_busy ON names (category, lower(name) text_pattern_ops) WHERE activity >= 1000;
CREATE INDEX names_words_active ON names USING gin (to_tsvector('simple', name)) WHERE activity BETWEEN 32 AND 999;
CREATE INDEX names_words_busy ON names USING gin (to_tsvector('simple', name)) WHERE activity >= 1000;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') THEN
        CREATE INDEX names_likeness_active ON names USING gin (lower(name) gin_trgm_ops) WHERE activity >= 32;
    END IF;
END
$$;
