//! Subjects an engine has in memory. May be stale without ever being wrong: the commit checks every version read.

use std::collections::BTreeMap;

use crate::domain::key::SubjectKey;
use crate::domain::{SubjectId, SubjectRef, SubjectState};

/// A subject, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The outside id.
    pub reference: SubjectRef,
    /// Internal id.
    pub subject: SubjectId,
    /// Its key.
    pub key: SubjectKey,
    /// Version of the state; 0 where none is stored yet.
    pub version: u64,
    /// The state.
    pub state: SubjectState,
}

/// Two generations: when the young one is full it becomes the old one, and what was not asked for since is forgotten.
#[derive(Debug, Default)]
pub struct SubjectCache {
    young: BTreeMap<SubjectRef, Subject>,
    old: BTreeMap<SubjectRef, Subject>,
    generation_max: usize,
}

impl SubjectCache {
    /// Holds between half of and all of `subjects_max`.
    pub fn new(subjects_max: usize) -> Self {
        Self { generation_max: (subjects_max / 2).max(1), ..Self::default() }
    }

    /// The subject, kept for longer since it was asked for.
    pub fn get(&mut self, reference: &SubjectRef) -> Option<&Subject> {
        if let Some(subject) = self.old.remove(reference) {
            self.put(subject);
        }
        self.young.get(reference)
    }

    /// Keeps a subject in place of what was known of it.
    pub fn put(&mut self, subject: Subject) {
        self.old.remove(&subject.reference);
        if self.young.len() >= self.generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(subject.reference.clone(), subject);
    }

    /// Forgets a subject.
    pub fn forget(&mut self, reference: &SubjectRef) {
        self.young.remove(reference);
        self.old.remove(reference);
    }

    /// Forgets everybody.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SubjectKind;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_forgotten() {
        let reference = |n: usize| SubjectRef { kind: SubjectKind::Customer, outside_id: n.to_string() };
        let mut cache = SubjectCache::new(4);
        for n in 0..100 {
            cache.put(Subject {
                reference: reference(n),
                subject: SubjectId([0; 16]),
                key: SubjectKey([0; 32]),
                version: 0,
                state: SubjectState::default(),
            });
            assert!(cache.get(&reference(0)).is_some(), "0 was asked for each time, up to {n}");
        }
        let kept = (0..100).filter(|n| cache.get(&reference(*n)).is_some()).count();
        assert!(kept <= 4, "{kept}");
    }
}
