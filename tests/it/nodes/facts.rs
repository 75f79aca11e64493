//! Facts: what the records of the town's decisions say, opened from the store. The one place here that reads records.

use std::collections::BTreeMap;

use proffer::config::keyfile::Keys;
use proffer::domain::decision::FallbackReason;
use proffer::domain::{ConsentState, DecisionId, Digest, SubjectId, SubjectKind};
use proffer::store::Store;

use super::town::{CHANNELS, Edition, OFFERS};
use crate::crash::ground::{self, Opened};

/// One state that was read: whose, and at which version.
#[derive(Clone, Copy)]
pub struct Read {
    pub kind: SubjectKind,
    pub subject: SubjectId,
    pub version: u64,
}

/// One decision as its record tells it.
pub struct Fact {
    pub id: DecisionId,
    /// The states that were read, the customer's first; none where nothing was.
    pub read: Vec<Read>,
    pub contended: bool,
    /// No candidate was left.
    pub exhausted: bool,
    /// How often it was decided on state that proved stale.
    pub attempt: u16,
    pub bundle: Digest,
    pub control_sequence: u64,
    pub catalogue: u64,
    /// The consent as it was read.
    pub consent: Option<ConsentState>,
    /// What was drawn, slot by slot; nothing where house content was answered.
    pub shown: Vec<u32>,
    /// The channel, and for how many milliseconds what is not seen is reserved.
    pub channel: (&'static str, i64),
    /// The floor over the answer left something out.
    pub answer_floored: bool,
    /// The position of the one switch that may be set beside the bundle.
    pub switch: Option<u16>,
    /// The record itself.
    pub opened: Opened,
    /// What does not fit the bundle that the record names.
    pub wrong: Vec<String>,
}

/// Every decision of the store, by id.
pub async fn read(store: &dyn Store, keys: &Keys, editions: [&Edition; 2]) -> BTreeMap<DecisionId, Fact> {
    let ground = ground::read(store, keys).await;
    ground.into_iter().map(|decision| (decision.stored.decision_id, fact(decision, editions))).collect()
}

impl Fact {
    /// Whose state a cap for this kind counts in: a session stands for whom the request does not name.
    pub fn whose(&self, kind: SubjectKind) -> Option<Read> {
        let of = |kind| self.read.iter().copied().find(|read| read.kind == kind);
        of(kind).or_else(|| of(SubjectKind::Session))
    }

    /// The number of the offer of a row; nothing for the house's.
    pub fn offer_of(&self, row: u32) -> Option<u32> {
        // By id the house's stands before all others.
        self.opened.skeleton.candidates[row as usize].candidate.unwrap().checked_sub(1)
    }
}

/// The position of a rule in the bundle.
pub fn rule(edition: &Edition, id: &str) -> usize {
    edition.bundle.rules.iter().position(|rule| rule.id.as_str() == id).unwrap()
}

fn fact(decision: Opened, editions: [&Edition; 2]) -> Fact {
    let (skeleton, private) = (&decision.skeleton, &decision.private);
    let edition = editions.into_iter().find(|edition| edition.hash() == skeleton.bundle);
    let (_, channel, reserved) = *CHANNELS.iter().find(|(id, ..)| *id == skeleton.placement.as_str()).unwrap();
    let read = private.subject.read.iter().chain(private.subject.beside.iter().flatten());
    let number = |offer: &str| offer.strip_prefix("offer-").unwrap().parse().unwrap();
    let answer = edition.map(|edition| rule(edition, "margin.answer"));
    let shown = skeleton.chosen().map(|(_, shown, _)| number(shown.offer.as_str())).collect();
    let mut behind = skeleton.slots.iter().flat_map(|slot| &slot.left_out).flat_map(|out| &out.failed);
    Fact {
        id: skeleton.decision_id,
        read: read.map(|read| Read { kind: read.kind, subject: read.subject, version: read.version }).collect(),
        contended: skeleton.fallback == Some(FallbackReason::Contention),
        exhausted: skeleton.fallback == Some(FallbackReason::NoEligibleCandidate),
        attempt: skeleton.attempt,
        bundle: skeleton.bundle,
        control_sequence: skeleton.control_sequence,
        catalogue: skeleton.catalogue_revision,
        consent: private.consent.readings.first().and_then(|reading| reading.state),
        shown,
        channel: (channel, reserved),
        switch: edition.map(|edition| {
            // Behind every kind but the last built-in rule.
            let last = edition.bundle.rules.len() - 1;
            assert_eq!(edition.bundle.rules[last].id.as_str(), "proffer.budget");
            u16::try_from(last).unwrap()
        }),
        answer_floored: behind.any(|failed| Some(usize::from(failed.rule)) == answer),
        wrong: match edition {
            Some(edition) => floors(&decision, edition),
            None => vec!["it names a bundle that nobody activated".to_owned()],
        },
        opened: decision,
    }
}

/// The floor of the record's own bundle, applied to every candidate again.
fn floors(decision: &Opened, edition: &Edition) -> Vec<String> {
    let at = rule(edition, "margin.floor");
    let mut wrong = Vec::new();
    for row in &decision.skeleton.candidates {
        let failed = row.failed.iter().find(|failed| usize::from(failed.rule) == at);
        let limit = failed.map(|failed| failed.limit);
        // Every price is ten dollars, so that a margin in cents is ten times its percentage.
        let below = row.margin_minor * 10 < edition.floor;
        if limit != below.then_some(Some(edition.floor)) {
            wrong.push(format!("candidate {:?} earns {} and failed {failed:?}", row.candidate, row.margin_minor));
        }
        if row.candidate.is_none_or(|candidate| candidate > OFFERS) {
            wrong.push(format!("nobody offers candidate {:?}", row.candidate));
        }
        if row.failed.iter().any(|failed| usize::from(failed.rule) >= edition.bundle.rules.len()) {
            wrong.push(format!("candidate {:?} names a rule that the bundle does not have", row.candidate));
        }
    }
    // Over the answer: what stands in the slots before, with each that might still have stood there.
    let (mut before, mut count) = (0, 0);
    for slot in &decision.skeleton.slots {
        let margin = |row: usize| decision.skeleton.candidates[row].margin_minor;
        for (row, probability) in slot.probabilities.iter().enumerate() {
            if probability.is_some() && (before + margin(row)) * 10 < edition.floor_of_answer * (count + 1) {
                wrong.push(format!("candidate {row} stood behind {before} of {count} and both are under the floor"));
            }
        }
        (before, count) = (before + margin(slot.draw.chosen as usize), count + 1);
    }
    wrong
}
