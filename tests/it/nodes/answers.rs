//! Answers of the contest, compared with what their records say and with what had been acknowledged. Asks nothing.

use std::collections::BTreeMap;

use proffer::domain::{ConsentState, DecisionId, Digest};
use proffer::store::Activation;

use super::counting::Between;
use super::facts::Fact;
use super::switching;

/// An answer with what it had to keep to.
pub struct Told {
    pub id: DecisionId,
    pub customer: u64,
    /// When it was asked for and answered, on the clients' clock.
    pub between: Between,
    pub bundle: String,
    pub catalogue: u64,
    /// The import whose content was shown.
    pub content: Option<u64>,
    pub house: bool,
    pub bundles: Vec<Digest>,
    pub revisions: Vec<u64>,
    pub consents: Vec<ConsentState>,
    /// Whether the switch stopped its offer.
    pub stopped: Vec<bool>,
}

/// What is wrong with the answers, compared with what their records say and what had been acknowledged.
pub fn answers(told: &[Told], imports: &BTreeMap<u64, u64>, facts: &BTreeMap<DecisionId, Fact>) -> Vec<String> {
    let mut wrong = Vec::new();
    for told in told {
        let Some(fact) = facts.get(&told.id) else {
            wrong.push(format!("decision {} was answered and is not stored", told.id));
            continue;
        };
        let mut check = |fits: bool, what: &str| {
            if !fits {
                wrong.push(format!("decision {} of c-{}: {what}", told.id, told.customer));
            }
        };
        check(told.bundles.contains(&fact.bundle), "it was made under a bundle that had been replaced before it");
        check(told.bundle == format!("b3:{}", fact.bundle.hex()), "its answer names another bundle than its record");
        check(told.revisions.contains(&fact.catalogue), "it was made over offers that had been replaced before it");
        check(told.catalogue == fact.catalogue, "its answer names another catalogue than its record");
        let content = told.content.and_then(|import| imports.get(&import));
        check(content == Some(&fact.catalogue), "its content is not of the catalogue that it names");
        check(told.house == fact.shown.is_empty(), "its record and its answer differ about the house content");
        // A contended one reads no consent.
        let consent = fact.consent.filter(|_| !fact.contended);
        check(
            consent.is_none_or(|read| told.consents.contains(&read)),
            "it read a consent that had been changed before",
        );
        let allowed = fact.consent == Some(ConsentState::Granted);
        check(fact.shown.is_empty() || allowed, "it was drawn without a consent in force");
        if let Some(what) = switching::wrong(fact, &told.stopped) {
            check(false, what);
        }
        for what in &fact.wrong {
            check(false, what);
        }
    }
    wrong
}

/// The bundle of every record is the one that was active at the control row it names.
pub fn history(activations: &[Activation], facts: &BTreeMap<DecisionId, Fact>) -> Vec<String> {
    let active = |sequence| activations.iter().find(|activation| activation.sequence <= sequence).map(|it| it.hash);
    let strange = facts.values().filter(|fact| active(fact.control_sequence) != Some(fact.bundle));
    strange.map(|fact| format!("decision {}: another bundle was active at its control row", fact.id)).collect()
}
