-- A decision may fill several slots; the learner applies each of them by itself. What stood here before were decisions of
-- one slot, the first.
create table applied_by_slot (
    decision_id blob not null,
    slot integer not null,
    exposed integer not null,
    accepted integer not null,
    reward_minor integer not null,
    primary key (decision_id, slot)
) strict, without rowid;
insert into applied_by_slot (decision_id, slot, exposed, accepted, reward_minor)
select decision_id, 0, exposed, accepted, reward_minor from applied;
drop table applied;
alter table applied_by_slot rename to applied;
