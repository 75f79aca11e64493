-- Who was erased, and how it went. Append-only but for what completes it.
create table erasure (
    erasure_id integer primary key,
    at integer not null,
    by_key text not null,
    -- Completed: what was learned is taken back, and the keys are gone.
    done_at integer,
    decisions integer not null default 0,
    learning_events integer not null default 0,
    outcomes integer not null default 0
) strict;

-- The outside ids as keyed hashes alone: enough to erase again in a backup from before.
create table erased_identity (
    erasure_id integer not null,
    outside_hash blob not null,
    primary key (erasure_id, outside_hash)
) strict, without rowid;
create index erased_identity_hash on erased_identity (outside_hash);

-- The internal ids, so that nobody who read one of them before can write under it again.
create table erased_subject (
    subject_id blob primary key,
    erasure_id integer not null
) strict, without rowid;

-- Keys of those being erased: the learner still needs them to take back what was learned, and nobody else.
create table erasing (
    subject_id blob primary key,
    erasure_id integer not null,
    wrapped_key blob not null
) strict, without rowid;

-- Under a legal hold nobody is erased and nothing expires.
create table legal_hold (
    hold_id integer primary key,
    subject_id blob not null,
    why text not null,
    at integer not null,
    by_key text not null,
    ended_at integer,
    ended_by text
) strict;
create unique index legal_hold_of on legal_hold (subject_id) where ended_at is null;

create index learning_event_of_subject on learning_event (subject_id) where subject_id is not null;
create index outcome_of_subject on outcome (subject_id) where subject_id is not null;
