//! An empty database for one test, of either kind, gone when the test has passed. Knows no table.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use proffer::store::{self, Store};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

use super::postgres::postgres_url;

/// Which store.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A file in a folder of its own.
    Sqlite,
    /// A schema of its own on the private server.
    Postgres,
}

/// The database of one test.
pub struct Database {
    /// Its address, as `PROFFER` takes it.
    pub url: String,
    place: Place,
}

enum Place {
    Folder { _kept: TempDir },
    Schema(String),
}

impl Database {
    /// Makes an empty one.
    pub async fn create(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}", folder.path().join("proffer.sqlite").display());
                Self { url, place: Place::Folder { _kept: folder } }
            }
            Kind::Postgres => {
                static SCHEMAS: AtomicU32 = AtomicU32::new(0);
                let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
                let schema = format!("test_{}_{number}", std::process::id());
                // A process of the same number may have left one behind when it failed.
                execute(format!("drop schema if exists {schema} cascade")).await;
                execute(format!("create schema {schema}")).await;
                let url = postgres_url();
                let and = if url.contains('?') { '&' } else { '?' };
                Self { url: format!("{url}{and}options=-csearch_path%3D{schema}"), place: Place::Schema(schema) }
            }
        }
    }

    /// One with the content of a SQLite file, in a folder of its own: whoever had the file open may still write to it.
    pub fn copy_of(file: &std::path::Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("proffer.sqlite");
        std::fs::copy(file, &copy).unwrap();
        Self { url: format!("sqlite:{}", copy.display()), place: Place::Folder { _kept: folder } }
    }

    /// A handle with connections of its own, as another process would have.
    pub async fn open(&self) -> Arc<dyn Store> {
        store::open(&self.url, 8).await.unwrap()
    }

    /// Takes everything away that is in it, so that every call fails; on PostgreSQL only.
    pub async fn lose(&self) {
        let Place::Schema(schema) = &self.place else { panic!("an open SQLite file cannot be taken away") };
        execute(format!("drop schema {schema} cascade")).await;
        execute(format!("create schema {schema}")).await;
    }

    /// Removes it.
    pub async fn remove(self) {
        if let Place::Schema(schema) = self.place {
            execute(format!("drop schema {schema} cascade")).await;
        }
    }
}

async fn execute(sql: String) {
    let mut connection = PgConnection::connect(&postgres_url()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Runs a case against an empty database, on several threads.
pub fn run<F: Future<Output = ()>>(kind: Kind, case: impl FnOnce(Arc<Database>) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Arc::new(Database::create(kind).await);
        case(Arc::clone(&database)).await;
        if let Some(database) = Arc::into_inner(database) {
            database.remove().await;
        }
    });
}

/// Makes every case named a test against both stores.
macro_rules! on_both_stores {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $case() {
                $crate::harness::database::run($crate::harness::database::Kind::Sqlite, super::$case);
            })*
        }
        mod postgres {
            $(#[test] fn $case() {
                $crate::harness::database::run($crate::harness::database::Kind::Postgres, super::$case);
            })*
        }
    };
}

pub(crate) use on_both_stores;
