//! Operating PostgreSQL: switches set and ended, and what nodes say of themselves. Judges no switch.

use async_trait::async_trait;
use sqlx::PgConnection;

use crate::domain::{Digest, Span};
use crate::store::operate::{
    self, BundleReport, NewSwitch, NodeColumns, NodeState, Operate, ReportColumns, SWITCH, SwitchChanged,
    SwitchColumns, SwitchRow,
};
use crate::store::{By, Control, Holder, StoreError, column};

use super::PostgresStore;
use super::catalogue::{begin_change, record, replace_control};

const NOW: &str = "floor(extract(epoch from clock_timestamp()) * 1000)::int8";

async fn known(connection: &mut PgConnection, id: &str) -> Result<Option<SwitchRow>, StoreError> {
    let row: Option<SwitchColumns> = sqlx::query_as(sqlx::AssertSqlSafe(format!("{SWITCH} where s.switch_id = $1")))
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.map(operate::switch).transpose()
}

#[async_trait]
impl Operate for PostgresStore {
    async fn set_switch(&self, switch: &NewSwitch<'_>, by: By<'_>) -> Result<SwitchChanged, StoreError> {
        let (mut transaction, before) = begin_change(self).await?;
        if let Some(known) = known(&mut transaction, switch.id).await? {
            transaction.rollback().await?;
            return Ok(SwitchChanged::Known(Box::new(known)));
        }
        let after = before.with_next_switches();
        sqlx::query(
            "insert into switch (switch_id, revision, body, until, at, by_key) \
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(switch.id)
        .bind(column::signed(after.switch_revision)?)
        .bind(switch.body)
        .bind(switch.until.0)
        .bind(by.at.0)
        .bind(by.key)
        .execute(&mut *transaction)
        .await?;
        replace_control(&mut transaction, after).await?;
        record(&mut transaction, by, "switch set", switch.id).await?;
        transaction.commit().await?;
        Ok(SwitchChanged::Made(after))
    }

    async fn end_switch(&self, id: &str, why: &str, by: By<'_>) -> Result<SwitchChanged, StoreError> {
        let (mut transaction, before) = begin_change(self).await?;
        let found = known(&mut transaction, id).await?;
        let Some(found) = found.filter(|found| found.ended.is_none()) else {
            let known = known(&mut transaction, id).await?;
            transaction.rollback().await?;
            return Ok(known.map_or(SwitchChanged::Unknown, |known| SwitchChanged::Known(Box::new(known))));
        };
        let after: Control = before.with_next_switches();
        sqlx::query("insert into switch_end (switch_id, revision, why, at, by_key) values ($1, $2, $3, $4, $5)")
            .bind(&found.id)
            .bind(column::signed(after.switch_revision)?)
            .bind(why)
            .bind(by.at.0)
            .bind(by.key)
            .execute(&mut *transaction)
            .await?;
        replace_control(&mut transaction, after).await?;
        record(&mut transaction, by, "switch ended", id).await?;
        transaction.commit().await?;
        Ok(SwitchChanged::Made(after))
    }

    async fn switches_at(&self, revision: u64) -> Result<Vec<SwitchRow>, StoreError> {
        let rows: Vec<SwitchColumns> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{SWITCH} where s.revision <= $1 and (e.revision is null or e.revision > $1) and s.until > coalesce(\
                 (select at from switch where revision = $1), (select at from switch_end where revision = $1), 0) \
                 - 3600000 order by s.switch_id"
        )))
        .bind(column::signed(revision)?)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(operate::switch).collect()
    }

    async fn switch(&self, id: &str) -> Result<Option<SwitchRow>, StoreError> {
        let mut reader = self.pool.acquire().await?;
        known(&mut reader, id).await
    }

    async fn switches(&self, before: Option<u64>, limit: u32) -> Result<Vec<SwitchRow>, StoreError> {
        let rows: Vec<SwitchColumns> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{SWITCH} where s.revision < $1 order by s.revision desc limit $2"
        )))
        .bind(before.map_or(Ok(i64::MAX), column::signed)?)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(operate::switch).collect()
    }

    async fn want_bundle(&self, hash: Digest) -> Result<(), StoreError> {
        sqlx::query(sqlx::AssertSqlSafe(format!("update bundle set wanted_at = {NOW} where hash = $1")))
            .bind(hash.0.as_slice())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn wanted_bundles(&self, within: Span) -> Result<Vec<Digest>, StoreError> {
        let rows: Vec<(Vec<u8>,)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "select hash from bundle where wanted_at > {NOW} - $1 order by hash"
        )))
        .bind(within.0)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|(hash,)| column::digest(hash)).collect()
    }

    async fn report_bundle(&self, report: &BundleReport) -> Result<(), StoreError> {
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "insert into node_bundle (node, incarnation, hash, failed, at) values ($1, $2, $3, $4, {NOW}) \
             on conflict (hash, node) do update set incarnation = excluded.incarnation, failed = excluded.failed, \
                 at = excluded.at"
        )))
        .bind(&report.holder.node)
        .bind(column::signed(report.holder.incarnation)?)
        .bind(report.hash.0.as_slice())
        .bind(&report.failed)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn bundle_reports(&self, hash: Digest) -> Result<Vec<BundleReport>, StoreError> {
        let rows: Vec<ReportColumns> =
            sqlx::query_as("select node, incarnation, hash, failed, at from node_bundle where hash = $1 order by node")
                .bind(hash.0.as_slice())
                .fetch_all(&self.pool)
                .await?;
        rows.into_iter().map(operate::report).collect()
    }

    async fn report_node(&self, state: &NodeState) -> Result<(), StoreError> {
        let refused = state.refused.as_ref();
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "insert into node_state (node, incarnation, build, bundle, since, control_sequence, refused, refused_why, \
                 refused_at, key_period, seen_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, {NOW}) \
             on conflict (node) do update set incarnation = excluded.incarnation, build = excluded.build, \
                 bundle = excluded.bundle, since = excluded.since, control_sequence = excluded.control_sequence, \
                 refused = excluded.refused, refused_why = excluded.refused_why, refused_at = excluded.refused_at, \
                 key_period = excluded.key_period, seen_at = excluded.seen_at where node_state.incarnation <= excluded.incarnation"
        )))
        .bind(&state.holder.node)
        .bind(column::signed(state.holder.incarnation)?)
        .bind(&state.build)
        .bind(state.bundle.0.as_slice())
        .bind(state.since.0)
        .bind(column::signed(state.control_sequence)?)
        .bind(refused.map(|refused| refused.hash.0.as_slice()))
        .bind(refused.map(|refused| refused.why.as_str()))
        .bind(refused.map(|refused| refused.since.0))
        .bind(i64::from(state.key_period))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn forget_node(&self, holder: &Holder) -> Result<(), StoreError> {
        sqlx::query("delete from node_state where node = $1 and incarnation = $2")
            .bind(&holder.node)
            .bind(column::signed(holder.incarnation)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn nodes(&self) -> Result<Vec<NodeState>, StoreError> {
        let rows: Vec<NodeColumns> = sqlx::query_as(
            "select node, incarnation, build, seen_at, bundle, since, control_sequence, refused, refused_why, \
                 refused_at, key_period from node_state order by node",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(operate::node).collect()
    }
}
