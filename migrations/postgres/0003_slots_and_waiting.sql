-- The slot of its decision that an outcome belongs to, from zero; -1 for all of them, which an impression may mean.
alter table outcome add column slot int2 not null default 0;

-- The decision an outcome names while that decision is not known. It is looked for when decisions are learned from, so
-- that a commit has nothing to do with it.
alter table outcome add column awaits bytea;
create index outcome_awaiting on outcome (awaits) where decision_id is null and awaits is not null;
