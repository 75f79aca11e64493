-- What may run out. `leased` of a pool is the sum of what engines have in hand (amount - taken of their portions) and of
-- what decisions hold; no statement lets it pass the total, which the catalogue or the rules say and the commit brings
-- along.
create table pool (
    name text not null,
    -- When the window began that it is of; 0 where it is for good.
    period integer not null,
    leased integer not null,
    primary key (name, period)
) strict, without rowid;

-- What campaigns had spent before is gone; what their decisions still had reserved was not counted.
insert into pool (name, period, leased)
select 'proffer.budget/' || name, 0, cast(sum(amount) as integer) from spend where kind = 0 group by name;

-- What one start of one engine has leased, and what of it decisions took. Returned after `until`, by this machine's
-- clock, or once the engine started anew: its owner finds out by its next commit.
create table portion (
    name text not null,
    period integer not null,
    node text not null,
    incarnation integer not null,
    amount integer not null,
    taken integer not null,
    until integer not null,
    primary key (name, period, node, incarnation)
) strict, without rowid;

-- What a slot of a decision holds of a pool. `until` is null once an order came or the reservation ended.
create table hold (
    decision_id blob not null,
    slot integer not null,
    name text not null,
    period integer not null,
    reserved integer not null,
    sunk integer not null,
    held integer not null,
    until integer,
    -- Whether it is units, which only orders keep.
    units integer not null,
    primary key (decision_id, slot, name, period)
) strict, without rowid;
-- It holds only what waits, however long the history is.
create index hold_due on hold (until, decision_id) where until is not null;
create index hold_of_pool on hold (name, period) where held <> 0;
