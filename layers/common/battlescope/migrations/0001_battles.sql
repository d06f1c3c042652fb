-- Killmail references, and the battles they make.
--
-- EVE ids are bigint. In `killmails`, which only the clusterer reads, an absent id is 0, as in the reference; in
-- the tables that the API reads it is null. The tables of a battle carry no foreign keys: one writer per solar
-- system (an advisory lock) keeps them whole, and a check per row would cost a third of the write path.

CREATE TABLE killmails (
    killmail_id              bigint      PRIMARY KEY,
    killmail_hash            bytea       NOT NULL,
    killmail_time            timestamptz NOT NULL,
    system_id                bigint      NOT NULL,
    component_id             bigint      NOT NULL,  -- the lowest killmail id of the links' connected component
    victim_character_id      bigint      NOT NULL,
    victim_corporation_id    bigint      NOT NULL,
    victim_alliance_id       bigint      NOT NULL,
    victim_ship_type_id      bigint      NOT NULL,
    -- one entry per attacker, most damage first
    attacker_character_ids   bigint[]    NOT NULL,
    attacker_corporation_ids bigint[]    NOT NULL,
    attacker_alliance_ids    bigint[]    NOT NULL,
    attacker_ship_type_ids   integer[]   NOT NULL,
    attacker_damage_done     integer[]   NOT NULL,
    final_blow               smallint    NOT NULL,  -- position in the arrays, from 1; 0 where nobody has it
    isk_value                bigint,
    valued_at                bigint      NOT NULL   -- Unix seconds of the upload that told the value, 0: none did
);
CREATE INDEX killmails_system_time ON killmails (system_id, killmail_time);
-- A component's members, and within it one victim's losses (a pod folds into its ship).
CREATE INDEX killmails_component_victim ON killmails (component_id, victim_character_id);

CREATE TABLE battles (
    id                  uuid        PRIMARY KEY,
    system_id           bigint      NOT NULL,
    space_type          text        NOT NULL,
    start_time          timestamptz NOT NULL,
    end_time            timestamptz NOT NULL,
    total_kills         integer     NOT NULL,  -- members, pods included
    total_isk_destroyed bigint      NOT NULL,
    zkill_related_url   text        NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    first_killmail_id   bigint      NOT NULL UNIQUE,  -- the component, and what the id is made from
    losses              integer     NOT NULL,  -- pods folded into their ships
    pilots              integer     NOT NULL,
    revision            integer     NOT NULL DEFAULT 1,
    updated_at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX battles_start ON battles (start_time, id);
CREATE INDEX battles_system_start ON battles (system_id, start_time, id);

CREATE TABLE battle_killmails (
    battle_id             uuid        NOT NULL,
    killmail_id           bigint      NOT NULL,
    zkb_url               text        NOT NULL
        GENERATED ALWAYS AS ('https://zkillboard.com/kill/' || killmail_id::text || '/') STORED,
    "timestamp"           timestamptz NOT NULL,
    system_id             bigint      NOT NULL,
    victim_alliance_id    bigint,
    attacker_alliance_ids bigint[]    NOT NULL,
    isk_value             bigint,
    side_id               smallint    NOT NULL DEFAULT 0,
    PRIMARY KEY (battle_id, killmail_id)
);

CREATE TABLE battle_participants (
    battle_id    uuid     NOT NULL,
    character_id bigint   NOT NULL,
    ship_type_id bigint   NOT NULL,  -- 0 where the killmail names none
    corp_id      bigint,
    alliance_id  bigint,
    side_id      smallint NOT NULL DEFAULT 0,
    is_victim    boolean  NOT NULL,
    PRIMARY KEY (battle_id, character_id, ship_type_id)
);
CREATE INDEX battle_participants_character ON battle_participants (character_id, battle_id);

-- Corporations and alliances on a battle's killmails, structures' owners included. One index only: what a battle's
-- entities are is told by its killmails, where they have to be found.
CREATE TABLE battle_entities (
    entity_id bigint NOT NULL,
    battle_id uuid   NOT NULL,
    PRIMARY KEY (entity_id, battle_id)
);

-- Ids that were served once and are no battle's id now; each leads to the killmail it was made from.
CREATE TABLE battle_aliases (
    id            uuid        PRIMARY KEY,
    killmail_id   bigint      NOT NULL,
    revision      integer     NOT NULL,  -- the last it had
    superseded_at timestamptz NOT NULL DEFAULT now()
);
