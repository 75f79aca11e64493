alter table applied
    -- How many steps of its delay curve the weight of an applied slot was gained by.
    add column steps int2 not null default 0,
    -- When the next of them is due, though nothing comes; null behind the last.
    add column due_at int8;

-- It holds only what is still growing, however long the history is.
create index applied_due on applied (due_at, decision_id) where due_at is not null;
