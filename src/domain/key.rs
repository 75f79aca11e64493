//! Keys and what is done with them: sealing, wrapping, keyed hashes. Makes no randomness and stores nothing.

use aes_gcm_siv::aead::{Aead, KeyInit};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{Digest, Malformed, SubjectId};

/// HMAC-SHA256 over the parts one after another. Callers keep them unambiguous (fixed widths or one variable part).
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length, so this cannot fail; an empty tag would be refused by every reader.
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn cipher(key: &[u8; 32]) -> Aes256GcmSiv {
    Aes256GcmSiv::new(key.into())
}

/// The key of one subject. Everything personal is sealed under it, so destroying it erases the person.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectKey(pub [u8; 32]);

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectKey(..)")
    }
}

impl SubjectKey {
    fn nonce(&self, what: &str, id: &[u8], version: u64) -> [u8; 12] {
        let tag = hmac_sha256(&self.0, &[what.as_bytes(), id, &version.to_be_bytes()]);
        let mut nonce = [0; 12];
        nonce.copy_from_slice(&tag[..12]);
        nonce
    }

    /// Seals `plain` with AES-256-GCM-SIV. The nonce is derived from what it is, its id and its version (or attempt),
    /// so that a record is byte-exact when decided again.
    pub fn seal(&self, what: &str, id: &[u8], version: u64, plain: &[u8]) -> Vec<u8> {
        let nonce = Nonce::from(self.nonce(what, id, version));
        // Sealing fails only beyond 64 GiB; an empty result does not open, so nothing false can be read back.
        cipher(&self.0).encrypt(&nonce, plain).unwrap_or_default()
    }

    /// Opens what [`SubjectKey::seal`] made, or says that key and bytes do not belong together.
    pub fn open(&self, what: &str, id: &[u8], version: u64, sealed: &[u8]) -> Result<Vec<u8>, Malformed> {
        let nonce = Nonce::from(self.nonce(what, id, version));
        cipher(&self.0).decrypt(&nonce, sealed).map_err(|_| {
            Malformed(format!(
                "`{what}` does not open under its subject's key: it was altered or belongs to another key"
            ))
        })
    }

    /// The salt of a commitment to one private group of one record.
    pub fn salt(&self, group: &str, id: &[u8], attempt: u16) -> [u8; 32] {
        hmac_sha256(&self.0, &[b"proffer/salt/1", group.as_bytes(), id, &attempt.to_be_bytes()])
    }
}

/// The key that wraps subject keys and from which the keys of the house are derived. Lives outside the database.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(pub [u8; 32]);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl MasterKey {
    fn wrapping(&self) -> SubjectKey {
        SubjectKey(self.derive("wrap"))
    }

    /// A key for one use, independent of all others.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        hmac_sha256(&self.0, &[b"proffer/derive/1", purpose.as_bytes()])
    }

    /// Wraps a subject's key for storage beside its subject id.
    pub fn wrap(&self, subject: SubjectId, key: &SubjectKey) -> Vec<u8> {
        self.wrapping().seal("subject-key", &subject.0, 0, &key.0)
    }

    /// Unwraps a subject's key.
    pub fn unwrap(&self, subject: SubjectId, wrapped: &[u8]) -> Result<SubjectKey, Malformed> {
        let plain = self.wrapping().open("subject-key", &subject.0, 0, wrapped)?;
        plain.try_into().map(SubjectKey).map_err(|_| Malformed::new("a subject key is not 32 bytes long"))
    }

    /// Seals a secret of the house, such as a webhook secret, under its name.
    pub fn seal_secret(&self, name: &str, plain: &[u8]) -> Vec<u8> {
        SubjectKey(self.derive("secret")).seal("secret", name.as_bytes(), 0, plain)
    }

    /// Opens a secret of the house.
    pub fn open_secret(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, Malformed> {
        SubjectKey(self.derive("secret")).open("secret", name.as_bytes(), 0, sealed)
    }

    /// The permanent business key of an event: a keyed hash, so that the store does not know the event id.
    pub fn event_key(&self, source: &str, event_id: &str) -> Digest {
        let key = self.derive("events");
        let length = u32::try_from(source.len()).unwrap_or(u32::MAX).to_be_bytes();
        Digest(hmac_sha256(&key, &[&length, source.as_bytes(), event_id.as_bytes()]))
    }

    /// The key under which a decision without any subject is sealed.
    pub fn anonymous_key(&self, decision: &[u8; 16]) -> SubjectKey {
        SubjectKey(hmac_sha256(&self.derive("anonymous"), &[decision]))
    }
}

/// The generator key of one key period, from which every draw of the period is made.
#[derive(Clone, PartialEq, Eq)]
pub struct GeneratorKey {
    /// Periods count from 1.
    pub period: u32,
    /// Secret until the period ends.
    pub key: [u8; 32],
}

impl std::fmt::Debug for GeneratorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GeneratorKey(period {})", self.period)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_with_its_key_name_id_and_version() {
        let key = SubjectKey([1; 32]);
        let sealed = key.seal("state", b"subject", 3, b"hello");
        assert_eq!(key.open("state", b"subject", 3, &sealed).unwrap(), b"hello");
        assert!(SubjectKey([2; 32]).open("state", b"subject", 3, &sealed).is_err());
        assert!(key.open("state", b"subject", 4, &sealed).is_err());
        assert!(key.open("record", b"subject", 3, &sealed).is_err());
        assert_eq!(sealed, key.seal("state", b"subject", 3, b"hello"), "sealing is deterministic");
    }

    #[test]
    fn a_wrapped_key_comes_back_and_event_keys_do_not_mix_source_and_id() {
        let master = MasterKey([9; 32]);
        let subject = SubjectId([4; 16]);
        let key = SubjectKey([7; 32]);
        assert_eq!(master.unwrap(subject, &master.wrap(subject, &key)).unwrap(), key);
        assert!(master.unwrap(SubjectId([5; 16]), &master.wrap(subject, &key)).is_err());
        assert_ne!(master.event_key("ab", "c"), master.event_key("a", "bc"));
    }

    #[test]
    fn hmac_matches_rfc_4231_case_2() {
        let tag = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(Digest(tag).hex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
