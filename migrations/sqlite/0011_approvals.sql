-- Append-only: who approved what. Decisions are gated on the control row, so that each of these is obeyed by the very
-- next one.
create table approval (
    -- The control row's sequence that it made.
    sequence integer primary key,
    -- A use of an attribute, an offer or the bundle, as JSON.
    matter text not null,
    -- The hash of what was seen: whatever is edited afterwards is approved by nobody.
    pinned blob not null,
    authority text not null,
    at integer not null,
    by_key text not null,
    expires integer not null,
    note text not null
) strict;

create table approval_revoked (
    approval integer primary key references approval (sequence),
    -- The control row's sequence that it made.
    sequence integer not null,
    at integer not null,
    by_key text not null,
    note text not null
) strict;
