-- The ground state: identities, subjects, decisions, consents, outcomes, learning events, and what people published.
-- Times are milliseconds since 1970. Ids and digests are bytes, so that their order is the order of their bytes;
-- names are collated "C" for the same reason.

-- The row that every batch is gated on.
create table control (
    single int2 primary key check (single = 1),
    -- Grows with every change of what decisions share.
    sequence int8 not null,
    bundle bytea,
    catalogue_revision int8 not null
);
insert into control (single, sequence, bundle, catalogue_revision) values (1, 0, null, 0);

-- Engines by name; a restart takes the next incarnation, so that batch numbers never repeat.
create table node (
    node text collate "C" primary key,
    incarnation int8 not null
);

-- The only table that knows an outside id, and the key that opens everything else about it: erasing deletes this row.
create table identity (
    subject_id bytea primary key,
    kind int2 not null,
    outside_id text collate "C" not null,
    wrapped_key bytea not null,
    unique (kind, outside_id)
);

-- No row and version 0 mean the same: no state yet. Room on the page keeps the next version beside the last one, so
-- that no index changes with it; ciphertext does not compress.
create table subject (
    subject_id bytea primary key,
    version int8 not null,
    state bytea not null
) with (fillfactor = 70);
alter table subject alter column state set storage external;

create table decision (
    decision_id bytea primary key,
    subject_id bytea,
    at int8 not null,
    request_digest bytea not null,
    skeleton bytea not null,
    private bytea not null,
    leaf bytea not null
);
alter table decision alter column private set storage external;
create index decision_of_subject on decision (subject_id, at) where subject_id is not null;

create table batch (
    node text collate "C" not null,
    incarnation int8 not null,
    number int8 not null,
    digest bytea not null,
    -- Sixteen bytes each, in the order of their leaves, so that no decision needs an index to find its batch.
    decision_ids bytea not null,
    learned boolean not null default false,
    primary key (node, incarnation, number)
);
alter table batch alter column decision_ids set storage external;
create index batch_unlearned on batch (node, incarnation, number) where not learned;

create table consent (
    subject_id bytea not null,
    -- Version of the subject that this record made.
    version int8 not null,
    position int2 not null,
    at int8 not null,
    sealed bytea not null,
    primary key (subject_id, version, position)
);

create table outcome (
    -- Keyed hash of source and event id: the same event is the same row for ever.
    key bytea primary key,
    kind int2 not null,
    occurred_at int8 not null,
    refers_to bytea,
    revenue_minor int8,
    margin_minor int8,
    currency text,
    source text not null,
    received_at int8 not null,
    decision_id bytea,
    -- Whom it is about, where that is known, and what it claimed itself (decision, offer, coupon), sealed: kept so that
    -- it can be attributed later, or by other rules.
    subject_id bytea,
    claim bytea not null,
    applied boolean not null default false
);
create index outcome_of_decision on outcome (decision_id) where decision_id is not null;
create index outcome_waiting on outcome (refers_to) where decision_id is null;
create index outcome_unapplied on outcome (received_at, key) where decision_id is not null and not applied;

-- Every write of the learner carries its term and is refused once there is a newer one.
create table learner (
    single int2 primary key check (single = 1),
    term int8 not null,
    holder text not null
);
insert into learner (single, term, holder) values (1, 0, '');

-- The head of each stream, kept apart from the events because erasure removes events.
create table model (
    model_id bytea primary key,
    sequence int8 not null
);

create table learning_event (
    model_id bytea not null,
    sequence int8 not null,
    decision_id bytea not null,
    subject_id bytea,
    sealed bytea not null,
    primary key (model_id, sequence)
);

-- What the learner has applied of a decision: the next event is the difference from this.
create table applied (
    decision_id bytea primary key,
    exposed boolean not null,
    accepted boolean not null,
    reward_minor int8 not null
);

create table checkpoint (
    model_id bytea not null,
    sequence int8 not null,
    digest bytea not null,
    state bytea not null,
    primary key (model_id, sequence)
);

create table bundle (
    hash bytea primary key,
    body text not null
);

-- Append-only: which rules were in force when.
create table activation (
    -- The control row's sequence that it made.
    sequence int8 primary key,
    hash bytea not null,
    at int8 not null,
    by_key text not null
);

