//! The plain reading of gates: which purpose they leave. Reads no condition.

use super::chance::Chance;
use super::town::{Asked, Town};
use super::written::{Kind, Says, Written};
use crate::domain::consent::Basis;
use crate::domain::{ConsentState, Offer};

/// Guards a purpose.
struct Gate(&'static str);

pub(super) fn any(chance: &mut Chance) -> Box<dyn Kind> {
    Box::new(Gate(chance.one(&["personal", "personal", "plain"])))
}

impl Kind for Gate {
    fn text(&self) -> String {
        format!("purpose: {}", self.0)
    }

    /// It says nothing of single offers.
    fn says(&self, _: &Written, _: &Asked<'_>, _: &Offer) -> Says {
        Says::default()
    }

    fn guards(&self) -> Option<&'static str> {
        Some(self.0)
    }
}

/// What the gates leave.
pub(super) struct Gates {
    pub(super) purpose: &'static str,
    pub(super) refused_by: Vec<String>,
    pub(super) personal: bool,
    pub(super) closed_by: Option<String>,
}

/// The gates that refuse a purpose, by their ids.
fn refusing(town: &Town, asked: &Asked<'_>, purpose: &str) -> Vec<String> {
    // A gate believes what the request says of where it comes from, and not the store.
    let from = asked.request.jurisdiction.as_deref();
    let of: Vec<_> = asked.person.iter().flat_map(|person| &person.consents).collect();
    let newest = of.iter().filter(|entry| entry.purpose.as_str() == purpose && entry.valid_from.0 <= asked.now);
    let newest = newest.max_by_key(|entry| entry.valid_from);
    let american = from.is_some_and(|from| from.starts_with("US"));
    let allowed = |basis: Basis| basis == Basis::Consent || purpose == "personal" && american;
    let open = newest.is_some_and(|entry| {
        entry.state == ConsentState::Granted
            && entry.valid_until.is_none_or(|until| until.0 > asked.now)
            && allowed(entry.basis)
    });
    let guards = |rule: &&Written| {
        rule.kind.guards() == Some(purpose)
            && rule.holds_at(asked.now)
            && rule.covers(from)
            && rule.applies_here(asked.placement(), asked.channel())
    };
    town.rules.iter().filter(|rule| guards(rule) && !open).map(|rule| rule.id.clone()).collect()
}

/// Asks the gates of the placement's own purpose and, where one refuses, those of what it falls back to.
pub(super) fn ask(town: &Town, asked: &Asked<'_>) -> Gates {
    let purpose = town.spots[asked.spot].purpose;
    let refused_by = refusing(town, asked, purpose);
    if refused_by.is_empty() {
        return Gates { purpose, refused_by, personal: true, closed_by: None };
    }
    if purpose == "personal" {
        let closed_by = refusing(town, asked, "plain").first().cloned();
        return Gates { purpose: "plain", refused_by, personal: false, closed_by };
    }
    let closed_by = refused_by.first().cloned();
    Gates { purpose, refused_by, personal: false, closed_by }
}
