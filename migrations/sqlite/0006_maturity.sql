-- How many steps of its delay curve the weight of an applied slot was gained by.
alter table applied add column steps integer not null default 0;

-- When the next of them is due, though nothing comes; null behind the last, so that the index holds only what is still
-- growing, however long the history is.
alter table applied add column due_at integer;
create index applied_due on applied (due_at, decision_id) where due_at is not null;
