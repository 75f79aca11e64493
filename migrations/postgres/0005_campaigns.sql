-- A campaign as of a revision is its newest row up to that revision. Revisions are those of the whole catalogue.
create table campaign_revision (
    campaign_id text collate "C" not null,
    revision int8 not null,
    body text not null,
    primary key (campaign_id, revision)
);

-- Who made which revision of the catalogue, and when.
create table catalogue_revision (
    revision int8 primary key,
    at int8 not null,
    by_key text not null
);

-- Those made before were told of only in words: `revision 12: 3 offers`.
insert into catalogue_revision (revision, at, by_key)
select split_part(substr(detail, 10), ':', 1)::int8, at, by_key
from privileged_change where what = 'offers imported';

-- A change with a name of its own is made once, however often it is asked for.
create table catalogue_request (
    request_id text collate "C" primary key,
    revision int8 not null
);
