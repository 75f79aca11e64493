-- A campaign as of a revision is its newest row up to that revision. Revisions are those of the whole catalogue.
create table campaign_revision (
    campaign_id text not null,
    revision integer not null,
    body text not null,
    primary key (campaign_id, revision)
) strict;

-- Who made which revision of the catalogue, and when.
create table catalogue_revision (
    revision integer primary key,
    at integer not null,
    by_key text not null
) strict;

-- Those made before were told of only in words: `revision 12: 3 offers`.
insert into catalogue_revision (revision, at, by_key)
select cast(substr(detail, 10, instr(detail, ':') - 10) as integer), at, by_key
from privileged_change where what = 'offers imported';

-- A change with a name of its own is made once, however often it is asked for.
create table catalogue_request (
    request_id text primary key,
    revision integer not null
) strict, without rowid;
