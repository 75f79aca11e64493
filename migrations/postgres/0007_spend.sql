-- Sums of what was spent, by UTC day of the decision: kind 0 of a campaign in minor units, kind 1 of exploring at a
-- placement in millionths of the objective's unit. Derived: the learner adds differences to it in the step that stores
-- what they come from, and a fold over all decisions and outcomes gives the same.
create table spend (
    kind int2 not null,
    name text collate "C" not null,
    day int4 not null,
    amount int8 not null,
    primary key (kind, name, day)
);
