//! What one decision is asked: the request with its names, and the subject as it is read. Decides nothing.

use crate::bandit::DrawPurpose;
use crate::domain::{
    DecisionId, DecisionRequest, Digest, Purse, SubjectId, SubjectKind, SubjectKinds, SubjectState, Timestamp,
};
use crate::policy::States;

/// What is asked, with everything that names it.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The request.
    pub request: &'a DecisionRequest,
    /// Its digest.
    pub request_digest: Digest,
    /// The decision's name.
    pub decision_id: DecisionId,
    /// Whether the server minted the name.
    pub id_minted: bool,
    /// How often it was decided before on state that proved stale.
    pub attempt: u16,
    /// What its numbers are drawn for: a dry run draws others than the decision would.
    pub purpose: DrawPurpose,
    /// What was read kept changing: answer with the fallback and read no subject.
    pub contended: bool,
    /// What is known to be gone of what may run out.
    pub purse: &'a Purse,
}

/// A subject as a decision reads it.
#[derive(Debug, Clone, Copy)]
pub struct SubjectView<'a> {
    /// What kind.
    pub kind: SubjectKind,
    /// Internal id.
    pub subject: SubjectId,
    /// Version of the state.
    pub version: u64,
    /// The state.
    pub state: &'a SubjectState,
}

/// Every subject that a decision reads.
#[derive(Debug, Clone, Default)]
pub struct Subjects<'a> {
    /// The customer, else the session, that it is for; with what it stands for.
    pub first: Option<(SubjectView<'a>, SubjectKinds)>,
    /// Those beside: household, device, the customer's session.
    pub beside: Vec<(SubjectView<'a>, SubjectKinds)>,
}

impl<'a> Subjects<'a> {
    /// Each with what it stands for, in the order in which the request names them.
    pub fn of(views: impl IntoIterator<Item = (SubjectView<'a>, SubjectKinds)>) -> Self {
        let mut subjects = Self::default();
        for (view, stands_for) in views {
            if stands_for.has(SubjectKind::Customer) && subjects.first.is_none() {
                subjects.first = Some((view, stands_for));
            } else {
                subjects.beside.push((view, stands_for));
            }
        }
        subjects
    }

    /// Whom the decision is for.
    pub fn view(&self) -> Option<SubjectView<'a>> {
        self.first.map(|(view, _)| view)
    }

    fn each(&self) -> impl Iterator<Item = &(SubjectView<'a>, SubjectKinds)> {
        self.first.iter().chain(&self.beside)
    }

    /// The states, by what they stand for.
    pub fn states(&self) -> States<'a> {
        self.each().fold(States::default(), |states, (view, stands_for)| states.with(view.state, *stands_for))
    }

    /// The latest instant that any decision of any of them read.
    pub(super) fn last_at(&self) -> Option<Timestamp> {
        self.each().filter_map(|(view, _)| view.state.last_at).max()
    }
}

impl<'a> From<Option<SubjectView<'a>>> for Subjects<'a> {
    fn from(view: Option<SubjectView<'a>>) -> Self {
        Self { first: view.map(|view| (view, SubjectKinds::alone(view.kind))), beside: Vec::new() }
    }
}
