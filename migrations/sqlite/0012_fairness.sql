-- What was measured for the fairness gates of bundles: kept under the hash of the text, which bundles name. No row is
-- ever changed; who made it when stands in privileged_change.
create table fairness_report (
    hash blob primary key,
    body text not null
) strict;
