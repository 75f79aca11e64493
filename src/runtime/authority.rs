//! Approvals over a store: given, taken back, asked for before a bundle is put in force and for each snapshot. Judges
//! no rule and no offer.

use std::sync::Arc;

use super::catalogue::read_catalogue;
use super::export::Export;
use super::keys::hash_key;
use super::records::parse_sources;
use super::{ApiKey, Core, NotActivated, Role, RuntimeError};
use crate::domain::{Catalogue, Digest, Span, Timestamp};
use crate::policy::{Approved, Authority, Bundle, Demands, Given, Matter, Needed, Standing, lacking, needed, weakened};
use crate::store::{By, NewApproval, Revoked, Store};

/// How long an approval may last, in days.
pub const APPROVAL_DAYS_MAX: i64 = 366;

/// What somebody wants to approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// What it is about.
    pub matter: Matter,
    /// The hash of what was seen.
    pub pinned: Digest,
    /// It counts before this instant.
    pub expires: Timestamp,
    /// Why, or where that is written down.
    pub note: String,
}

/// An approval that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// As it is kept.
    pub given: Given,
    /// How the matter stands with it, by what uses, offers and bundles need where both authorities are asked.
    pub standing: Standing,
}

/// The authority that a key approves under: exactly one of the two, so that nobody approves alone, whoever may do
/// everything least of all.
pub fn authority_of(key: &ApiKey) -> Result<Authority, String> {
    let roles = [(Role::ApprovePrivacy, Authority::Privacy), (Role::ApproveBusiness, Authority::Business)];
    let held: Vec<Authority> =
        roles.iter().filter(|(role, _)| key.roles.contains(role)).map(|(_, held)| *held).collect();
    let name = &key.name;
    match held.as_slice() {
        [one] if !key.roles.contains(&Role::Admin) => Ok(*one),
        [_] => Err(format!(
            "key `{name}` may do everything, so it approves nothing: approve with the key of a person that has the \
             role `approve:privacy` or `approve:business` and not `admin`"
        )),
        [] => Err(format!(
            "key `{name}` has neither the role `approve:privacy` nor `approve:business`: approve with the key of a \
             person that has one of them; `proffer keys create NAME --role approve:privacy` makes one"
        )),
        _ => Err(format!(
            "key `{name}` has the roles `approve:privacy` and `approve:business`: a key approves under one of them, so \
             that two people are needed; make one key for each with `proffer keys create NAME --role ROLE`"
        )),
    }
}

/// Gives and takes back approvals in a store, with or without a service running on it.
pub struct Approver {
    /// The store.
    pub store: Arc<dyn Store>,
}

impl Approver {
    /// The key of this text, if it is in force.
    pub async fn key(&self, text: &str) -> Result<Option<ApiKey>, RuntimeError> {
        let hash = hash_key(text.trim());
        let row = self.store.keys().await?.into_iter().find(|row| row.hash == hash && row.revoked_at.is_none());
        Ok(row.map(|row| ApiKey::of(&row)))
    }

    /// Keeps an approval, or says why it would not count.
    pub async fn approve(
        &self,
        key: &ApiKey,
        proposed: Proposed,
        now: Timestamp,
    ) -> Result<Result<Approval, String>, RuntimeError> {
        let authority = match authority_of(key) {
            Ok(authority) => authority,
            Err(told) => return Ok(Err(told)),
        };
        let Proposed { matter, pinned, expires, note } = proposed;
        if let Err(told) = lasts(expires, now) {
            return Ok(Err(told));
        }
        let given =
            Given { id: 0, matter, pinned, authority, at: now, by: key.name.clone(), expires, note, revoked: None };
        let before = self.store.approvals().await?;
        if let Some(other) = given.alone(&before, now) {
            return Ok(Err(format!(
                "`{}` has approved {} for `{}` already: for `{}` it needs another person",
                key.name,
                given.matter,
                other.name(),
                authority.name()
            )));
        }
        let new = NewApproval { matter: given.matter.clone(), pinned, authority, expires, note: given.note.clone() };
        let id = self.store.approve(&new, By { key: &key.name, at: now }).await?;
        let given = Given { id, ..given };
        let all: Vec<Given> = before.into_iter().chain([given.clone()]).collect();
        let standing = Standing::of(&all, (&given.matter, pinned), &Authority::both(), now);
        Ok(Ok(Approval { given, standing }))
    }

    /// Takes an approval back, on the word of a key that may; or says why it may not.
    pub async fn revoke(&self, key: &ApiKey, id: u64, note: &str) -> Result<Result<Revoked, String>, RuntimeError> {
        if ![Role::ApprovePrivacy, Role::ApproveBusiness, Role::Privacy].into_iter().any(|role| key.may(role)) {
            return Ok(Err(format!(
                "key `{}` may not take approvals back: use one with the role `approve:privacy`, `approve:business`, \
                 `privacy` or `admin`",
                key.name
            )));
        }
        let by = By { key: &key.name, at: self.store.now().await? };
        Ok(Ok(self.store.revoke_approval(id, note, by).await?))
    }

    /// Everything that a bundle asks people to approve, with the offers of the catalogue there is, at an instant.
    pub async fn needed(&self, bundle: &Bundle, now: Timestamp) -> Result<Vec<Needed>, RuntimeError> {
        let revision = self.store.control().await?.catalogue_revision;
        let catalogue = read_catalogue(self.store.as_ref(), revision).await?;
        Ok(needed(bundle, &catalogue, &self.store.approvals().await?, now))
    }

