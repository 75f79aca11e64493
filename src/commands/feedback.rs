//! Feedback files from disk, compressed or not, with the offers beside them. What is in a line the library checks.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use proffer::simulation::replay::UnknownFeature;
use proffer::simulation::replay::feedback::{self, Mistake, Offers};

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackFileError {
    /// It cannot be read.
    #[error("`{}` cannot be read", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No offers lie beside it.
    #[error("no offers: looked for `{}`; put the `offers.json` of the data set beside the file", .looked_for.display())]
    NoOffers {
        /// Where.
        looked_for: PathBuf,
        /// Why it cannot be read.
        #[source]
        source: std::io::Error,
    },
    /// The offers are something else.
    #[error("`{}`: {what}", .path.display())]
    Offers {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A line is wrong.
    #[error("`{}` line {line}: {what}", .path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong and what was expected.
        what: String,
    },
    /// There is nothing in it.
    #[error("`{}` has no events", .path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// A feature is asked for that the file does not have.
    #[error(transparent)]
    Feature(#[from] UnknownFeature),
}

impl FeedbackFileError {
    /// A mistake within a file, with the file's name before it.
    pub fn within(path: &Path, mistake: Mistake) -> Self {
        match mistake {
            Mistake::Line { line, what } => Self::Line { path: path.to_owned(), line, what },
            Mistake::Empty => Self::Empty { path: path.to_owned() },
        }
    }
}

/// The text of a file, compressed or not.
pub fn read_text(path: &Path) -> Result<String, FeedbackFileError> {
    let failed = |source| FeedbackFileError::Read { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(failed)?;
    let mut text = String::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).map_err(failed)?;
    } else {
        text = String::from_utf8(bytes).map_err(|error| failed(std::io::Error::other(error)))?;
    }
    Ok(text)
}

/// The text of a file and the offers beside it.
pub fn open(path: &Path) -> Result<(String, Offers), FeedbackFileError> {
    let text = read_text(path)?;
    let beside = path.with_file_name("offers.json");
    let offers = std::fs::read_to_string(&beside)
        .map_err(|source| FeedbackFileError::NoOffers { looked_for: beside.clone(), source })?;
    let offers = feedback::parse_offers(&offers).map_err(|what| FeedbackFileError::Offers { path: beside, what })?;
    Ok((text, offers))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        r#"{"id":"e1","at":"2026-01-01T00:00:00Z","customer_id":"c","context":{"age":3},"rewards":{"a":1,"b":0}}"#;

    fn read(path: &Path) -> Result<Vec<feedback::Event>, FeedbackFileError> {
        let (text, offers) = open(path)?;
        feedback::full(&text, &offers).map_err(|mistake| FeedbackFileError::within(path, mistake))
    }

    #[test]
    fn missing_offers_say_where_they_were_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.full.ndjson");
        std::fs::write(&path, GOOD).unwrap();
        let error = read(&path).unwrap_err().to_string();
        let looked_for = folder.path().join("offers.json");
        assert!(error.contains(&format!("looked for `{}`", looked_for.display())), "{error}");

        std::fs::write(&looked_for, r#"[{"offer_id":"a"},{"offer_id":"b"}]"#).unwrap();
        assert_eq!(read(&path).unwrap().len(), 1);
        std::fs::write(&path, "").unwrap();
        assert!(read(&path).unwrap_err().to_string().ends_with("has no events"));
    }

    #[test]
    fn a_compressed_file_is_read_by_what_is_in_it() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.full.ndjson.gz");
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(GOOD.as_bytes()).unwrap();
        std::fs::write(&path, writer.finish().unwrap()).unwrap();
        std::fs::write(folder.path().join("offers.json"), r#"[{"offer_id":"a"},{"offer_id":"b"}]"#).unwrap();
        assert_eq!(read(&path).unwrap()[0].id, "e1");
    }
}
