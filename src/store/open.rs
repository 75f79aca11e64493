//! Open: from the address of a store to the store. Reads no settings.

use std::path::Path;
use std::sync::Arc;

use super::postgres::PostgresStore;
use super::sqlite::SqliteStore;
use super::{Store, StoreError};

/// Opens the store at `sqlite:PATH` or `postgres://...` and brings its tables up to date. `connections_max` bounds what
/// this process keeps to PostgreSQL: a few commits at once, and the reads beside them.
pub async fn open(url: &str, connections_max: u32) -> Result<Arc<dyn Store>, StoreError> {
    match url.split_once(':') {
        Some(("sqlite", path)) if !path.trim_start_matches('/').is_empty() => {
            // `sqlite:///data/p.db` is the usual spelling of `sqlite:/data/p.db`.
            let path = path.strip_prefix("//").unwrap_or(path);
            Ok(Arc::new(SqliteStore::open(Path::new(path)).await?))
        }
        Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
            Ok(Arc::new(PostgresStore::connect(url, connections_max).await?))
        }
        // Only what stands before the colon is repeated: the rest may hold a password.
        Some((scheme, _)) => Err(unknown(&format!("`{scheme}:...`"))),
        None => Err(unknown("the text given")),
    }
}

fn unknown(shown: &str) -> StoreError {
    StoreError::Address(format!(
        "{shown} is not the address of a store: expected `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`"
    ))
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn an_unknown_address_is_answered_with_both_forms_and_without_its_password() {
        let both = "is not the address of a store: expected `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`";
        for (url, shown) in [
            ("mysql://u:secret@h/d", "`mysql:...`"),
            ("postgres:h/d", "`postgres:...`"),
            ("sqlite:", "`sqlite:...`"),
            ("sqlite:///", "`sqlite:...`"),
            ("/var/secret.db", "the text given"),
            ("", "the text given"),
        ] {
            let error = super::open(url, 1).await.err().map(|error| error.to_string());
            assert_eq!(error, Some(format!("{shown} {both}")), "{url}");
        }
    }

    #[tokio::test]
    async fn a_path_that_cannot_be_written_is_named() {
        let error = super::open("sqlite:/nowhere/p.sqlite", 1).await.err().map(|error| error.to_string());
        assert!(error.unwrap().starts_with("`/nowhere/p.sqlite` cannot be opened for writing: "));
    }
}
