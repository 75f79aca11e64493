//! Spending in PostgreSQL: sums that the learner adds to, read back. Plans nothing.

use sqlx::PgConnection;

use crate::domain::{Day, Spend};
use crate::store::column::{self, SpendColumns};
use crate::store::{Spent, StoreError};

use super::PostgresStore;

pub(super) async fn add(connection: &mut PgConnection, spent: &Spent) -> Result<(), StoreError> {
    if spent.is_empty() {
        return Ok(());
    }
    let rows: Vec<SpendColumns> = spent.iter().map(column::spend).collect();
    sqlx::query(
        "insert into spend (kind, name, day, amount) \
         select * from unnest($1::int2[], $2::text[], $3::int4[], $4::int8[]) \
         on conflict (kind, name, day) do update set amount = spend.amount + excluded.amount",
    )
    .bind(rows.iter().map(|row| row.0).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.1.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.2).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.3).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn read(store: &PostgresStore, day: Day) -> Result<Spend, StoreError> {
    let rows: Vec<SpendColumns> = sqlx::query_as(
        "select kind, name, max(day), sum(amount)::int8 from spend where kind = 0 or day = $1 group by kind, name",
    )
    .bind(day.0)
    .fetch_all(&store.pool)
    .await?;
    column::spent(day, rows)
}
