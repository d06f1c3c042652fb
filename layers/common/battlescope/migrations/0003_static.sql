-- CCP's static data, loaded from the tables that ship with the project, and names resolved from ESI.

CREATE TABLE regions (
    region_id bigint PRIMARY KEY,
    name      text   NOT NULL
);

CREATE TABLE solar_systems (
    system_id          bigint PRIMARY KEY,
    name               text   NOT NULL,
    constellation_id   bigint NOT NULL,
    constellation_name text   NOT NULL,
    region_id          bigint NOT NULL,
    security_status    real   NOT NULL
);

CREATE TABLE ship_types (
    ship_type_id  bigint PRIMARY KEY,
    name          text   NOT NULL,
    group_id      bigint NOT NULL,
    group_name    text   NOT NULL,
    category_id   bigint NOT NULL,
    category_name text   NOT NULL
);

-- Which edition of the shipped tables was loaded.
CREATE TABLE static_editions (
    table_name text        PRIMARY KEY,
    digest     text        NOT NULL,
    loaded_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE names (
    id          bigint      PRIMARY KEY,
    category    text        NOT NULL,
    name        text        NOT NULL,
    resolved_at timestamptz NOT NULL DEFAULT now()
);
