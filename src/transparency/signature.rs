//! Signatures of a site: Ed25519 over a text of a kind, so that anybody with the site's public key can check it without
//! asking the service. Keeps no key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::domain::Malformed;

/// What a public key begins with when it is written down.
const SCHEME: &str = "ed25519:";

/// The public key of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteKey(VerifyingKey);

impl SiteKey {
    /// The public key that belongs to a seed.
    pub fn of(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed).verifying_key())
    }

    /// Reads what is printed: `ed25519:` and 43 letters of Base64 for URLs.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let decoded = text.trim().strip_prefix(SCHEME).and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok());
        let bytes: Option<[u8; 32]> = decoded.and_then(|bytes| bytes.try_into().ok());
        let key = bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        key.map(Self).ok_or_else(|| {
            Malformed(format!(
                "`{}` is not the public key of a site: expected `{SCHEME}` and 43 letters, as \
                 `proffer policy approvals --site-key` prints it",
                text.trim()
            ))
        })
    }

    /// Its 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Whether a signature of a note's text was made with the seed that this key belongs to.
    pub fn verifies_note(&self, text: &str, signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(text.as_bytes(), &signature).is_ok())
    }

    /// Whether a signature of a text of this kind was made with the seed that this key belongs to.
    pub fn verifies(&self, kind: &str, text: &str, signature: &str) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
        signature.is_some_and(|signature| self.0.verify_strict(&message(kind, text), &signature).is_ok())
    }
}

impl std::fmt::Display for SiteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{SCHEME}{}", URL_SAFE_NO_PAD.encode(self.0.as_bytes()))
    }
}

/// Signs a text of a kind with the seed of a site.
pub fn sign(seed: &[u8; 32], kind: &str, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(SigningKey::from_bytes(seed).sign(&message(kind, text)).to_bytes())
}

/// Signs the text of a note as it stands, as other tools expect it. It begins with the name of a log, and what [`sign`]
/// signs with the eight bytes of a small number.
pub fn sign_note(seed: &[u8; 32], text: &str) -> [u8; 64] {
    SigningKey::from_bytes(seed).sign(text.as_bytes()).to_bytes()
}

/// No text of one kind has the bytes of a text of another.
fn message(kind: &str, text: &str) -> Vec<u8> {
    [&(kind.len() as u64).to_be_bytes()[..], kind.as_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_kind_and_text_alone() {
        let (seed, signed) = ([7; 32], sign(&[7; 32], "approvals", "text"));
        let key = SiteKey::parse(&SiteKey::of(&seed).to_string()).unwrap();
        assert!(key.verifies("approvals", "text", &signed));
        assert!(!key.verifies("approvals", "texts", &signed));
        assert!(!key.verifies("approval", "stext", &signed));
        assert!(!SiteKey::of(&[8; 32]).verifies("approvals", "text", &signed));
        assert!(!key.verifies("approvals", "text", "nothing"));
    }

    #[test]
    fn the_public_key_is_that_of_rfc_8032() {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let seed = crate::domain::Digest::from_hex(seed).unwrap().0;
        assert_eq!(crate::domain::Digest(*SiteKey::of(&seed).0.as_bytes()).hex(), public);
        assert!(SiteKey::parse("ed25519:short").unwrap_err().to_string().contains("43 letters"));
    }
}
