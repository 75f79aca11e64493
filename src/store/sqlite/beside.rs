//! Subjects beside in SQLite: whom else contacts count for, and the decisions that count for somebody. Counts none.

use sqlx::QueryBuilder;

use crate::domain::{DecisionId, SubjectId, SubjectKinds, Timestamp};
use crate::store::whom::{self, BesideColumns, CountedColumns};
use crate::store::{CountedFor, StoreError, StoredDecision};

use super::SqliteStore;
use super::statement::{key_pieces, push_keys};

pub(super) async fn decisions(
    store: &SqliteStore,
    subject: SubjectId,
    after: Timestamp,
) -> Result<Vec<(StoredDecision, SubjectKinds)>, StoreError> {
    // A cross join keeps the order written: the rows of the subject first, then each of their decisions by its id.
    let rows: Vec<BesideColumns> = sqlx::query_as(
        "select d.decision_id, d.subject_id, i.wrapped_key, d.at, d.request_digest, d.skeleton, d.private, d.leaf, \
             s.stands_for \
         from decision_subject s cross join decision d on d.decision_id = s.decision_id \
         left join identity i on i.subject_id = d.subject_id \
         where s.subject_id = ? and s.at > ? order by s.at, s.decision_id",
    )
    .bind(subject.0.as_slice())
    .bind(after.0)
    .fetch_all(&store.readers)
    .await?;
    rows.into_iter().map(whom::beside_decision).collect()
}

pub(super) async fn counted_for(store: &SqliteStore, decisions: &[DecisionId]) -> Result<Vec<CountedFor>, StoreError> {
    let keys: Vec<[u8; 16]> = decisions.iter().map(|id| *id.as_bytes()).collect();
    let mut counted = Vec::new();
    for piece in key_pieces(&keys) {
        let mut statement = QueryBuilder::new(
            "select c.decision_id, i.subject_id, i.wrapped_key, i.kind, c.stands_for from (\
                 select d.decision_id, d.subject_id, null as stands_for from decision d \
                 where d.subject_id is not null and not exists (\
                     select 1 from decision_subject s \
                     where s.decision_id = d.decision_id and s.subject_id = d.subject_id) \
                 and d.decision_id in ",
        );
        push_keys(&mut statement, piece);
        statement.push(
            " union all select s.decision_id, s.subject_id, s.stands_for from decision_subject s \
             where s.decision_id in ",
        );
        push_keys(&mut statement, piece);
        statement.push(
            ") c left join merged_subject m on m.subject_id = c.subject_id \
             join identity i on i.subject_id = coalesce(m.into_subject_id, c.subject_id)",
        );
        let rows: Vec<CountedColumns> = statement.build_query_as().fetch_all(&store.readers).await?;
        for row in rows {
            counted.push(whom::counted(row)?);
        }
    }
    counted.sort_by_key(|counted| (counted.decision_id, counted.subject));
    Ok(counted)
}
