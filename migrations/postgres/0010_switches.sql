-- Switches and overrides that are set beside bundles. Every change, be it that one is set or that one is ended, is the
-- next revision; what was in force at a revision can be told for ever.
alter table control add column switch_revision int8 not null default 0;

create table switch (
    switch_id text collate "C" primary key,
    revision int8 not null unique,
    -- As it was asked for, as JSON.
    body text not null,
    -- It no longer holds from then on, by the time of a decision.
    until int8 not null,
    at int8 not null,
    by_key text not null
);

create table switch_end (
    switch_id text collate "C" primary key,
    revision int8 not null unique,
    why text not null,
    at int8 not null,
    by_key text not null
);

-- Who kept a bundle first, and when; null of those kept before it was written down.
alter table bundle add column at int8;
alter table bundle add column by_key text;
-- When somebody last asked every node to make it ready, by the clock of this server.
alter table bundle add column wanted_at int8;

-- What every process says of itself, by the clock of this server.
create table node_state (
    node text collate "C" primary key,
    incarnation int8 not null,
    build text not null,
    seen_at int8 not null,
    -- The bundle that it decides under, and since when.
    bundle bytea not null,
    since int8 not null,
    control_sequence int8 not null,
    -- The active bundle where it does not decide under that, why, and since when.
    refused bytea,
    refused_why text,
    refused_at int8
);

-- Which bundles a process has made ready; `failed` says why one will not be.
create table node_bundle (
    hash bytea not null,
    node text collate "C" not null,
    incarnation int8 not null,
    failed text,
    at int8 not null,
    primary key (hash, node)
);
