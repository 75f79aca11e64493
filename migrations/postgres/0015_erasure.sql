-- Who was erased, and how it went. Append-only but for what completes it.
create table erasure (
    erasure_id int8 generated always as identity primary key,
    at int8 not null,
    by_key text not null,
    -- Completed: what was learned is taken back, and the keys are gone.
    done_at int8,
    decisions int8 not null default 0,
    learning_events int8 not null default 0,
    outcomes int8 not null default 0
);

-- The outside ids as keyed hashes alone: enough to erase again in a backup from before.
create table erased_identity (
    erasure_id int8 not null,
    outside_hash bytea not null,
    primary key (erasure_id, outside_hash)
);
create index erased_identity_hash on erased_identity (outside_hash);

-- The internal ids, so that nobody who read one of them before can write under it again.
create table erased_subject (
    subject_id bytea primary key,
    erasure_id int8 not null
);

-- Keys of those being erased: the learner still needs them to take back what was learned, and nobody else.
create table erasing (
    subject_id bytea primary key,
    erasure_id int8 not null,
    wrapped_key bytea not null
);

-- Under a legal hold nobody is erased and nothing expires.
create table legal_hold (
    hold_id int8 generated always as identity primary key,
    subject_id bytea not null,
    why text not null,
    at int8 not null,
    by_key text not null,
    ended_at int8,
    ended_by text
);
create unique index legal_hold_of on legal_hold (subject_id) where ended_at is null;

create index learning_event_of_subject on learning_event (subject_id) where subject_id is not null;
create index outcome_of_subject on outcome (subject_id) where subject_id is not null;
