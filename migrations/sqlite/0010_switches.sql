-- Switches and overrides that are set beside bundles. Every change, be it that one is set or that one is ended, is the
-- next revision; what was in force at a revision can be told for ever.
alter table control add column switch_revision integer not null default 0;

create table switch (
    switch_id text primary key,
    revision integer not null unique,
    -- As it was asked for, as JSON.
    body text not null,
    -- It no longer holds from then on, by the time of a decision.
    until integer not null,
    at integer not null,
    by_key text not null
) strict, without rowid;

create table switch_end (
    switch_id text primary key,
    revision integer not null unique,
    why text not null,
    at integer not null,
    by_key text not null
) strict, without rowid;

-- Who kept a bundle first, and when; null of those kept before it was written down.
alter table bundle add column at integer;
alter table bundle add column by_key text;
-- When somebody last asked every node to make it ready, by this machine's clock.
alter table bundle add column wanted_at integer;

-- What every process says of itself, by this machine's clock.
create table node_state (
    node text primary key,
    incarnation integer not null,
    build text not null,
    seen_at integer not null,
    -- The bundle that it decides under, and since when.
    bundle blob not null,
    since integer not null,
    control_sequence integer not null,
    -- The active bundle where it does not decide under that, why, and since when.
    refused blob,
    refused_why text,
    refused_at integer
) strict, without rowid;

-- Which bundles a process has made ready; `failed` says why one will not be.
create table node_bundle (
    hash blob not null,
    node text not null,
    incarnation integer not null,
    failed text,
    at integer not null,
    primary key (hash, node)
) strict, without rowid;
