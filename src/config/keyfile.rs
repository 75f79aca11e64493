//! The key file: master key and generator keys, outside the database, mode 0600. Wraps nothing and draws nothing.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::Digest;
use crate::domain::key::{GeneratorKey, MasterKey};

/// Why keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read, written or made.
    #[error("the key file `{path}` cannot be used; check that its folder exists and belongs to this user")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file says something else than keys.
    #[error(
        "the key file `{path}` is not readable as keys: {what}; restore it from its backup, since a new one cannot \
         open the store"
    )]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Others may read it.
    #[error("the key file `{path}` may be read by others (mode {mode:o}); run `chmod 600 {path}`")]
    TooOpen {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// The keys of one tenant.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Wraps subject keys.
    pub master: MasterKey,
    /// The generator of the current key period.
    pub generator: GeneratorKey,
    /// Those of the periods before that the file still holds.
    pub past: Vec<GeneratorKey>,
}

impl Keys {
    /// The generator of a key period; nothing where the file does not hold it.
    pub fn generator_of(&self, period: u32) -> Option<&GeneratorKey> {
        std::iter::once(&self.generator).chain(&self.past).find(|generator| generator.period == period)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    master: String,
    generator: Vec<GeneratorText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GeneratorText {
    period: u32,
    key: String,
}

const HEAD: &str = "# Proffer keys. Keep a backup apart from the database: without this file no record opens and\n\
                    # no draw can be checked; with it and the database everything can be read. Mode 0600.\n";

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], KeyFileError> {
    let mut bytes = [0; N];
    #[expect(clippy::disallowed_methods, reason = "the one place where keys and random ids are made")]
    getrandom::fill(&mut bytes).map_err(KeyFileError::Random)?;
    Ok(bytes)
}

/// Reads the keys, making the file at first start. Says whether it was made now.
pub fn load_or_create(path: &Path) -> Result<(Keys, bool), KeyFileError> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            refuse_if_open_to_others(path)?;
            Ok((parse(path, &text)?, false))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let text = KeyText {
                master: Digest(random()?).hex(),
                generator: vec![GeneratorText { period: 1, key: Digest(random()?).hex() }],
            };
            let body = toml::to_string(&text)
                .map_err(|error| KeyFileError::Malformed { path: path.to_owned(), what: error.to_string() })?;
            write_secret(path, &format!("{HEAD}{body}"))
                .map_err(|source| KeyFileError::Io { path: path.to_owned(), source })?;
            Ok((parse(path, &body)?, true))
        }
        Err(source) => Err(KeyFileError::Io { path: path.to_owned(), source }),
    }
}

/// The generator keys of all periods, oldest first.
pub fn generators(path: &Path) -> Result<Vec<GeneratorKey>, KeyFileError> {
    let text = std::fs::read_to_string(path).map_err(|source| KeyFileError::Io { path: path.to_owned(), source })?;
    refuse_if_open_to_others(path)?;
    let mut generators = all_generators(path, &read_text(path, &text)?)?;
    generators.sort_by_key(|generator| generator.period);
    Ok(generators)
}

/// Adds a generator key of a new period, under which whoever starts from then on draws.
pub fn add_generator(path: &Path) -> Result<GeneratorKey, KeyFileError> {
    let text = std::fs::read_to_string(path).map_err(|source| KeyFileError::Io { path: path.to_owned(), source })?;
    refuse_if_open_to_others(path)?;
    let mut keys = read_text(path, &text)?;
    let last = keys.generator.iter().map(|generator| generator.period).max().unwrap_or_default();
    let next = GeneratorKey { period: last + 1, key: random()? };
    keys.generator.push(GeneratorText { period: next.period, key: Digest(next.key).hex() });
    let body = toml::to_string(&keys)
        .map_err(|error| KeyFileError::Malformed { path: path.to_owned(), what: error.to_string() })?;
    replace_file(path, &format!("{HEAD}{body}"))?;
    Ok(next)
}

/// Writes a file that only its owner may read, and makes it durable; fails if it exists.
pub fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_folder(path)
}

/// A file whose name is lost in a power cut is lost: its folder is synced too.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    std::fs::File::open(folder)?.sync_all()
}

