//! What the lock on the control row promises in PostgreSQL, with the other side played by hand.

use std::sync::Arc;

use proffer::store::Store;
use sqlx::{Connection as _, PgConnection, raw_sql};

use super::make::{BY, batch, decision, digest, refused};
use crate::harness::database::{Database, Kind, run};

async fn connect(database: &Database) -> PgConnection {
    PgConnection::connect(&database.url).await.unwrap()
}

async fn execute(connection: &mut PgConnection, sql: &'static str) {
    raw_sql(sql).execute(connection).await.unwrap();
}

/// Waits until somebody waits for a lock on the control row or its table.
async fn somebody_waits(database: &Database) {
    let mut observer = connect(database).await;
    let waiting = "select exists (select from pg_locks mine join pg_locks theirs using (pid) \
        where mine.relation = 'control'::regclass and not theirs.granted)";
    while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut observer).await.unwrap() {}
}

fn activate(store: &Arc<dyn Store>) -> tokio::task::JoinHandle<u64> {
    let store = Arc::clone(store);
    tokio::spawn(async move { store.activate_bundle(digest(1), "rules", BY).await.unwrap().sequence })
}

#[test]
fn a_commit_waits_for_a_change_of_the_control_row_and_is_refused() {
    run(Kind::Postgres, async |database| {
        let store = database.open().await;
        let mut change = connect(&database).await;
        execute(&mut change, "begin; lock table control in exclusive mode; update control set sequence = 1").await;
        let commit = tokio::spawn(async move {
            refused(&*store, &batch(1, vec![], vec![decision(1, None)]), Some(1), &[], &[]).await;
        });
        tokio::select! {
            () = somebody_waits(&database) => {}
            () = async { while !commit.is_finished() { tokio::task::yield_now().await; } } => {}
        }
        execute(&mut change, "commit").await;
        commit.await.unwrap();
    });
}

#[test]
fn an_activation_waits_for_the_commits_in_progress() {
    run(Kind::Postgres, async |database| {
        let store = database.open().await;
        let mut commit = connect(&database).await;
        execute(&mut commit, "begin; select sequence from control for share").await;
        let activation = activate(&store);
        somebody_waits(&database).await;
        assert!(!activation.is_finished());
        execute(&mut commit, "commit").await;
        assert_eq!(activation.await.unwrap(), 1);
    });
}

#[test]
fn commits_that_overlap_without_end_do_not_keep_an_activation_waiting() {
    run(Kind::Postgres, async |database| {
        let store = database.open().await;
        let mut commits = [connect(&database).await, connect(&database).await];
        execute(&mut commits[0], "begin; select sequence from control for share").await;
        let activation = activate(&store);
        somebody_waits(&database).await;
        let mut overlaps = 0;
        for round in 1..20 {
            execute(&mut commits[round % 2], "begin; set local lock_timeout = '50ms'").await;
            let share = raw_sql("select sequence from control for share").execute(&mut commits[round % 2]).await;
            execute(&mut commits[(round + 1) % 2], "rollback").await;
            if share.is_err() {
                break;
            }
            overlaps += 1;
        }
        assert!(overlaps < 19, "the activation never got its turn");
        for commit in &mut commits {
            execute(commit, "rollback").await;
        }
        assert_eq!(activation.await.unwrap(), 1);
    });
}
