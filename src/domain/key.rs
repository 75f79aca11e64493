//! Keys and what is done with them: sealing, wrapping, keyed hashes. Makes no randomness and stores nothing.

use aes::Aes256Enc;
use aes_gcm_siv::aead::{Aead, AeadInOut, KeyInit};
use aes_gcm_siv::{AesGcmSiv, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{Digest, Malformed, SubjectId, SubjectRef};

/// HMAC-SHA256 over the parts one after another. Callers keep them unambiguous (fixed widths or one variable part).
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length, so this cannot fail; an empty tag would be refused by every reader.
    let Ok(mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return [0; 32] };
    tag(mac, parts)
}

/// HMAC-SHA256 before anything was added to it.
fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // Shorter keys are filled up with zeros to the length of a block (RFC 2104).
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    Hmac::new(&block.into())
}

fn tag(mut mac: Hmac<Sha256>, parts: &[&[u8]]) -> [u8; 32] {
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
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
    /// What sealing derives from the key alone, for several uses one after another.
    pub fn ready(&self) -> ReadyKey {
        ReadyKey { mac: keyed(&self.0), cipher: Cipher::new(&self.0.into()) }
    }

    /// As [`ReadyKey::seal`], of a copy of `plain`.
    pub fn seal(&self, what: &str, id: &[u8], version: u64, plain: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(plain.len() + SEAL_BYTES);
        sealed.extend_from_slice(plain);
        self.ready().seal(what, id, version, sealed)
    }

    /// As [`ReadyKey::open`].
    pub fn open(&self, what: &str, id: &[u8], version: u64, sealed: &[u8]) -> Result<Vec<u8>, Malformed> {
        self.ready().open(what, id, version, sealed)
    }
}

/// AES-256-GCM-SIV, which only ever encrypts blocks: the round keys that decrypt them are not made.
type Cipher = AesGcmSiv<Aes256Enc>;

/// How much longer than its plain text something sealed is: the tag.
pub const SEAL_BYTES: usize = 16;

/// A subject's key made ready: its HMAC and its cipher, each keyed once.
pub struct ReadyKey {
    mac: Hmac<Sha256>,
    cipher: Cipher,
}

impl std::fmt::Debug for ReadyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadyKey(..)")
    }
}

impl ReadyKey {
    fn nonce(&self, what: &str, id: &[u8], version: u64) -> Nonce {
        let tag = tag(self.mac.clone(), &[what.as_bytes(), id, &version.to_be_bytes()]);
        let mut nonce = [0; 12];
        nonce.copy_from_slice(&tag[..12]);
        Nonce::from(nonce)
    }

    /// Seals `plain` in its place with AES-256-GCM-SIV; room for [`SEAL_BYTES`] more saves a copy. The nonce is derived
    /// from what it is, its id and its version (or attempt), so that a record is byte-exact when decided again.
    pub fn seal(&self, what: &str, id: &[u8], version: u64, plain: Vec<u8>) -> Vec<u8> {
        let mut sealed = plain;
        // Sealing fails only beyond 64 GiB; an empty result does not open, so nothing false can be read back.
        match self.cipher.encrypt_in_place(&self.nonce(what, id, version), b"", &mut sealed) {
            Ok(()) => sealed,
            Err(_) => Vec::new(),
        }
    }

    /// Opens what [`ReadyKey::seal`] made, or says that key and bytes do not belong together.
    pub fn open(&self, what: &str, id: &[u8], version: u64, sealed: &[u8]) -> Result<Vec<u8>, Malformed> {
        self.cipher.decrypt(&self.nonce(what, id, version), sealed).map_err(|_| {
            Malformed(format!(
                "`{what}` does not open under its subject's key: it was altered or belongs to another key"
            ))
        })
    }

    /// The salt of a commitment to one private group of one record.
    pub fn salt(&self, group: &str, id: &[u8], attempt: u16) -> [u8; 32] {
        tag(self.mac.clone(), &[b"proffer/salt/1", group.as_bytes(), id, &attempt.to_be_bytes()])
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

    /// The keyed hash of an outside id: all that is kept of somebody who was erased.
    pub fn outside_hash(&self, reference: &SubjectRef) -> Digest {
        let kind = [reference.kind as u8];
        Digest(hmac_sha256(&self.derive("erased"), &[&kind, reference.outside_id.as_bytes()]))
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
    use sha2::Digest as _;

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
    fn what_is_sealed_has_the_bytes_that_others_make_of_it() {
        // Python: AESGCMSIV and hmac of `cryptography` 48 and the standard library.
        let ready = SubjectKey(std::array::from_fn(|at| u8::try_from(at).unwrap())).ready();
        let check = |bytes: u8, expected: &str| {
            let plain: Vec<u8> = (0..bytes).map(|at| at.wrapping_mul(7)).collect();
            let sealed = ready.seal("record", b"0123456789abcdef", 3, plain.clone());
            assert_eq!(sealed.len(), plain.len() + SEAL_BYTES);
            assert_eq!(Digest(Sha256::digest(&sealed).into()).hex(), expected, "{bytes} bytes");
            assert_eq!(ready.open("record", b"0123456789abcdef", 3, &sealed), Ok(plain));
        };
        check(0, "e1115cdccc2768c62a0ffa8dfaff4ba7d0e91d7b9b25f7dae42e18eb69b26d9f");
        check(5, "affbad0f3df552c024c91067fa31960cd2918fc2247d541113a72f8957ca13fc");
        check(16, "a1ec091aa2ba3b5efeabf2987a9a5a594a6ddd24b54138ee7ba68d7928adf08d");
        check(77, "2966f0696fc1dd7d4056ea3148e4b614032b5b6f73616f0ad41f46ac5987a2ed");
        let salt = ready.salt("context", b"0123456789abcdef", 3);
        assert_eq!(Digest(salt).hex(), "c66348ad64b43a3d1c2b33fe99cc41d14e2963ce3734583e99f2713c0f061de7");
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
