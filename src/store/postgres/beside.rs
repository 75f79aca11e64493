//! Subjects beside in PostgreSQL: whom else contacts count for, and the decisions that count for somebody. Counts none.

use crate::domain::{DecisionId, SubjectId, SubjectKinds, Timestamp};
use crate::store::whom::{self, BesideColumns, CountedColumns};
use crate::store::{CountedFor, StoreError, StoredDecision};

use super::PostgresStore;

pub(super) async fn decisions(
    store: &PostgresStore,
    subject: SubjectId,
    after: Timestamp,
) -> Result<Vec<(StoredDecision, SubjectKinds)>, StoreError> {
    let rows: Vec<BesideColumns> = sqlx::query_as(
        "select d.decision_id, d.subject_id, i.wrapped_key, d.at, d.request_digest, d.skeleton, d.private, d.leaf, \
             s.stands_for \
         from decision_subject s join decision d on d.decision_id = s.decision_id \
         left join identity i on i.subject_id = d.subject_id \
         where s.subject_id = $1 and s.at > $2 order by s.at, s.decision_id",
    )
    .bind(subject.0.as_slice())
    .bind(after.0)
    .fetch_all(&store.pool)
    .await?;
    rows.into_iter().map(whom::beside_decision).collect()
}

pub(super) async fn counted_for(
    store: &PostgresStore,
    decisions: &[DecisionId],
) -> Result<Vec<CountedFor>, StoreError> {
    let rows: Vec<CountedColumns> = sqlx::query_as(
        "select c.decision_id, i.subject_id, i.wrapped_key, i.kind, c.stands_for from (\
             select d.decision_id, d.subject_id, null::int2 as stands_for from decision d \
             where d.decision_id = any ($1) and d.subject_id is not null and not exists (\
                 select from decision_subject s where s.decision_id = d.decision_id and s.subject_id = d.subject_id) \
             union all select s.decision_id, s.subject_id, s.stands_for from decision_subject s \
             where s.decision_id = any ($1)) c \
         left join merged_subject m on m.subject_id = c.subject_id \
         join identity i on i.subject_id = coalesce(m.into_subject_id, c.subject_id) \
         order by c.decision_id, i.subject_id",
    )
    .bind(decisions.iter().map(|id| id.as_bytes().as_slice()).collect::<Vec<_>>())
    .fetch_all(&store.pool)
    .await?;
    rows.into_iter().map(whom::counted).collect()
}
