-- What the API's lists, searches and change feed are read by.

-- The hours since 1970 in which a battle began, beside its entities and participants: their lists are read newest
-- first from an index, at the same cost however many battles they have. Hours, because a battle that turns out to have
-- begun a little earlier then changes nothing here.
ALTER TABLE battle_entities ADD COLUMN start_hour integer;
ALTER TABLE battle_participants ADD COLUMN start_hour integer;
UPDATE battle_entities e SET start_hour = floor(extract(epoch FROM b.start_time) / 3600)
FROM battles b WHERE b.id = e.battle_id;
UPDATE battle_participants p SET start_hour = floor(extract(epoch FROM b.start_time) / 3600)
FROM battles b WHERE b.id = p.battle_id;
ALTER TABLE battle_entities ALTER COLUMN start_hour SET NOT NULL;
ALTER TABLE battle_participants ALTER COLUMN start_hour SET NOT NULL;

-- Still one index only; all rows of a battle have the same hour.
ALTER TABLE battle_entities DROP CONSTRAINT battle_entities_pkey;
ALTER TABLE battle_entities ADD PRIMARY KEY (entity_id, start_hour, battle_id);
-- Smaller than the one it replaces; whether a character is in a battle is asked of the primary key.
DROP INDEX battle_participants_character;
CREATE INDEX battle_participants_character ON battle_participants (character_id, start_hour);

-- The region a battle's system lies in, null where the static data does not know it.
ALTER TABLE battles ADD COLUMN region_id bigint;
UPDATE battles b SET region_id = s.region_id FROM solar_systems s WHERE s.system_id = b.system_id;

-- The transaction that last changed it. The change feed serves only what is older than every transaction still running,
-- so nothing that commits late is stepped over.
ALTER TABLE battles ADD COLUMN changed_in xid8 NOT NULL DEFAULT pg_current_xact_id();
ALTER TABLE battle_aliases ADD COLUMN changed_in xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX battles_changed ON battles (changed_in, id);
CREATE INDEX battle_aliases_changed ON battle_aliases (changed_in, id);

-- One for each order of a list.
CREATE INDEX battles_end ON battles (end_time, id);
CREATE INDEX battles_isk ON battles (total_isk_destroyed, id);
CREATE INDEX battles_kills ON battles (total_kills, id);
CREATE INDEX battles_pilots ON battles (pilots, id);

-- For filters that few battles pass, newest first. Most battles are in known space, so that needs none.
CREATE INDEX battles_region_start ON battles (region_id, start_time, id);
CREATE INDEX battles_space_start ON battles (space_type, start_time, id) WHERE space_type <> 'kspace';
CREATE INDEX battles_start_kills_10 ON battles (start_time, id) WHERE total_kills >= 10;
CREATE INDEX battles_start_kills_50 ON battles (start_time, id) WHERE total_kills >= 50;
CREATE INDEX battles_start_kills_250 ON battles (start_time, id) WHERE total_kills >= 250;
CREATE INDEX battles_start_pilots_30 ON battles (start_time, id) WHERE pilots >= 30;
CREATE INDEX battles_start_pilots_100 ON battles (start_time, id) WHERE pilots >= 100;
CREATE INDEX battles_start_pilots_500 ON battles (start_time, id) WHERE pilots >= 500;
CREATE INDEX battles_start_isk_1b ON battles (start_time, id) WHERE total_isk_destroyed >= 1000000000;
CREATE INDEX battles_start_isk_10b ON battles (start_time, id) WHERE total_isk_destroyed >= 10000000000;
CREATE INDEX battles_start_isk_100b ON battles (start_time, id) WHERE total_isk_destroyed >= 100000000000;

-- Search: by the beginning of a name, by the beginnings of its words, and, where the database has pg_trgm, by what a
-- name is like.
CREATE INDEX names_beginning ON names (lower(name) text_pattern_ops);
CREATE INDEX names_words ON names USING gin (to_tsvector('simple', name));
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX names_likeness ON names USING gin (lower(name) gin_trgm_ops);
EXCEPTION
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
        RAISE NOTICE 'pg_trgm is not to be had here (%), so searches forgive no typing errors', SQLERRM;
END
$$;
