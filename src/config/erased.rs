//! The list of who was erased, outside the database: it is applied to a backup before that serves anybody. Knows keyed
//! hashes alone, and erases nobody.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::domain::Digest;

const HEAD: &str = "# Customers of Proffer who were erased, as keyed hashes. A service whose store is older than an\n\
                    # entry erases again at its start. Keep it with the key file, apart from the database.\n";

/// Why the list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ErasedListError {
    /// The file cannot be read or written.
    #[error(
        "the list of erased customers `{path}` cannot be used; check that its folder exists and belongs to this user"
    )]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A line is no hash.
    #[error(
        "the list of erased customers `{path}` is not readable at line {line}: expected 64 hexadecimal digits; restore \
         it from its backup, or whoever is missing from it is not erased again in an old store"
    )]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
}

/// Every entry; none where there is no file yet.
pub fn read(path: &Path) -> Result<BTreeSet<Digest>, ErasedListError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(source) => return Err(ErasedListError::Io { path: path.to_owned(), source }),
    };
    let mut entries = BTreeSet::new();
    for (at, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let malformed = |_| ErasedListError::Malformed { path: path.to_owned(), line: at + 1 };
        entries.insert(Digest::from_hex(line.trim()).map_err(malformed)?);
    }
    Ok(entries)
}

/// Adds entries that are not there yet. When this returns they survive a power cut.
pub fn add(path: &Path, new: &[Digest]) -> Result<(), ErasedListError> {
    let known = read(path)?;
    let new: BTreeSet<&Digest> = new.iter().filter(|entry| !known.contains(*entry)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let failed = |source| ErasedListError::Io { path: path.to_owned(), source };
    if !path.exists() {
        super::keyfile::write_secret(path, HEAD).or_else(exists_by_now).map_err(failed)?;
    }
    let mut file = std::fs::OpenOptions::new().append(true).open(path).map_err(failed)?;
    // A line that a power cut tore would make one with the next.
    let torn = std::fs::read(path).map_err(failed)?.last().is_some_and(|last| *last != b'\n');
    let mut lines = String::from(if torn { "\n" } else { "" });
    for entry in new {
        lines.push_str(&entry.hex());
        lines.push('\n');
    }
    file.write_all(lines.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

fn exists_by_now(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_kept_once_and_a_line_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erased");
        assert_eq!(read(&path).unwrap(), BTreeSet::new());
        let (a, b) = (Digest([1; 32]), Digest([2; 32]));
        add(&path, &[a]).unwrap();
        add(&path, &[b, a, b]).unwrap();
        assert_eq!(read(&path).unwrap(), BTreeSet::from([a, b]));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!((text.lines().count(), text.matches(&a.hex()).count()), (4, 1));
        std::fs::write(&path, format!("{text}c-42\n")).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("is not readable at line 5: expected 64 hexadecimal digits"), "{error}");
    }
}
