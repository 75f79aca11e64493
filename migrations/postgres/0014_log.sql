-- The log: decisions and privileged changes in one Merkle tree. What stands here is derived from batches, decisions and
-- privileged changes, appended by whoever holds the learner's lease, and never changed but at its end.

-- The position of the first decision of a batch; null until it has one.
alter table batch add column position int8;
create index batch_unlogged on batch (node, incarnation, number) where position is null;
-- A check of the log meets batches in the order of their positions.
create index batch_logged on batch (position) where position is not null;

alter table privileged_change add column position int8;
create index privileged_change_unlogged on privileged_change (sequence) where position is null;

-- Where the log ends. Every append says where it must end before it.
create table log_head (
    single integer primary key check (single = 1),
    size int8 not null,
    root bytea not null,
    -- The term under which it was appended to last.
    term int8 not null,
    -- The newest checkpoint, as a signed note, and how many leaves it is of.
    checkpoint text,
    checkpoint_size int8 not null
);
insert into log_head (single, size, root, term, checkpoint, checkpoint_size)
values (1, 0, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 0, null, 0);

-- Hashes of one level, 256 at most: a shorter tile is the beginning of what it will be.
create table log_tile (
    level int2 not null,
    number int8 not null,
    hashes bytea not null,
    primary key (level, number)
);

create table log_position (
    decision_id bytea primary key,
    position int8 not null
);

-- What stands at 256 positions, 16 bytes each: a decision's id, or eight zeros and the sequence of a privileged change.
create table log_segment (
    number int8 primary key,
    ids bytea not null
);

-- Of which positions of a segment a term is true, one bit each. Fields: 0 placement, 1 bundle, 2 offer shown, 3 rule that
-- left something out.
create table log_posting (
    field int2 not null,
    term text collate "C" not null,
    segment int8 not null,
    bits bytea not null,
    primary key (field, term, segment)
);
create index log_posting_of_segment on log_posting (segment);

-- The newest key period that a node draws under: the key of an older one may be revealed once nobody does any more.
alter table node_state add column key_period int8 not null default 0;
