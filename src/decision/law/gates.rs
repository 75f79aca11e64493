//! The plain reading of gates: which purposes they leave, by everything that was ever said. Reads no condition.

use std::fmt::Write as _;

use super::asked::Asked;
use super::chance::Chance;
use super::town::HOUR;
use super::written::{Kind, Says, Written, lies_in};
use crate::domain::consent::{Basis, ConsentEntry};
use crate::domain::{ConsentState, Offer};

/// Guards a purpose.
struct Gate {
    purpose: &'static str,
    bases: &'static [Basis],
    opt_in: bool,
    /// In hours.
    age: Option<i64>,
}

pub(super) fn any(chance: &mut Chance) -> Box<dyn Kind> {
    let purposes = ["personal", "personal", "plain", "price_personalisation", "service", "model_training"];
    let purpose = chance.one(&purposes);
    let bases: &[Basis] = match purpose {
        "personal" | "model_training" if chance.often(3) => {
            chance.one(&[&[Basis::LegitimateInterest] as &[Basis], &[Basis::Consent], &[Basis::LegitimateInterest]])
        }
        "service" if chance.often(3) => &[Basis::Contract],
        _ => &[],
    };
    Box::new(Gate { purpose, bases, opt_in: chance.often(2), age: chance.maybe(2, &[1, 24]) })
}

impl Kind for Gate {
    fn text(&self) -> String {
        let mut text = format!("purpose: {}", self.purpose);
        if !self.bases.is_empty() {
            let names: Vec<&str> = self.bases.iter().map(|basis| basis.name()).collect();
            write!(text, ", bases: [{}]", names.join(", ")).unwrap();
        }
        if self.opt_in {
            text.push_str(", channel_opt_in: true");
        }
        text + &self.age.map_or_else(String::new, |hours| format!(", consent_age: {hours}h"))
    }

    /// It says nothing of single offers.
    fn says(&self, _: &Written, _: &Asked<'_>, _: &Offer) -> Says {
        Says::default()
    }

    fn guards(&self) -> Option<&'static str> {
        Some(self.purpose)
    }

    fn opens(&self, asked: &Asked<'_>) -> (bool, Read) {
        // A gate believes what the request says of where it comes from, and not the store.
        let from = asked.request.jurisdiction.as_deref();
        let (now, channel) = (asked.now, asked.channel());
        let said = asked.folk.customer().into_iter().flat_map(|person| person.said.iter().map(|(_, entry)| entry));
        let about = said.filter(|entry| entry.purpose.as_str() == self.purpose && entry.valid_from.0 <= now);
        let here = about.filter(|entry| entry.channel.as_deref().is_none_or(|named| named == channel));
        let here: Vec<&ConsentEntry> = here.collect();
        let counts = |entry: &&&ConsentEntry| {
            let there = entry.jurisdiction.as_deref().is_none_or(|named| lies_in(&[named], from) == Some(true));
            entry.state != ConsentState::Granted || there && (entry.channel.is_some() || !self.opt_in)
        };
        // Of two at the same instant the stricter.
        let newest = |entry: &&&ConsentEntry| (entry.valid_from, entry.state);
        let counting = here.iter().filter(counts).max_by_key(newest);
        let american = from.is_some_and(|from| from.starts_with("US"));
        let lawful = |basis: Basis| match (basis, self.purpose) {
            (Basis::Consent, _) => true,
            (Basis::LegitimateInterest, "personal" | "model_training") | (Basis::Contract, "service") => american,
            _ => false,
        };
        let open = counting.is_some_and(|entry| {
            entry.state == ConsentState::Granted
                && entry.valid_until.is_none_or(|until| until.0 > now)
                && self.age.is_none_or(|hours| now - entry.valid_from.0 <= hours * HOUR)
                && (self.bases.is_empty() || self.bases.contains(&entry.basis))
                && lawful(entry.basis)
        });
        let signalled = asked.request.privacy_signal == Some(true) && asked.town.obeying.contains(&self.purpose);
        let read = counting.or(here.iter().max_by_key(newest));
        (open && !signalled, (self.purpose, read.map(|entry| (entry.state, entry.valid_from))))
    }
}

/// What a gate read: for which purpose, and what was said of it.
pub(super) type Read = (&'static str, Option<(ConsentState, crate::domain::Timestamp)>);

/// What the gates leave.
#[derive(Default)]
pub(super) struct Gates {
    pub(super) purpose: &'static str,
    pub(super) refused_by: Vec<String>,
    pub(super) personal: bool,
    pub(super) closed_by: Option<String>,
    /// What refuses to let prices be moved.
    pub(super) prices: Vec<String>,
    /// What refuses to let anything be learned.
    pub(super) unlearned: Vec<String>,
    /// Whether guards of audiences may look.
    pub(super) guards: bool,
    pub(super) read: Vec<Read>,
}

impl Gates {
    /// The gates that refuse a purpose, by their ids.
    fn refusing(&mut self, asked: &Asked<'_>, purpose: &str) -> Vec<String> {
        let from = asked.request.jurisdiction.as_deref();
        let mut refusing = Vec::new();
        for rule in asked.town.rules.iter().filter(|rule| rule.kind.guards() == Some(purpose)) {
            let asks = rule.holds_at(asked.now) && rule.covers(from);
            if asks && rule.applies_here(asked.placement(), asked.channel()) {
                let (open, read) = rule.kind.opens(asked);
                self.read.push(read);
                refusing.extend((!open).then(|| rule.id.clone()));
            }
        }
        refusing
    }

    /// Asks the gates of the placement's own purpose and, where one refuses, those of what it falls back to; then those
    /// of what is asked whatever it is for.
    pub(super) fn ask(asked: &Asked<'_>) -> Self {
        let purpose = asked.town.spots[asked.spot].purpose;
        let mut gates = Self { purpose, guards: true, ..Self::default() };
        gates.refused_by = gates.refusing(asked, purpose);
        gates.personal = gates.refused_by.is_empty();
        if gates.personal {
            gates.prices = gates.refusing(asked, "price_personalisation");
        } else if purpose == "personal" {
            gates.purpose = "plain";
            gates.closed_by = gates.refusing(asked, "plain").first().cloned();
        } else {
            gates.closed_by = gates.refused_by.first().cloned();
        }
        gates.unlearned = gates.refusing(asked, "model_training");
        let here = |rule: &Written| rule.applies_here(asked.placement(), asked.channel());
        if asked.town.rules.iter().any(|rule| rule.list == "audience_guards" && here(rule)) {
            gates.guards = gates.refusing(asked, "service").is_empty();
        }
        gates
    }
}
