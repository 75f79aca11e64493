//! Checkpoints: a size and a root under the signature of a site, as C2SP tlog-checkpoint and signed-note write them.
//! Decides not when one is signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::signature::{SiteKey, sign_note};
use crate::domain::{Digest, Malformed};

/// The kind of signature in a note: Ed25519.
const ED25519: u8 = 1;
/// What every line with a signature begins with.
const MARK: &str = "\u{2014} ";

/// What a log was at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: one line, without spaces and without `+`, as it is the name of the key too.
    pub origin: String,
    /// Its leaves.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// The name of the log of a site: nobody else's has it.
pub fn origin(tenant: &str, site: &SiteKey) -> String {
    let fits = |letter: char| if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '_' };
    let tenant: String = tenant.chars().map(fits).collect();
    let key = Digest(Sha256::digest(site.bytes()).into()).hex();
    format!("proffer/{tenant}/{}", key.get(..16).unwrap_or(&key))
}

/// The number by which a signature names its key.
fn key_id(name: &str, key: &SiteKey) -> u32 {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(key.bytes()).finalize();
    hash.iter().take(4).fold(0, |id, byte| id << 8 | u32::from(*byte))
}

/// A public key as other tools for signed notes read it: name, id, key.
pub fn verifier(name: &str, key: &SiteKey) -> String {
    let bytes = [&[ED25519][..], key.bytes()].concat();
    format!("{name}+{:08x}+{}", key_id(name, key), STANDARD.encode(bytes))
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    /// As a note signed with the seed of a site.
    pub fn sign(&self, seed: &[u8; 32]) -> String {
        let text = self.text();
        let signed = [&key_id(&self.origin, &SiteKey::of(seed)).to_be_bytes()[..], &sign_note(seed, &text)].concat();
        format!("{text}\n{MARK}{} {}\n", self.origin, STANDARD.encode(signed))
    }

    /// Reads a note and verifies that a site has signed it; signatures of others are passed by.
    pub fn open(note: &str, key: &SiteKey) -> Result<Self, Malformed> {
        let (checkpoint, text, signatures) = Self::read(note)?;
        let id = key_id(&checkpoint.origin, key).to_be_bytes();
        let ours = |line: &str| {
            let (name, signed) = line.strip_prefix(MARK)?.split_once(' ')?;
            let signed = STANDARD.decode(signed).ok()?;
            let (of, signature) = signed.split_at_checked(id.len())?;
            (name == checkpoint.origin && of == id).then(|| key.verifies_note(text, signature))
        };
        match signatures.lines().find_map(ours) {
            Some(true) => Ok(checkpoint),
            Some(false) => Err(Malformed(format!(
                "the signature of the checkpoint of {} leaves does not fit: it was altered",
                checkpoint.size
            ))),
            None => Err(Malformed(format!(
                "the checkpoint of {} leaves is not signed by `{key}`: it is one of another site",
                checkpoint.size
            ))),
        }
    }

    /// Reads a note without verifying anything.
    pub fn peek(note: &str) -> Result<Self, Malformed> {
        Self::read(note).map(|(checkpoint, _, _)| checkpoint)
    }

    /// The checkpoint, what is signed, and the lines with signatures.
    fn read(note: &str) -> Result<(Self, &str, &str), Malformed> {
        let malformed = || {
            Malformed::new(
                "this is no checkpoint: expected the lines of a signed note: origin, size, root in Base64, an empty \
                 line and a signature",
            )
        };
        let (text, signatures) = note.split_once("\n\n").ok_or_else(malformed)?;
        let text = note.get(..=text.len()).ok_or_else(malformed)?;
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next(), lines.next(), lines.next());
        let size = size.and_then(|size| size.parse().ok().filter(|parsed: &u64| parsed.to_string() == size));
        let root = root.and_then(|root| STANDARD.decode(root).ok()).and_then(|root| Digest::from_slice(&root));
        match (origin.filter(|origin| !origin.is_empty()), size, root) {
            (Some(origin), Some(size), Some(root)) => {
                Ok((Self { origin: origin.to_owned(), size, root }, text, signatures))
            }
            _ => Err(malformed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> (Checkpoint, [u8; 32], SiteKey) {
        let seed = [7; 32];
        let key = SiteKey::of(&seed);
        (Checkpoint { origin: origin("my shop+1", &key), size: 1_234, root: Digest([9; 32]) }, seed, key)
    }

    #[test]
    fn a_checkpoint_is_a_signed_note_and_is_read_back() {
        let (checkpoint, seed, key) = checkpoint();
        let note = checkpoint.sign(&seed);
        let lines: Vec<&str> = note.lines().collect();
        assert_eq!(
            lines[..4],
            [checkpoint.origin.as_str(), "1234", "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=", ""]
        );
        assert!(checkpoint.origin.starts_with("proffer/my_shop_1/"), "{note}");
        assert!(lines[4].starts_with(&format!("\u{2014} {} ", checkpoint.origin)), "{note}");
        assert_eq!(Checkpoint::open(&note, &key), Ok(checkpoint.clone()));
        // Somebody else may have signed it too.
        let beside = note.replace("\n\n", "\n\n\u{2014} witness.example AAAAAAAA\n");
        assert_eq!(Checkpoint::open(&beside, &key), Ok(checkpoint));
    }

    #[test]
    fn what_was_altered_or_is_of_another_site_is_refused() {
        let (checkpoint, seed, key) = checkpoint();
        let note = checkpoint.sign(&seed);
        let told = |note: &str, key: &SiteKey| Checkpoint::open(note, key).unwrap_err().to_string();
        assert!(told(&note.replace("1234", "1235"), &key).contains("1235 leaves does not fit: it was altered"));
        assert!(told(&note, &SiteKey::of(&[8; 32])).contains("it is one of another site"));
        assert!(told(&note.replace("1234", "01234"), &key).starts_with("this is no checkpoint: expected the lines"));
        assert!(told("", &key).starts_with("this is no checkpoint"));
    }
}
