//! Fairness gates carried out: the report that a bundle names is fetched and judged before the bundle is put in force.
//! Measures nothing itself.

use super::{NotActivated, RuntimeError};
use crate::domain::Timestamp;
use crate::policy::Bundle;
use crate::report::fairness::judge;
use crate::store::Store;

/// Whether a bundle may be put in force by its fairness gates. Whoever puts one in force asks this first.
pub(super) async fn may_be_put_in_force(
    store: &dyn Store,
    bundle: &Bundle,
    now: Timestamp,
) -> Result<(), RuntimeError> {
    if bundle.measuring(now).next().is_none() {
        return Ok(());
    }
    let was_in_force = store.activations().await?.iter().any(|before| before.hash == bundle.hash);
    let kept = match bundle.report {
        Some(hash) => store.fairness_report(hash).await?,
        None => None,
    };
    let judged = judge(bundle, |_| kept, was_in_force, now);
    Ok(judged.map_err(|unfair| NotActivated::Unfair(Box::new(unfair)))?)
}

/// As [`may_be_put_in_force`] for the bundle that a start brings along: only where it would be put in force now. One
/// that is in force already goes on, and so does another that is in force instead.
pub(super) async fn may_begin(
    store: &dyn Store,
    own: &Bundle,
    only_if_new: bool,
    now: Timestamp,
) -> Result<(), RuntimeError> {
    let active = store.control().await?.bundle;
    let known = only_if_new && active.is_some() && store.bundle(own.hash).await?.is_some();
    if active == Some(own.hash) || known {
        return Ok(());
    }
    may_be_put_in_force(store, own, now).await
}
