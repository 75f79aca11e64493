-- The ground state: identities, subjects, decisions, consents, outcomes, learning events, and what people published.
-- Times are milliseconds since 1970. Ids and digests are bytes, so that their order is the order of their bytes.

-- The row that every batch is gated on.
create table control (
    single integer primary key check (single = 1),
    -- Grows with every change of what decisions share.
    sequence integer not null,
    bundle blob,
    catalogue_revision integer not null
) strict;
insert into control (single, sequence, bundle, catalogue_revision) values (1, 0, null, 0);

-- Engines by name; a restart takes the next incarnation, so that batch numbers never repeat.
create table node (
    node text primary key,
    incarnation integer not null
) strict, without rowid;

-- The only table that knows an outside id, and the key that opens everything else about it: erasing deletes this row.
create table identity (
    subject_id blob primary key,
    kind integer not null,
    outside_id text not null,
    wrapped_key blob not null,
    unique (kind, outside_id)
) strict, without rowid;

-- No row and version 0 mean the same: no state yet. Without rowid a commit touches one page for it, not two.
create table subject (
    subject_id blob primary key,
    version integer not null,
    state blob not null
) strict, without rowid;

-- With rowid: rows of a kilobyte inside the key's tree took three times their size.
create table decision (
    decision_id blob not null unique,
    subject_id blob,
    at integer not null,
    request_digest blob not null,
    skeleton blob not null,
    private blob not null,
    leaf blob not null
) strict;
create index decision_of_subject on decision (subject_id, at) where subject_id is not null;

create table batch (
    node text not null,
    incarnation integer not null,
    number integer not null,
    digest blob not null,
    -- Sixteen bytes each, in the order of their leaves, so that no decision needs an index to find its batch.
    decision_ids blob not null,
    learned integer not null default 0,
    primary key (node, incarnation, number)
) strict, without rowid;
create index batch_unlearned on batch (node, incarnation, number) where learned = 0;

create table consent (
    subject_id blob not null,
    -- Version of the subject that this record made.
    version integer not null,
    position integer not null,
    at integer not null,
    sealed blob not null,
    primary key (subject_id, version, position)
) strict, without rowid;

create table outcome (
    -- Keyed hash of source and event id: the same event is the same row for ever.
    key blob primary key,
    kind integer not null,
    occurred_at integer not null,
    refers_to blob,
    revenue_minor integer,
    margin_minor integer,
    currency text,
    source text not null,
    received_at integer not null,
    decision_id blob,
    -- Whom it is about, where that is known, and what it claimed itself (decision, offer, coupon), sealed: kept so that
    -- it can be attributed later, or by other rules.
    subject_id blob,
    claim blob not null,
    applied integer not null default 0
) strict, without rowid;
create index outcome_of_decision on outcome (decision_id) where decision_id is not null;
create index outcome_waiting on outcome (refers_to) where decision_id is null;
create index outcome_unapplied on outcome (received_at, key) where decision_id is not null and applied = 0;

-- Every write of the learner carries its term and is refused once there is a newer one.
create table learner (
    single integer primary key check (single = 1),
    term integer not null,
    holder text not null
) strict;
insert into learner (single, term, holder) values (1, 0, '');

-- The head of each stream, kept apart from the events because erasure removes events.
create table model (
    model_id blob primary key,
    sequence integer not null
) strict, without rowid;

create table learning_event (
    model_id blob not null,
    sequence integer not null,
    decision_id blob not null,
    subject_id blob,
    sealed blob not null,
    primary key (model_id, sequence)
) strict, without rowid;

-- What the learner has applied of a decision: the next event is the difference from this.
create table applied (
    decision_id blob primary key,
    exposed integer not null,
    accepted integer not null,
    reward_minor integer not null
) strict, without rowid;

create table checkpoint (
    model_id blob not null,
    sequence integer not null,
    digest blob not null,
    state blob not null,
    primary key (model_id, sequence)
) strict;

create table bundle (
    hash blob primary key,
    body text not null
) strict;

-- Append-only: which rules were in force when.
create table activation (
    -- The control row's sequence that it made.
    sequence integer primary key,
    hash blob not null,
    at integer not null,
    by_key text not null
) strict;

-- An offer as of a revision is its newest row up to that revision.
create table offer_revision (
    offer_id text not null,
    revision integer not null,
    body text not null,
    primary key (offer_id, revision)
) strict;

create table api_key (
    key_hash blob primary key,
    name text not null,
    roles text not null,
    created_at integer not null,
    revoked_at integer
) strict;
-- A revoked key frees its name.
create unique index api_key_in_force on api_key (name) where revoked_at is null;

create table outcome_source (
    name text primary key,
    sealed_secret blob not null,
    created_at integer not null
) strict;

-- Append-only: written in the transaction of the change it tells of.
create table privileged_change (
    sequence integer primary key,
    at integer not null,
    by_key text not null,
    what text not null,
    detail text not null
) strict;