/// Where the newest checkpoint of the log is kept, outside the database.
pub fn checkpoint_file(key_file: &Path) -> PathBuf {
    let mut path = key_file.as_os_str().to_owned();
    path.push(".checkpoint");
    path.into()
}

/// Replaces a file as a whole: whenever the power goes, the old text stands there or the new one.
pub fn replace_file(path: &Path, text: &str) -> Result<(), KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // One that was left behind by a process that died while it wrote it.
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    write_secret(&beside, text).map_err(io)?;
    std::fs::rename(&beside, path).map_err(io)?;
    sync_folder(path).map_err(io)
}

fn refuse_if_open_to_others(path: &Path) -> Result<(), KeyFileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let io = |source| KeyFileError::Io { path: path.to_owned(), source };
        let mode = std::fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::TooOpen { path: path.to_owned(), mode });
        }
    }
    Ok(())
}

fn malformed(path: &Path, what: &str) -> KeyFileError {
    KeyFileError::Malformed { path: path.to_owned(), what: what.to_owned() }
}

fn read_text(path: &Path, text: &str) -> Result<KeyText, KeyFileError> {
    toml::from_str(text).map_err(|error: toml::de::Error| malformed(path, error.message()))
}

fn key(path: &Path, hex: &str) -> Result<[u8; 32], KeyFileError> {
    let digest = Digest::from_hex(hex).map_err(|_| malformed(path, "a key is not 64 hexadecimal digits"))?;
    Ok(digest.0)
}

fn all_generators(path: &Path, text: &KeyText) -> Result<Vec<GeneratorKey>, KeyFileError> {
    let generator = |text: &GeneratorText| Ok(GeneratorKey { period: text.period, key: key(path, &text.key)? });
    text.generator.iter().map(generator).collect()
}

fn parse(path: &Path, text: &str) -> Result<Keys, KeyFileError> {
    let text = read_text(path, text)?;
    let mut past = all_generators(path, &text)?;
    past.sort_by_key(|generator| generator.period);
    let generator = past.pop().ok_or_else(|| malformed(path, "it has no generator key"))?;
    Ok(Keys { master: MasterKey(key(path, &text.master)?), generator, past })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let (made, new) = load_or_create(&path).unwrap();
        let (read, again) = load_or_create(&path).unwrap();
        assert!(new && !again);
        assert_eq!(made.master, read.master);
        assert_eq!(made.generator, read.generator);
    }

    #[test]
    fn a_new_period_leaves_the_keys_of_those_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let (before, _) = load_or_create(&path).unwrap();
        let added = add_generator(&path).unwrap();
        let (after, new) = load_or_create(&path).unwrap();
        assert_eq!((added.period, new), (2, false));
        assert_eq!((&after.generator, &after.master), (&added, &before.master));
        assert_eq!(generators(&path).unwrap(), [before.generator, added]);
    }

    #[test]
    fn generators_of_periods_before_are_read_and_the_newest_draws() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let generator = |period: u32| {
            let key = Digest([u8::try_from(period).unwrap(); 32]).hex();
            format!("[[generator]]\nperiod = {period}\nkey = \"{key}\"\n")
        };
        let master = format!("master = \"{}\"\n", Digest([9; 32]).hex());
        write_secret(&path, &[master, generator(2), generator(3), generator(1)].concat()).unwrap();
        let keys = load_or_create(&path).unwrap().0;
        assert_eq!(keys.generator, GeneratorKey { period: 3, key: [3; 32] });
        let found = [1, 2, 3, 4].map(|period| keys.generator_of(period).map(|generator| generator.key[0]));
        assert_eq!(found, [Some(1), Some(2), Some(3), None]);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_others_may_read_is_refused_with_its_mend() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        load_or_create(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = load_or_create(&path).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("the key file `{0}` may be read by others (mode 644); run `chmod 600 {0}`", path.display())
        );
    }

    #[test]
    fn a_damaged_key_file_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        write_secret(&path, "master = \"00\"\ngenerator = []\n").unwrap();
        let error = load_or_create(&path).unwrap_err().to_string();
        assert!(error.contains("restore it from its backup"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "master = \"00\"\ngenerator = []\n");
    }
}
