//! The states of a decision's subjects while its slots are filled: what is chosen is counted in each. Chooses nothing.

use super::ask::Subjects;
use crate::domain::{DecisionId, Offer, Placement, SubjectKind, SubjectKinds, SubjectState, Timestamp};
use crate::policy::{self, Bundle, States};

/// One state with what it stands for, and whether anything was counted in it.
#[derive(Clone)]
struct One {
    state: SubjectState,
    stands_for: SubjectKinds,
    changed: bool,
}

/// The states, that of whom the decision is for first.
pub(super) struct Counted {
    first: Option<One>,
    beside: Vec<One>,
    /// What this answer has shown, for caps that let through whom they cannot count for. Nobody keeps it.
    answer: SubjectState,
}

impl Counted {
    /// As they were read.
    pub(super) fn of(subjects: &Subjects<'_>) -> Self {
        let one =
            |state: &SubjectState, stands_for: SubjectKinds| One { state: state.clone(), stands_for, changed: false };
        Self {
            first: subjects.first.map(|(view, stands_for)| one(view.state, stands_for)),
            beside: subjects.beside.iter().map(|(view, stands_for)| one(view.state, *stands_for)).collect(),
            answer: SubjectState::default(),
        }
    }

    /// As they stand now.
    pub(super) fn states(&self) -> States<'_> {
        let each = self.first.iter().chain(&self.beside);
        let states = each.fold(States::default(), |states, one| states.with(&one.state, one.stands_for));
        if self.answer.caps.is_empty() { states } else { states.within(&self.answer) }
    }

    /// Counts what was chosen for one slot of a decision.
    pub(super) fn count(
        &mut self,
        bundle: &Bundle,
        placement: &Placement,
        offer: &Offer,
        (decision, slot, at): (DecisionId, u16, Timestamp),
    ) {
        let reserved_until = at.plus(placement.reservation);
        let known = |kind: &SubjectKind| self.first.iter().chain(&self.beside).any(|one| one.stands_for.has(*kind));
        let unknown =
            SubjectKind::ALL.into_iter().filter(|kind| !known(kind)).fold(SubjectKinds::NONE, SubjectKinds::and);
        if bundle.lets_through(unknown) {
            let chosen = policy::Chosen { decision, slot, at, reserved_until, stands_for: unknown };
            policy::count_contact(bundle, placement, offer, &mut self.answer, &chosen);
        }
        for one in self.first.iter_mut().chain(&mut self.beside) {
            let chosen = policy::Chosen { decision, slot, at, reserved_until, stands_for: one.stands_for };
            one.changed |= policy::count_contact(bundle, placement, offer, &mut one.state, &chosen);
            one.state.last_at = Some(at);
        }
    }

    /// The next states. Whom the decision is for changes with every answer that shows something; of those beside, one
    /// for which nothing was counted stays as it was, so that members of a household do not keep one another waiting
    /// where no cap of theirs counts.
    pub(super) fn changed(self) -> (Option<SubjectState>, Vec<Option<SubjectState>>) {
        let beside = self.beside.into_iter().map(|one| one.changed.then_some(one.state)).collect();
        (self.first.map(|one| one.state), beside)
    }
}
