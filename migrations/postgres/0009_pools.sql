-- What may run out. `leased` of a pool is the sum of what engines have in hand (amount - taken of their portions) and of
-- what decisions hold; no statement lets it pass the total, which the catalogue or the rules say and the commit brings
-- along.
create table pool (
    name text collate "C" not null,
    -- When the window began that it is of; 0 where it is for good.
    period int8 not null,
    leased int8 not null,
    primary key (name, period)
) with (fillfactor = 70);

-- What campaigns had spent before is gone; what their decisions still had reserved was not counted.
insert into pool (name, period, leased)
select 'proffer.budget/' || name, 0, sum(amount)::int8 from spend where kind = 0 group by name;

-- What one start of one engine has leased, and what of it decisions took. Returned after `until`, by this server's
-- clock, or once the engine started anew: its owner finds out by its next commit.
create table portion (
    name text collate "C" not null,
    period int8 not null,
    node text collate "C" not null,
    incarnation int8 not null,
    amount int8 not null,
    taken int8 not null,
    until int8 not null,
    primary key (name, period, node, incarnation)
) with (fillfactor = 70);

-- What a slot of a decision holds of a pool. `until` is null once an order came or the reservation ended.
create table hold (
    decision_id bytea not null,
    slot int2 not null,
    name text collate "C" not null,
    period int8 not null,
    reserved int8 not null,
    sunk int8 not null,
    held int8 not null,
    until int8,
    -- Whether it is units, which only orders keep.
    units boolean not null,
    primary key (decision_id, slot, name, period)
);
-- It holds only what waits, however long the history is.
create index hold_due on hold (until, decision_id) where until is not null;
create index hold_of_pool on hold (name, period) where held <> 0;

-- Takes what a batch takes of its pools, each once and in their order, from the portion of its engine; where that is too
-- small, a further one is leased. Part of the statement that stores the batch: where too little is left it fails, and
-- nothing of the batch is stored. `totals` null: counted, and limits nobody.
--
-- Order of locks, the same for everybody and behind those of the commit: portions by their key, then pools by theirs.
create function take_from_pools(
    proceed boolean, of_node text, of_incarnation int8,
    names text[], periods int8[], amounts int8[], totals int8[], parts int8, life int8,
    hold_decisions bytea[], hold_slots int2[], hold_names text[], hold_periods int8[], hold_amounts int8[],
    hold_sunks int8[], hold_untils int8[], hold_units boolean[]
) returns boolean language plpgsql as $$
declare
    wanted record;
    until_then int8 := floor(extract(epoch from clock_timestamp()) * 1000)::int8 + life;
    in_hand int8;
    gone int8;
    missing int8;
    granted int8;
begin
    if not proceed then
        return false;
    end if;
    perform 1 from portion p
    join unnest(names, periods) as w (name, period) on p.name = w.name and p.period = w.period
    where p.node = of_node and p.incarnation = of_incarnation
    order by p.name, p.period
    for update of p;
    for wanted in
        select * from unnest(names, periods, amounts, totals) as w (name, period, amount, total)
        order by w.name collate "C", w.period
    loop
        update portion p set taken = p.taken + wanted.amount, until = until_then
        where p.name = wanted.name and p.period = wanted.period and p.node = of_node
            and p.incarnation = of_incarnation and p.amount - p.taken >= wanted.amount;
        if found then
            continue;
        end if;
        insert into pool (name, period, leased) values (wanted.name, wanted.period, 0) on conflict do nothing;
        select p.leased into gone from pool p
        where p.name = wanted.name and p.period = wanted.period for update;
        select p.amount - p.taken into in_hand from portion p
        where p.name = wanted.name and p.period = wanted.period and p.node = of_node
            and p.incarnation = of_incarnation;
        missing := wanted.amount - coalesce(in_hand, 0);
        if wanted.total is null then
            granted := missing;
        elsif wanted.total - gone < missing then
            raise exception 'too little is left of a pool' using errcode = 'PF002';
        else
            granted := greatest(missing, (wanted.total - gone) / parts);
        end if;
        update pool p set leased = p.leased + granted where p.name = wanted.name and p.period = wanted.period;
        insert into portion as p (name, period, node, incarnation, amount, taken, until)
        values (wanted.name, wanted.period, of_node, of_incarnation, granted, wanted.amount, until_then)
        on conflict (name, period, node, incarnation) do update
        set amount = p.amount + granted, taken = p.taken + wanted.amount, until = until_then;
    end loop;
    insert into hold (decision_id, slot, name, period, reserved, sunk, held, until, units)
    select h.decision_id, h.slot, h.name, h.period, h.amount, h.sunk, h.amount, h.until, h.units
    from unnest(hold_decisions, hold_slots, hold_names, hold_periods, hold_amounts, hold_sunks, hold_untils,
        hold_units) as h (decision_id, slot, name, period, amount, sunk, until, units);
    return true;
end
$$;
