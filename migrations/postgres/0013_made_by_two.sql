-- Stores a batch, all of it or nothing, in one round trip. The arrays of subjects come sorted by subject_id, those of
-- decisions by decision_id; in `next_versions` null stands for a state that was only read.
--
-- Order of locks, the same for everybody: the control row shared, known subjects by id, new subjects by id, decisions
-- by id. So two batches can wait for one another but never in a circle.
--
-- Somebody else may make a subject while this batch would, and only have read it: nothing has changed then, and
-- nobody could say what it was refused for. It is tried again, with that subject among the known ones.
create or replace function commit_batch(
    expected_sequence int8, batch_node text, batch_incarnation int8, batch_number int8, batch_digest bytea,
    batch_decision_ids bytea,
    subject_ids bytea[], versions int8[], next_versions int8[], states bytea[],
    decision_ids bytea[], decision_subjects bytea[], ats int8[], request_digests bytea[],
    skeletons bytea[], privates bytea[], leaves bytea[],
    beside_decisions bytea[], beside_subjects bytea[], beside_ats int8[], beside_stand_for int2[],
    out stored boolean, out gate int8, out stale bytea[], out known bytea[]
) language plpgsql as $$
declare
    missing int8;
    written int8;
begin
    for attempt in 1..8 loop
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

            insert into decision_subject (decision_id, subject_id, at, stands_for)
            select * from unnest(beside_decisions, beside_subjects, beside_ats, beside_stand_for);

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
        exit when gate is not null or cardinality(stale) > 0 or cardinality(known) > 0;
    end loop;
end
$$;
