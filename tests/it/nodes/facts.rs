//! Facts: what the records of the town's decisions say, opened from the store. The one place here that reads records.

use std::collections::BTreeMap;

use proffer::config::keyfile::Keys;
use proffer::domain::decision::FallbackReason;
use proffer::domain::{ConsentState, DecisionId, Digest, SubjectId};
use proffer::store::Store;

use super::town::Edition;
use crate::crash::ground;

/// One decision as its record tells it.
pub struct Fact {
    pub id: DecisionId,
    pub subject: SubjectId,
    /// Version of the subject's state that was read; nothing where none was.
    pub version: Option<u64>,
    /// The offer that was drawn; nothing for house content.
    pub drawn: Option<String>,
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
    /// The week's counter as it was read, with its limit, where it was above zero.
    pub counted: Option<(u32, u32)>,
    /// What does not fit the bundle that the record names.
    pub wrong: Vec<String>,
}

/// Every decision of the store, by id.
pub async fn read(store: &dyn Store, keys: &Keys, editions: [&Edition; 2]) -> BTreeMap<DecisionId, Fact> {
    let ground = ground::read(store, keys).await;
    ground.iter().map(|decision| (decision.stored.decision_id, fact(decision, editions))).collect()
}

fn rule(edition: &Edition, id: &str) -> usize {
    edition.bundle.rules.iter().position(|rule| rule.id.as_str() == id).unwrap()
}

fn fact(decision: &ground::Opened, editions: [&Edition; 2]) -> Fact {
    let (skeleton, private) = (&decision.skeleton, &decision.private);
    let edition = editions.into_iter().find(|edition| edition.hash() == skeleton.bundle);
    let week = edition.map(|edition| rule(edition, "cap.all.week"));
    let mut counted = private.contacts.readings.iter().filter(|reading| Some(usize::from(reading.rule)) == week);
    Fact {
        id: skeleton.decision_id,
        subject: decision.stored.subject.unwrap(),
        version: private.subject.read.map(|read| read.version),
        drawn: skeleton.chosen().next().map(|(_, shown, _)| shown.offer.to_string()),
        contended: skeleton.fallback == Some(FallbackReason::Contention),
        exhausted: skeleton.fallback == Some(FallbackReason::NoEligibleCandidate),
        attempt: skeleton.attempt,
        bundle: skeleton.bundle,
        control_sequence: skeleton.control_sequence,
        catalogue: skeleton.catalogue_revision,
        consent: private.consent.readings.first().and_then(|reading| reading.state),
        counted: counted.next().map(|reading| (reading.used, reading.limit)),
        wrong: match edition {
            Some(edition) => floors(decision, edition),
            None => vec!["it names a bundle that nobody activated".to_owned()],
        },
    }
}

/// The floor of the record's own bundle, applied to every candidate again.
fn floors(decision: &ground::Opened, edition: &Edition) -> Vec<String> {
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
        if row.failed.iter().any(|failed| usize::from(failed.rule) >= edition.bundle.rules.len()) {
            wrong.push(format!("candidate {:?} names a rule that the bundle does not have", row.candidate));
        }
    }
    // Over the answer: what stands in the slots before, with each that might still have stood there.
    let (mut before, mut count) = (0, 0);
    for slot in &decision.skeleton.slots {
        let margin = |row: usize| decision.skeleton.candidates[row].margin_minor;
        for (row, probability) in slot.probabilities.iter().enumerate() {
            if probability.is_some() && (before + margin(row)) * 10 < edition.floor * (count + 1) {
                wrong.push(format!("candidate {row} stood behind {before} of {count} and both are under the floor"));
            }
        }
        (before, count) = (before + margin(slot.draw.chosen as usize), count + 1);
    }
    wrong
}
