//! Consents, signals and what was withheld for want of them, in words. Judges nothing.

use crate::domain::ConsentState;
use crate::domain::decision::{ConsentReading, Private, Skeleton, Withheld};
use crate::policy::Bundle;

/// What the gates read, a sentence each.
pub(super) fn told(private: &Private, skeleton: &Skeleton, bundle: &Bundle) -> Vec<String> {
    let consent = &private.consent;
    let mut told: Vec<String> = consent.readings.iter().map(|reading| read(reading, skeleton)).collect();
    if consent.signal == Some(true) {
        let mut obeying: Vec<String> = Vec::new();
        for reading in &consent.readings {
            let named = format!("`{}`", reading.purpose);
            let obeys = bundle.purposes.get(&reading.purpose).is_some_and(|spec| spec.obeys_signal);
            if obeys && !obeying.contains(&named) {
                obeying.push(named);
            }
        }
        let obeyed = match obeying.as_slice() {
            [] => "no purpose asked for obeys it".to_owned(),
            [one] => format!("purpose {one} obeys it"),
            many => format!("purposes {} obey it", many.join(" and ")),
        };
        told.push(format!("The request carried the signal of Global Privacy Control (`Sec-GPC: 1`): {obeyed}."));
    }
    if let Some(unlearned) = &skeleton.terms.unlearned {
        let gates: Vec<String> =
            unlearned.rules().filter_map(|gate| Some(format!("`{}`", bundle.rule(gate)?.id))).collect();
        let by = if gates.is_empty() { String::new() } else { format!(" by {}", gates.join(" and ")) };
        let purpose = &unlearned.purpose;
        told.push(format!("Purpose `{purpose}` was refused{by}, so nothing is learned from what follows."));
    }
    told
}

fn read(reading: &ConsentReading, skeleton: &Skeleton) -> String {
    let state = match reading.state {
        None => "no record".to_owned(),
        Some(state) => {
            let since = reading.valid_from.map_or_else(String::new, |at| format!(" since {at}"));
            let expired = reading.valid_until.filter(|until| *until <= skeleton.at);
            let expired = expired.map_or_else(String::new, |until| format!(", expired at {until}"));
            let basis = match (state, reading.basis) {
                (ConsentState::Granted, Some(basis)) => format!(" on the basis of {}", basis.name()),
                _ => String::new(),
            };
            let channel = reading.channel.as_ref().map(|channel| format!(" for `{channel}`")).unwrap_or_default();
            format!("{}{channel}{basis}{since}{expired}", state.name())
        }
    };
    format!("Consent read for `{}`: {state}.", reading.purpose)
}

/// Why an attribute was withheld.
pub(super) fn why(withheld: Withheld) -> &'static str {
    match withheld {
        Withheld::PurposeNotConsented => "the purpose decided under may not read it",
        Withheld::NotUsed => "no rule or feature here reads it",
        Withheld::Expired => "it was kept and no longer holds",
        Withheld::Undeclared => "it was kept and is no longer declared so",
        Withheld::NotApproved => "its use for this purpose is not approved",
        Withheld::GuardsOnly => "guards of audiences alone may read it",
        Withheld::FeatureNotApproved => "rules read it; that features do is not approved",
        Withheld::RuleNotApproved => "features read it; that rules do is not approved",
        Withheld::GuardNotApproved => "that guards of audiences read it is not approved",
        Withheld::PriceNotApproved => "that it moves prices is not approved",
    }
}
