-- The learner's lease: who may take the next term, and from when, by this server's clock.
alter table learner
    -- Which start of the holder; a later start of the same node need not wait for the lease of the one before it.
    add column incarnation int8 not null default 0,
    -- Nobody else is elected before this instant. Every write of the holder moves it on.
    add column lease_until int8 not null default 0,
    -- By how much, in milliseconds, as the holder asked at its election.
    add column lease_ms int8 not null default 0;
