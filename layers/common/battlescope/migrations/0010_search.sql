-- Systems and ship types are searched as names are: each was read whole at every search, and its words told anew.
CREATE INDEX solar_systems_beginning ON solar_systems (lower(name) text_pattern_ops);
CREATE INDEX solar_systems_words ON solar_systems USING gin (to_tsvector('simple', name));
CREATE INDEX ship_types_beginning ON ship_types (lower(name) text_pattern_ops);
CREATE INDEX ship_types_words ON ship_types USING gin (to_tsvector('simple', name));
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') THEN
        CREATE INDEX solar_systems_likeness ON solar_systems USING gin (lower(name) gin_trgm_ops);
        CREATE INDEX ship_types_likeness ON ship_types USING gin (lower(name) gin_trgm_ops);
    END IF;
END
$$;
