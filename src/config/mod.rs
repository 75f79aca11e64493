//! Config: settings and where they come from. Starts nothing.
//!
//! Defaults, then a TOML file, then `PROFFER_...` environment variables (and `DATABASE_URL`), then flags.

pub mod erased;

pub mod keyfile;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Why settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings file `{path}` cannot be read")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file or a variable says something that is no setting.
    #[error("{place}: {what}")]
    Malformed {
        /// Which file or variable.
        place: String,
        /// What is wrong and what was expected.
        what: String,
    },
}

/// Who may read `/metrics` without a key. With a key of the role `operate` it can always be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricsAccess {
    /// Everybody, where the service listens on loopback addresses only; nobody elsewhere.
    #[default]
    Loopback,
    /// Everybody.
    Open,
    /// Nobody.
    Key,
}

/// Every setting of `proffer serve`, as `--print-config` shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address and port to listen on.
    pub listen: String,
    /// Who may read `/metrics` without a key: `loopback`, `open` or `key`.
    pub metrics: MetricsAccess,
    /// `sqlite:PATH` or `postgres://...`.
    pub store: String,
    /// Folder of the policy bundle.
    pub policies: PathBuf,
    /// File with master and generator keys; made at first start.
    pub key_file: PathBuf,
    /// File with the keyed hashes of customers who were erased; applied to a store that is older at every start.
    pub erased_file: PathBuf,
    /// File that the first admin key is written to.
    pub admin_key_file: PathBuf,
    /// Name of this node, stable over restarts.
    pub node: String,
    /// Whose store.
    pub tenant: String,
    /// Decision engines in this process; 0 means one per core on PostgreSQL and one on SQLite.
    pub engines: usize,
    /// Decisions in one commit at most.
    pub batch_decisions_max: usize,
    /// Requests that may wait in one engine; more are answered 503 at once.
    pub waiting_max: usize,
    /// Lines of one `POST /v1/decisions:batch` that are decided at once, at least 1: no more is read before one is
    /// answered.
    pub stream_lines_max: usize,
    /// Subjects kept in memory per engine.
    pub subjects_max: usize,
    /// Largest request body, in bytes.
    pub body_bytes_max: usize,
    /// Largest import body, in bytes.
    pub import_bytes_max: usize,
    /// Offers a request may name as candidates.
    pub candidates_max: usize,
    /// Attributes of one kind in a request.
    pub attributes_max: usize,
    /// Outcomes in one array.
    pub outcomes_max: usize,
    /// Connections to PostgreSQL.
    pub connections_max: u32,
    /// How long a graceful stop waits, in seconds.
    pub stop_seconds_max: u64,
    /// How long the learner's lease lasts, in seconds, at least 1: so long after its death another process learns.
    pub learner_lease_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            metrics: MetricsAccess::Loopback,
            store: "sqlite:proffer.sqlite".into(),
            policies: "policies".into(),
            key_file: PathBuf::new(),
            erased_file: PathBuf::new(),
            admin_key_file: PathBuf::new(),
            node: "node-1".into(),
            tenant: "default".into(),
            engines: 0,
            batch_decisions_max: 256,
            waiting_max: 4_096,
            stream_lines_max: 256,
            subjects_max: 100_000,
            body_bytes_max: 256 * 1024,
            import_bytes_max: 16 * 1024 * 1024,
            candidates_max: 1_000,
            attributes_max: 200,
            outcomes_max: 1_000,
            connections_max: 8,
            stop_seconds_max: 30,
            learner_lease_seconds: 5,
        }
    }
}

impl Settings {
    /// Defaults, then the file, then the environment. Flags are laid over the result by the caller.
    pub fn load(file: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut settings = match file {
            None => Self::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| ConfigError::Io { path: path.to_owned(), source })?;
                toml::from_str(&text).map_err(|error| {
                    let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
                    let place = format!("{}:{line}", path.display());
                    ConfigError::Malformed { place, what: error.message().to_owned() }
                })?
            }
        };
        settings.overlay(env)?;
        Ok(settings)
    }

    fn overlay(&mut self, env: &dyn Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        let mut table = toml::Table::try_from(&*self)
            .map_err(|error| ConfigError::Malformed { place: "settings".into(), what: error.to_string() })?;
        for (name, value) in &mut table {
            let variable = format!("PROFFER_{}", name.to_uppercase());
            let Some(text) = env(&variable) else { continue };
            *value = match value {
                toml::Value::Integer(_) => text.parse().map(toml::Value::Integer).map_err(|_| {
                    ConfigError::Malformed { place: variable, what: format!("`{text}` is not a whole number") }
                })?,
                _ => toml::Value::String(text),
            };
        }
        if let Some(url) = env("DATABASE_URL") {
            table.insert("store".into(), toml::Value::String(url));
        }
        if let Some(path) = env("PROFFER_MASTER_KEY_FILE") {
            table.insert("key_file".into(), toml::Value::String(path));
        }
        *self = table.try_into().map_err(|error: toml::de::Error| ConfigError::Malformed {
            place: "environment".into(),
            what: error.message().to_owned(),
        })?;
        Ok(())
    }

    /// Fills in the paths that follow from others: key files lie beside the SQLite file, or in the current folder.
    pub fn complete(&mut self) {
        let beside = |suffix: &str| match self.store.strip_prefix("sqlite:") {
            Some(path) => PathBuf::from(format!("{}{suffix}", path.trim_start_matches("//"))),
            None => PathBuf::from(format!("proffer{suffix}")),
        };
        let (keys, erased, admin) = (beside(".keys.toml"), beside(".erased"), beside(".admin-key"));
        for (file, default) in
            [(&mut self.key_file, keys), (&mut self.erased_file, erased), (&mut self.admin_key_file, admin)]
        {
            if file.as_os_str().is_empty() {
                *file = default;
            }
        }
    }

    /// As a TOML file.
    pub fn print(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_goes_over_file_and_file_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("proffer.toml");
        std::fs::write(&file, "listen = \"0.0.0.0:9000\"\nnode = \"a\"\n").unwrap();
        let env = |name: &str| match name {
            "PROFFER_NODE" => Some("b".to_owned()),
            "PROFFER_WAITING_MAX" => Some("7".to_owned()),
            "DATABASE_URL" => Some("postgres://localhost/shop".to_owned()),
            _ => None,
        };
        let settings = Settings::load(Some(&file), &env).unwrap();
        assert_eq!((settings.listen.as_str(), settings.node.as_str()), ("0.0.0.0:9000", "b"));
        assert_eq!((settings.waiting_max, settings.store.as_str()), (7, "postgres://localhost/shop"));
    }

    #[test]
    fn a_setting_nobody_knows_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("proffer.toml");
        std::fs::write(&file, "node = \"a\"\nlistne = \"x\"\n").unwrap();
        let error = Settings::load(Some(&file), &|_| None).unwrap_err().to_string();
        assert!(error.contains("proffer.toml:2: unknown field `listne`"), "{error}");
        let error = Settings::load(None, &|name| (name == "PROFFER_ENGINES").then(|| "two".into())).unwrap_err();
        assert_eq!(error.to_string(), "PROFFER_ENGINES: `two` is not a whole number");
    }

    #[test]
    fn key_files_lie_beside_the_sqlite_file() {
        let mut settings = Settings { store: "sqlite:/data/shop.sqlite".into(), ..Settings::default() };
        settings.complete();
        assert_eq!(settings.key_file, PathBuf::from("/data/shop.sqlite.keys.toml"));
        assert_eq!(settings.erased_file, PathBuf::from("/data/shop.sqlite.erased"));
    }
}
