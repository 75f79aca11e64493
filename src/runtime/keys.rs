//! API keys and webhook secrets in force, held in memory. Only hashes of keys are stored; checks no route.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::{Core, RuntimeError};
use crate::config::keyfile;
use crate::domain::Digest;
use crate::domain::key::MasterKey;
use crate::store::{By, KeyRow, SourceRow, Store};

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Ask for decisions.
    Decide,
    /// Send outcomes without a signature.
    Outcomes,
    /// Change offers.
    Catalogue,
    /// Write policies.
    Author,
    /// Approve as privacy owner.
    ApprovePrivacy,
    /// Approve as business owner.
    ApproveBusiness,
    /// Operate: switches, models.
    Operate,
    /// Read the decision log.
    Audit,
    /// Consents, access, erasure.
    Privacy,
    /// Everything.
    Admin,
}

impl Role {
    /// Every role with its name.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Decide, "decide"),
        (Self::Outcomes, "outcomes"),
        (Self::Catalogue, "catalogue"),
        (Self::Author, "author"),
        (Self::ApprovePrivacy, "approve:privacy"),
        (Self::ApproveBusiness, "approve:business"),
        (Self::Operate, "operate"),
        (Self::Audit, "audit"),
        (Self::Privacy, "privacy"),
        (Self::Admin, "admin"),
    ];

    /// Parses a name, or says which there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(role, _)| *role).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(_, name)| *name).collect();
            format!("`{text}` is not a role: expected one of {}", names.join(", "))
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(role, _)| *role == self).map_or("", |(_, name)| name)
    }
}

/// A key in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// For people and for the record of changes.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
}

impl ApiKey {
    /// A key as stored.
    pub(super) fn of(row: &KeyRow) -> Self {
        let roles = row.roles.split(',').filter_map(|name| Role::parse(name).ok()).collect();
        Self { name: row.name.clone(), roles }
    }

    /// Whether it may do what a role may.
    pub fn may(&self, role: Role) -> bool {
        self.roles.contains(&role) || self.roles.contains(&Role::Admin)
    }
}

/// Keys and secrets in force. Refreshed from the store every second and after each change of this process.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: RwLock<BTreeMap<Digest, ApiKey>>,
    secrets: RwLock<BTreeMap<String, Vec<u8>>>,
    /// Held from reading the store to replacing what is in force: an older reading must not undo a newer one.
    refreshing: Mutex<()>,
}

/// What of a key is stored: its SHA-256. Keys are 256 random bits, so no slow hash is needed.
pub fn hash_key(key: &str) -> Digest {
    Digest(Sha256::digest(key.as_bytes()).into())
}

impl KeyRing {
    /// The key, if it is in force.
    pub fn key(&self, bearer: &str) -> Option<ApiKey> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(&hash_key(bearer)).cloned()
    }

    /// Every source with its webhook secret.
    pub fn secrets(&self) -> BTreeMap<String, Vec<u8>> {
        self.secrets.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn random_text() -> Result<String, RuntimeError> {
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(keyfile::random::<32>()?))
}

impl Core {
    /// Reads keys and secrets from the store.
    pub async fn refresh_keys(&self) -> Result<(), RuntimeError> {
        let _refreshing = self.ring.refreshing.lock().await;
        let mut keys = BTreeMap::new();
        for row in self.store.keys().await?.into_iter().filter(|row| row.revoked_at.is_none()) {
            keys.insert(row.hash, ApiKey::of(&row));
        }
        let mut secrets = BTreeMap::new();
        for row in self.store.sources().await? {
            secrets.insert(row.name.clone(), self.keys.master.open_secret(&row.name, &row.sealed_secret)?);
        }
        *self.ring.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        *self.ring.secrets.write().unwrap_or_else(PoisonError::into_inner) = secrets;
        Ok(())
    }

    /// Makes keys and sources in the store.
    fn maker(&self) -> KeyMaker {
        KeyMaker { store: self.store.clone(), master: self.keys.master.clone() }
    }

    /// [`KeyMaker::create_key`], in force at once.
    pub async fn create_key(&self, name: &str, roles: &[Role], by: &str) -> Result<Option<String>, RuntimeError> {
        let key = self.maker().create_key(name, roles, by).await?;
        self.refresh_keys().await?;
        Ok(key)
    }

    /// [`KeyMaker::create_source`], in force at once.
    pub async fn create_source(&self, name: &str, by: &str) -> Result<Option<String>, RuntimeError> {
        let secret = self.maker().create_source(name, by).await?;
        self.refresh_keys().await?;
        Ok(secret)
    }
}

/// Makes and revokes keys in a store, with or without a service running on it.
pub struct KeyMaker {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Seals webhook secrets.
    pub master: MasterKey,
}

impl KeyMaker {
    /// Makes a key with these roles and returns its text, which nobody can read again; nothing if the name is taken.
    pub async fn create_key(&self, name: &str, roles: &[Role], by: &str) -> Result<Option<String>, RuntimeError> {
        let key = format!("proffer_{}", random_text()?);
        let at = self.store.now().await?;
        let row = KeyRow {
            hash: hash_key(&key),
            name: name.to_owned(),
            roles: roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(","),
            created_at: at,
            revoked_at: None,
        };
        Ok(self.store.create_key(&row, By { key: by, at }).await?.then_some(key))
    }

    /// Revokes a key; `false` if none in force has the name.
    pub async fn revoke_key(&self, name: &str, by: &str) -> Result<bool, RuntimeError> {
        let at = self.store.now().await?;
        Ok(self.store.revoke_key(name, By { key: by, at }).await?)
    }

    /// Makes a source of outcomes and returns its webhook secret in the form of Standard Webhooks (`whsec_...`);
    /// nothing if the name is taken.
    pub async fn create_source(&self, name: &str, by: &str) -> Result<Option<String>, RuntimeError> {
        let secret: [u8; 32] = keyfile::random()?;
        let at = self.store.now().await?;
        let sealed_secret = self.master.seal_secret(name, &secret);
        let row = SourceRow { name: name.to_owned(), sealed_secret, created_at: at };
        let text = format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(secret));
        Ok(self.store.create_source(&row, By { key: by, at }).await?.then_some(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_have_the_names_of_the_contract() {
        assert_eq!(Role::parse("approve:privacy"), Ok(Role::ApprovePrivacy));
        assert_eq!(
            Role::parse("boss").unwrap_err(),
            "`boss` is not a role: expected one of decide, outcomes, catalogue, author, approve:privacy, \
             approve:business, operate, audit, privacy, admin"
        );
    }
}
