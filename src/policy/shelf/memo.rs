//! The memo of shelves: what was made for the catalogues asked about last. Makes none itself.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::Shelves;
use crate::domain::Catalogue;

/// Catalogues kept: while one is replaced, decisions still read the one before.
const KEPT_MAX: usize = 2;

/// The shelves of one bundle over the catalogues asked about last.
///
/// A function of bundle and catalogue, kept so that it is not computed again for every decision: nothing can be
/// observed of it but time. It is found by the catalogue's identity, which the weak reference keeps from being reused.
#[derive(Default)]
pub(in crate::policy) struct Memo(Mutex<Vec<(Weak<Catalogue>, Arc<Shelves>)>>);

impl Memo {
    pub(in crate::policy) fn shelves(
        &self,
        catalogue: &Arc<Catalogue>,
        make: impl FnOnce() -> Shelves,
    ) -> Arc<Shelves> {
        let is_its = |(of, _): &&(Weak<Catalogue>, Arc<Shelves>)| std::ptr::eq(of.as_ptr(), Arc::as_ptr(catalogue));
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, shelves)) = kept().iter().find(is_its) {
            return shelves.clone();
        }
        // Unlocked, so that nobody who reads another catalogue waits for it.
        let shelves = Arc::new(make());
        let mut kept = kept();
        kept.retain(|(of, _)| of.strong_count() > 0 && !std::ptr::eq(of.as_ptr(), Arc::as_ptr(catalogue)));
        kept.truncate(KEPT_MAX - 1);
        kept.insert(0, (Arc::downgrade(catalogue), shelves.clone()));
        shelves
    }
}

/// A copy starts without what was computed.
impl Clone for Memo {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What was computed is no part of what a bundle is.
impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl std::fmt::Debug for Memo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memo")
    }
}
