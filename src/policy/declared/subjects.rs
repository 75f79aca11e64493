//! Whose counters a rule reads in one decision: the states of its subjects, by what each stands for. Counts nothing.

use crate::domain::{SubjectKind, SubjectKinds, SubjectState};
use crate::policy::kinds::caps::{Cap, WithoutIdentifier};

/// The states that one decision reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct States<'a> {
    /// By kind, whose state stands for it.
    by_kind: [Option<(&'a SubjectState, SubjectKinds)>; SubjectKind::ALL.len()],
    /// What one answer has shown so far, for caps that let through whom they cannot count for.
    answer: Option<&'a SubjectState>,
}

impl<'a> States<'a> {
    /// These states and one more, which stands for these kinds.
    #[must_use]
    pub fn with(mut self, state: &'a SubjectState, stands_for: SubjectKinds) -> Self {
        for kind in SubjectKind::ALL.into_iter().filter(|kind| stands_for.has(*kind)) {
            self.by_kind[kind as usize] = Some((state, stands_for));
        }
        self
    }

    /// These states, and what the answer has shown so far where nobody else can be counted for: a cap that lets
    /// strangers through holds within one answer all the same.
    #[must_use]
    pub fn within(self, answer: &'a SubjectState) -> Self {
        Self { answer: Some(answer), ..self }
    }

    /// The state that stands for the customer, whose consents and kept attributes count.
    pub fn customer(&self) -> Option<&'a SubjectState> {
        self.by_kind[SubjectKind::Customer as usize].map(|(state, _)| state)
    }

    /// The state that holds the counters of a cap; nothing where nobody can be counted for.
    pub fn state_of(&self, cap: &Cap) -> Option<&'a SubjectState> {
        let named = self.by_kind[cap.whose as usize].filter(|(_, stands_for)| cap.counts_for(*stands_for));
        let lets_through = cap.without_identifier == WithoutIdentifier::Allow;
        named.map(|(state, _)| state).or_else(|| self.answer.filter(|_| lets_through))
    }

    /// Every state, each once.
    pub fn each(&self) -> impl Iterator<Item = &'a SubjectState> + '_ {
        let first = |at: usize, state: &SubjectState| {
            self.by_kind.iter().take(at).flatten().all(|(before, _)| !std::ptr::eq(*before, state))
        };
        let states = self.by_kind.iter().enumerate().filter_map(|(at, found)| Some((at, (*found)?.0)));
        states.filter(move |(at, state)| first(*at, state)).map(|(_, state)| state).chain(self.answer)
    }
}

impl<'a> From<Option<&'a SubjectState>> for States<'a> {
    /// A customer alone, or nobody.
    fn from(state: Option<&'a SubjectState>) -> Self {
        let none = Self::default();
        state.map_or(none, |state| none.with(state, SubjectKinds::of(SubjectKind::Customer)))
    }
}
