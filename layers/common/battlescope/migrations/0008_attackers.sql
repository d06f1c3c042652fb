-- A killmail's attackers as one array of integers, since five arrays of bigint were half of what a killmail took.
--
-- One entry per attacker, most damage first, in these rows: 1 character, 2 corporation, 3 alliance, 4 ship type, 5 damage
-- done. EVE's ids fit. Where one does not, three rows more, 6 to 8, hold how often 2^31 goes into each id of rows 1 to 3,
-- and these hold the rest. `attacker_ids` reads both; `cluster.store.attackers` writes them.

CREATE FUNCTION wide_attacker_ids(attackers integer[], entry integer) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT array_agg(low + (coalesce(high, 0)::bigint << 31) ORDER BY place)
    FROM unnest(attackers[entry:entry], attackers[entry + 5:entry + 5]) WITH ORDINALITY AS id (low, high, place)
);

CREATE FUNCTION attacker_ids(attackers integer[], entry integer) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN array_length(attackers, 1) = 5 THEN attackers[entry:entry]::bigint[]
            ELSE wide_attacker_ids(attackers, entry) END;

-- A new table: columns that are dropped would cost each of its rows eight bytes for ever. Columns of eight bytes first, so
-- that none is padded.
ALTER TABLE killmails RENAME TO killmails_unpacked;
ALTER INDEX killmails_pkey RENAME TO killmails_unpacked_pkey;
ALTER INDEX killmails_system_time RENAME TO killmails_unpacked_system_time;
ALTER INDEX killmails_component_victim RENAME TO killmails_unpacked_component_victim;

CREATE TABLE killmails (
    killmail_id           bigint      NOT NULL,
    killmail_time         timestamptz NOT NULL,
    system_id             bigint      NOT NULL,
    component_id          bigint      NOT NULL,  -- the lowest killmail id of the links' connected component
    victim_character_id   bigint      NOT NULL,
    victim_corporation_id bigint      NOT NULL,
    victim_alliance_id    bigint      NOT NULL,
    victim_ship_type_id   bigint      NOT NULL,
    valued_at             bigint      NOT NULL,  -- Unix seconds of the upload that told the value, 0: none did
    isk_value             bigint,
    final_blow            smallint    NOT NULL,  -- place among the attackers, from 1; 0 where nobody has it
    killmail_hash         bytea       NOT NULL,
    attackers             integer[]   NOT NULL
);

INSERT INTO killmails
SELECT killmail_id, killmail_time, system_id, component_id, victim_character_id, victim_corporation_id, victim_alliance_id,
       victim_ship_type_id, valued_at, isk_value, final_blow, killmail_hash,
       CASE WHEN 1 << 31 > ALL (attacker_character_ids || attacker_corporation_ids || attacker_alliance_ids)
            THEN ARRAY[attacker_character_ids::integer[], attacker_corporation_ids::integer[], attacker_alliance_ids::integer[],
                       attacker_ship_type_ids, attacker_damage_done]
            ELSE ARRAY[
                ARRAY(SELECT id & 2147483647 FROM unnest(attacker_character_ids) WITH ORDINALITY AS a (id, place) ORDER BY place)::integer[],
                ARRAY(SELECT id & 2147483647 FROM unnest(attacker_corporation_ids) WITH ORDINALITY AS a (id, place) ORDER BY place)::integer[],
                ARRAY(SELECT id & 2147483647 FROM unnest(attacker_alliance_ids) WITH ORDINALITY AS a (id, place) ORDER BY place)::integer[],
                attacker_ship_type_ids,
                attacker_damage_done,
                ARRAY(SELECT id >> 31 FROM unnest(attacker_character_ids) WITH ORDINALITY AS a (id, place) ORDER BY place)::integer[],
                ARRAY(SELECT id >> 31 FROM unnest(attacker_corporation_ids) WITH ORDINALITY AS a (id, place) ORDER BY place)::integer[],
                ARRAY(SELECT id >> 31 FROM unnest(attacker_alliance_ids) WITH ORDINALITY AS a (id, place) ORDER BY place)::integer[]
            ] END
FROM killmails_unpacked
ORDER BY killmail_id;

DROP TABLE killmails_unpacked;

ALTER TABLE killmails ADD PRIMARY KEY (killmail_id);
CREATE INDEX killmails_system_time ON killmails (system_id, killmail_time);
-- A component's members, and within it one victim's losses (a pod folds into its ship).
CREATE INDEX killmails_component_victim ON killmails (component_id, victim_character_id);
