-- Who was on which side, and the evidence that it is told from.

-- Per affiliation and per pair of affiliations, as `battlescope.evidence.to_json` writes it; text, since it is read and
-- written whole. Null only where a battle was stored before sides were told: `battlescope maintain` tells them.
ALTER TABLE battles ADD COLUMN evidence json;

CREATE TABLE battle_sides (
    battle_id       uuid             NOT NULL,
    side_id         smallint         NOT NULL,  -- from 1, the most pilots first; 0: third parties, or undecided
    affiliation_ids bigint[]         NOT NULL,  -- the most pilots first
    pilots          integer          NOT NULL,  -- who flew in two names of the side counts in both
    losses          integer          NOT NULL,  -- pods folded into their ships
    isk_lost        bigint           NOT NULL,
    isk_destroyed   bigint           NOT NULL,  -- of other sides' losses its share of the players' damage; rounded down
    efficiency      double precision GENERATED ALWAYS AS (  -- destroyed, of destroyed and lost
        isk_destroyed::double precision / nullif(isk_destroyed + isk_lost, 0)
    ) STORED,
    PRIMARY KEY (battle_id, side_id)
);