-- An offer as of a revision is its newest row up to that revision.
create table offer_revision (
    offer_id text collate "C" not null,
    revision int8 not null,
    body text not null,
    primary key (offer_id, revision)
);

create table api_key (
    key_hash bytea primary key,
    name text collate "C" not null,
    roles text not null,
    created_at int8 not null,
    revoked_at int8
);
-- A revoked key frees its name.
create unique index api_key_in_force on api_key (name) where revoked_at is null;

create table outcome_source (
    name text collate "C" primary key,
    sealed_secret bytea not null,
    created_at int8 not null
);

-- Append-only: written in the transaction of the change it tells of.
create table privileged_change (
    sequence int8 generated always as identity primary key,
    at int8 not null,
    by_key text not null,
    what text not null,
    detail text not null
);

-- Stores a batch, all of it or nothing, in one round trip. The arrays of subjects come sorted by subject_id, those of
-- decisions by decision_id; in `next_versions` null stands for a state that was only read.
--
-- Order of locks, the same for everybody: the control row shared, known subjects by id, new subjects by id, decisions
-- by id. So two batches can wait for one another but never in a circle.
create function commit_batch(
    expected_sequence int8, batch_node text, batch_incarnation int8, batch_number int8, batch_digest bytea,
    batch_decision_ids bytea,
    subject_ids bytea[], versions int8[], next_versions int8[], states bytea[],
    decision_ids bytea[], decision_subjects bytea[], ats int8[], request_digests bytea[],
    skeletons bytea[], privates bytea[], leaves bytea[],
    out stored boolean, out gate int8, out stale bytea[], out known bytea[]
) language plpgsql as $$
declare
    missing int8;
    written int8;
begin
    begin
        -- Under lock: a bundle activated meanwhile waits for this batch, or this batch for it.
        select c.sequence into gate from control c for share;
        if gate <> expected_sequence then
            raise exception 'the control row has changed' using errcode = 'PF001';
        end if;

        -- Sorted before locked: an update from the arrays would lock in the order of its plan and deadlock. A row that
        -- changed while this waited for it is read again, no longer matches, and is missing from the count.
        select cardinality(subject_ids) - count(*) into missing from (
            select s.subject_id
            from unnest(subject_ids, versions) as wanted (subject_id, version)
            join subject s on s.subject_id = wanted.subject_id and s.version = wanted.version
            order by s.subject_id
            for no key update of s
        ) held;
        if missing > 0 then
            -- A row even where the state was only read: what is not there cannot be locked, and somebody else could
            -- make it before this commits.
            insert into subject (subject_id, version, state)
            select wanted.subject_id, coalesce(wanted.next_version, 0), coalesce(wanted.state, '')
            from unnest(subject_ids, versions, next_versions, states)
                as wanted (subject_id, version, next_version, state)
            where wanted.version = 0
            order by wanted.subject_id
            on conflict do nothing;
            get diagnostics written = row_count;
            if written <> missing then
                raise exception 'a subject has changed' using errcode = 'PF001';
            end if;
        end if;

        insert into decision (decision_id, subject_id, at, request_digest, skeleton, private, leaf)
        select * from unnest(decision_ids, decision_subjects, ats, request_digests, skeletons, privates, leaves)
        on conflict do nothing;
        get diagnostics written = row_count;
        if written <> cardinality(decision_ids) then
            raise exception 'a decision id is stored already' using errcode = 'PF001';
        end if;

        -- Those just inserted have their next version already.
        update subject s set version = next.version, state = next.state
        from unnest(subject_ids, next_versions, states) as next (subject_id, version, state)
        where s.subject_id = next.subject_id and s.version <> next.version;

        insert into batch (node, incarnation, number, digest, decision_ids)
        values (batch_node, batch_incarnation, batch_number, batch_digest, batch_decision_ids);
        stored := true;
        return;
    exception when sqlstate 'PF001' then
        -- Rolled back to the inner `begin`: nothing of the batch is left. What follows names every reason.
        stored := false;
    end;

    select nullif(c.sequence, expected_sequence) into gate from control c;
    stale := array(
        select wanted.subject_id
        from unnest(subject_ids, versions) as wanted (subject_id, version)
        left join subject s on s.subject_id = wanted.subject_id
        where coalesce(s.version, 0) <> wanted.version
        order by wanted.subject_id);
    known := array(select d.decision_id from decision d where d.decision_id = any (decision_ids));
end
$$;