    /// Every approval there is, to be signed.
    pub async fn export(&self) -> Result<Export, RuntimeError> {
        let control_sequence = self.store.control().await?.sequence;
        let given = self.store.approvals().await?.into_iter();
        let approvals = given.filter_map(|given| given.as_of(control_sequence)).collect();
        Ok(Export { at: self.store.now().await?, control_sequence, approvals })
    }

    /// Whether a bundle may be put in force at an instant; [`NotActivated::Unapproved`] says what is missing.
    pub async fn permits(&self, bundle: &Bundle, now: Timestamp) -> Result<(), RuntimeError> {
        permit(self.store.as_ref(), bundle, now).await
    }
}

/// Whether an approval ends in time, and has not ended.
fn lasts(expires: Timestamp, now: Timestamp) -> Result<(), String> {
    let latest = now.plus(Span(APPROVAL_DAYS_MAX * 86_400_000));
    if expires <= now {
        return Err(format!("`expires` {expires} is past: it is {now} now; name an instant to come"));
    }
    if expires > latest {
        return Err(format!(
            "`expires` {expires} is too far away: an approval lasts {APPROVAL_DAYS_MAX} days at most, until {latest}"
        ));
    }
    Ok(())
}

/// Whether a bundle may be put in force: it has every approval that it asks for, and where it asks for less than the
/// one in force, that of both authorities. One that is in force already stays so: what is no longer approved is
/// withheld in each decision.
pub(super) async fn permit(store: &dyn Store, bundle: &Bundle, now: Timestamp) -> Result<(), RuntimeError> {
    let active = store.control().await?.bundle;
    if active == Some(bundle.hash) {
        return Ok(());
    }
    let in_force = match active {
        Some(hash) => demands_of(store, hash).await?,
        None => Demands::default(),
    };
    if bundle.demands.is_empty() && in_force.is_empty() {
        return Ok(());
    }
    let given = store.approvals().await?;
    let mut findings = lacking(bundle, &given, now);
    findings.extend(weakened(bundle, &in_force, &given, now));
    if findings.is_empty() {
        return Ok(());
    }
    Err(NotActivated::Unapproved { bundle: bundle.hash_text(), findings }.into())
}

/// What a bundle that was published asks for, whether or not this build still compiles it.
async fn demands_of(store: &dyn Store, hash: Digest) -> Result<Demands, RuntimeError> {
    let body = store.bundle(hash).await?.unwrap_or_else(|| "[]".to_owned());
    Ok(Demands::of(&parse_sources(&body)?))
}

/// What decisions may rely on while the control row has a sequence.
pub(super) async fn approved(
    store: &dyn Store,
    (bundle, catalogue): (&Bundle, &Catalogue),
    sequence: u64,
) -> Result<Arc<Approved>, RuntimeError> {
    if bundle.demands.is_empty() {
        return Ok(Arc::default());
    }
    let given: Vec<Given> = store.approvals().await?.into_iter().filter_map(|given| given.as_of(sequence)).collect();
    Ok(Arc::new(Approved::of(bundle, catalogue, &given)))
}

impl Core {
    /// [`Approver::approve`]. When this returns, the next decision of every process relies on it.
    pub async fn approve(&self, key: &ApiKey, proposed: Proposed) -> Result<Result<Approval, String>, RuntimeError> {
        let approver = Approver { store: self.store.clone() };
        let approved = approver.approve(key, proposed, self.clock.now()).await?;
        self.follow_control().await?;
        Ok(approved)
    }

    /// Takes an approval back. When this returns, no decision that starts afterwards, in any process, relies on it.
    pub async fn revoke_approval(&self, id: u64, note: &str, by: &str) -> Result<Revoked, RuntimeError> {
        let revoked = self.store.revoke_approval(id, note, By { key: by, at: self.clock.now() }).await?;
        self.follow_control().await?;
        Ok(revoked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(roles: &[Role], expected: Result<Authority, &str>) {
        let key = ApiKey { name: "jane".to_owned(), roles: roles.to_vec() };
        match (authority_of(&key), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(told), Err(part)) => assert!(told.contains(part), "{told}"),
            (found, expected) => panic!("{roles:?}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn a_key_approves_under_exactly_one_authority() {
        check(&[Role::ApprovePrivacy], Ok(Authority::Privacy));
        check(&[Role::Audit, Role::ApproveBusiness], Ok(Authority::Business));
        check(&[Role::ApprovePrivacy, Role::ApproveBusiness], Err("a key approves under one of them"));
        check(&[Role::Admin, Role::ApprovePrivacy], Err("may do everything, so it approves nothing"));
        check(&[Role::Admin], Err("has neither the role"));
        check(&[Role::Decide], Err("has neither the role"));
    }

    #[test]
    fn an_approval_ends_within_a_year_and_a_day() {
        let now = Timestamp(1_000);
        let days = |days: i64| Timestamp(now.0 + days * 86_400_000);
        assert_eq!(lasts(days(366), now), Ok(()));
        assert!(lasts(Timestamp(days(366).0 + 1), now).unwrap_err().contains("366 days at most"));
        assert!(lasts(now, now).unwrap_err().contains("is past"));
    }
}
