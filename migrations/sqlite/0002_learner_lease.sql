-- The learner's lease: who may take the next term, and from when, by this machine's clock.
-- Which start of the holder; a later start of the same node need not wait for the lease of the one before it.
alter table learner add column incarnation integer not null default 0;
-- Nobody else is elected before this instant. Every write of the holder moves it on.
alter table learner add column lease_until integer not null default 0;
-- By how much, in milliseconds, as the holder asked at its election.
alter table learner add column lease_ms integer not null default 0;
