-- A decision's contacts count for several subjects: whom it is for (decision.subject_id) and those beside. Here stand
-- those beside, and whom it is for where that stands for more than it would alone: a session for a household, say.
create table decision_subject (
    decision_id blob not null,
    subject_id blob not null,
    at integer not null,
    -- One bit for each kind that the subject stood for: 1 customer, 2 session, 4 household, 8 device.
    stands_for integer not null,
    primary key (decision_id, subject_id)
) without rowid;
create index decision_of_subject_beside on decision_subject (subject_id, at);

-- A customer that turned out to be another one: whoever asks for it gets the other. What was sealed for it before stays
-- sealed under its own key. A customer merged into one that is merged later points at the last, so that one look is
-- enough.
create table merged_subject (
    subject_id blob primary key,
    into_subject_id blob not null,
    at integer not null,
    by_key text not null
) without rowid;
create index merged_subject_into on merged_subject (into_subject_id);
