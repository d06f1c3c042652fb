-- Entities name their battle by its first killmail, which takes half the room of its id, in the row and in its index.
-- New tables again, since a dropped column would cost each row eight bytes for ever.

ALTER TABLE battle_entities RENAME TO battle_entities_by_id;
ALTER INDEX battle_entities_pkey RENAME TO battle_entities_by_id_pkey;

CREATE TABLE battle_entities (
    entity_id         bigint  NOT NULL,
    first_killmail_id bigint  NOT NULL,
    start_hour        integer NOT NULL  -- hours since 1970, of the battle's start
);

INSERT INTO battle_entities
SELECT e.entity_id, b.first_killmail_id, e.start_hour
FROM battle_entities_by_id e JOIN battles b ON b.id = e.battle_id
ORDER BY 1, 3, 2;

DROP TABLE battle_entities_by_id;
ALTER TABLE battle_entities ADD PRIMARY KEY (entity_id, start_hour, first_killmail_id);
