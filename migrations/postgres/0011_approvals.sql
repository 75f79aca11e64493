-- Append-only: who approved what. Decisions are gated on the control row, so that each of these is obeyed by the very
-- next one.
create table approval (
    -- The control row's sequence that it made.
    sequence int8 primary key,
    -- A use of an attribute, an offer or the bundle, as JSON.
    matter text not null,
    -- The hash of what was seen: whatever is edited afterwards is approved by nobody.
    pinned bytea not null,
    authority text not null,
    at int8 not null,
    by_key text not null,
    expires int8 not null,
    note text not null
);

create table approval_revoked (
    approval int8 primary key references approval (sequence),
    -- The control row's sequence that it made.
    sequence int8 not null,
    at int8 not null,
    by_key text not null,
    note text not null
);
