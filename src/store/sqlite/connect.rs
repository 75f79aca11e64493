//! Connections to a SQLite file: how they are made, and the file with them. Runs no statement.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqliteConnection};

/// How long a write waits for another process, such as a command line beside a running service.
const BUSY: Duration = Duration::from_secs(5);

/// Pages in the write-ahead log before they are moved into the file (16 MB). The move stalls the commit that does it:
/// the default of 1000 stalls often, much more than this stalls for long.
const CHECKPOINT_PAGES: &str = "4000";

/// Memory for pages of the writer, in KiB where negative. More was measured to be slower.
const CACHE: &str = "-16000";

pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(false)
        .statement_cache_capacity(200)
        .disable_statement_logging()
}

pub(super) async fn writer(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("cache_size", CACHE)
        // What is erased is overwritten.
        .pragma("secure_delete", "on")
        // On macOS a plain sync stops at the drive's cache; elsewhere these change nothing.
        .pragma("fullfsync", "on")
        .pragma("checkpoint_fullfsync", "on")
        .connect()
        .await
}

/// Makes the file, readable by its owner only; SQLite gives the log beside it the same mode.
pub(super) fn create(path: &Path) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new();
    file.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map(|_| ())
}
