-- A decision may fill several slots; the learner applies each of them by itself. What stood here before were decisions of
-- one slot, the first.
alter table applied add column slot int2 not null default 0;
alter table applied alter column slot drop default;
alter table applied drop constraint applied_pkey;
alter table applied add primary key (decision_id, slot);
