//! Spending in SQLite: sums that the learner adds to, read back. Plans nothing.

use sqlx::{QueryBuilder, SqliteConnection};

use crate::domain::{Day, Spend};
use crate::store::column::{self, SpendColumns};
use crate::store::{Spent, StoreError};

use super::SqliteStore;
use super::statement::row_pieces;

pub(super) async fn add(connection: &mut SqliteConnection, spent: &Spent) -> Result<(), StoreError> {
    let rows: Vec<SpendColumns> = spent.iter().map(column::spend).collect();
    for piece in row_pieces(&rows) {
        let mut statement = QueryBuilder::new("insert into spend (kind, name, day, amount) ");
        statement.push_values(piece, |mut row, (kind, name, day, amount)| {
            row.push_bind(*kind).push_bind(name).push_bind(*day).push_bind(*amount);
        });
        statement.push(" on conflict (kind, name, day) do update set amount = spend.amount + excluded.amount");
        statement.build().execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn read(store: &SqliteStore, day: Day) -> Result<Spend, StoreError> {
    let rows: Vec<SpendColumns> = sqlx::query_as(
        "select kind, name, max(day), sum(amount) from spend where kind = 0 or day = ? group by kind, name",
    )
    .bind(day.0)
    .fetch_all(&store.readers)
    .await?;
    column::spent(day, rows)
}
