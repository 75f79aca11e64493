//! Merchandise: built-in rules by which an offer's own schedule and its campaign leave it out. Written by nobody, they
//! hold everywhere; they read the catalogue and the time alone. What may run out is asked apart.
//!
//! What they compare are instants, in milliseconds: `observed` is the decision's time and `limit` the start or the end
//! that decided. Of an announced pause there is only its end, as `limit`.

use super::rules::{Rule, RuleKind};
use crate::domain::decision::Failed;
use crate::domain::{Belongs, Catalogue, Currency, Money, Offer, Standing, Timestamp};

/// How campaigns stand at one instant, so that each is asked once per decision and not once per offer.
pub struct Merchandise<'a> {
    catalogue: &'a Catalogue,
    now: Timestamp,
    campaigns: Vec<Standing>,
    /// Positions of the rules about schedule and campaign.
    rules: [Option<u16>; 2],
}

impl<'a> Merchandise<'a> {
    /// What stands how in a catalogue at an instant; `rules` are their [`positions`].
    pub(super) fn at(rules: [Option<u16>; 2], catalogue: &'a Catalogue, now: Timestamp) -> Self {
        Self {
            catalogue,
            now,
            campaigns: catalogue.campaigns().values().map(|campaign| campaign.standing(now)).collect(),
            rules,
        }
    }

    /// Adds every one of these rules that leaves out an offer, given with its position in the catalogue.
    pub fn fail(&self, at: usize, offer: &Offer, failed: &mut Vec<Failed>) {
        let [schedule, campaign] = self.rules;
        let mut fail = |rule: Option<u16>, (observed, limit): Compared| {
            failed.extend(rule.map(|rule| Failed { rule, observed, limit }));
        };
        if let Some(compared) = self.compared(offer.standing(self.now)) {
            fail(schedule, compared);
        }
        match self.catalogue.belongs(at) {
            Belongs::Alone => {}
            Belongs::Unknown => fail(campaign, (None, None)),
            Belongs::To(which) => {
                let standing = self.campaigns.get(which).copied().unwrap_or(Standing::Running);
                if let Some(compared) = self.compared(standing) {
                    fail(campaign, compared);
                }
            }
        }
    }

    /// What a record keeps of a standing that is not running.
    fn compared(&self, standing: Standing) -> Option<Compared> {
        let now = Some(self.now.0);
        match standing {
            Standing::Running => None,
            Standing::Paused => Some((now, None)),
            Standing::StartsAt(at) | Standing::EndedAt(at) => Some((now, Some(at.0))),
            Standing::PausedUntil(until) => Some((None, Some(until.0))),
        }
    }
}

/// Positions of the rules about schedule and campaign.
pub(super) fn positions(rules: &[Rule]) -> [Option<u16>; 2] {
    [RuleKind::Schedule, RuleKind::Campaign].map(|kind| {
        let at = rules.iter().position(|rule| rule.kind == kind);
        at.and_then(|at| u16::try_from(at).ok())
    })
}

type Compared = (Option<i64>, Option<i64>);

/// A standing in words, from what a record kept of it; nothing where it kept nothing.
pub(super) fn told(what: &str, observed: Option<i64>, limit: Option<i64>) -> Option<String> {
    Some(match (observed, limit.map(Timestamp)) {
        (None, None) => return None,
        (Some(_), None) => format!("{what} is paused"),
        (None, Some(until)) => format!("{what} is paused until {until}"),
        (Some(now), Some(end)) if end.0 <= now => format!("{what} ended at {end}"),
        (Some(_), Some(start)) => format!("{what} starts at {start}"),
    })
}

/// That nothing of the stock is left, in words: so many units are gone of so many that there are.
pub(super) fn told_stock(observed: Option<i64>, limit: Option<i64>) -> String {
    match (observed, limit) {
        (Some(gone), Some(1..)) if gone > 0 => {
            format!("all {} units there are of it are ordered or reserved", limit.unwrap_or(gone))
        }
        _ => "the offer is sold out".to_owned(),
    }
}

/// That too little is left of a campaign's budget, in words.
pub(super) fn told_spent(observed: Option<i64>, limit: Option<i64>, currency: Currency) -> String {
    let money = |minor: Option<i64>| Money { minor: minor.unwrap_or_default(), currency };
    format!("of the campaign's budget of {} {} is spent or reserved", money(limit), money(observed))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Campaign;
    use crate::policy::{describe, sample};

    fn catalogue(offer: &serde_json::Value, campaign: &serde_json::Value) -> Catalogue {
        let mut whole = json!({
            "offer_id": "a", "price": {"amount": "20.00", "currency": "USD"}, "variants": [{"variant_id": "a"}],
        });
        whole.as_object_mut().unwrap().extend(offer.as_object().unwrap().clone());
        let mut named = json!({"campaign_id": "spring", "owner": "toys"});
        named.as_object_mut().unwrap().extend(campaign.as_object().unwrap().clone());
        let campaign: Campaign = serde_json::from_value(named).unwrap();
        Catalogue::new(1, vec![serde_json::from_value(whole).unwrap()], vec![campaign])
    }

    fn check(offer: &serde_json::Value, campaign: &serde_json::Value, at: &str, expected: &[&str]) {
        let (bundle, catalogue) = (sample::bundle(), catalogue(offer, campaign));
        let merchandise = Merchandise::at(positions(&bundle.rules), &catalogue, Timestamp::parse(at).unwrap());
        let mut failed = Vec::new();
        merchandise.fail(0, &catalogue.offers()[0], &mut failed);
        let currency = Currency::parse("USD").unwrap();
        let told: Vec<String> =
            failed.iter().map(|f| describe(&bundle, f.rule, f.observed, f.limit, currency)).collect();
        assert_eq!(told, expected, "at {at}");
    }

    const SCHEDULE: &str = "`proffer.schedule` (an offer is shown only within its own schedule)";
    const CAMPAIGN: &str = "`proffer.campaign` (an offer is shown only while its campaign runs)";

    #[test]
    fn an_offer_starts_pauses_and_ends_by_the_time_of_the_decision() {
        let offer = json!({
            "starts_at": "2026-03-01T08:00:00Z", "ends_at": "2026-03-31T22:00:00Z",
            "pauses": [{"from": "2026-03-10T00:00:00Z", "until": "2026-03-11T00:00:00Z"}],
        });
        let says = |what: &str| format!("{SCHEDULE}: the offer {what}");
        let none = json!({});
        check(&offer, &none, "2026-03-01T07:59:59.999Z", &[&says("starts at 2026-03-01T08:00:00.000Z")]);
        check(&offer, &none, "2026-03-01T08:00:00Z", &[]);
        check(&offer, &none, "2026-03-10T00:00:00Z", &[&says("is paused until 2026-03-11T00:00:00.000Z")]);
        check(&offer, &none, "2026-03-11T00:00:00Z", &[]);
        check(&offer, &none, "2026-03-31T22:00:00Z", &[&says("ended at 2026-03-31T22:00:00.000Z")]);
    }

    #[test]
    fn an_offer_runs_only_while_its_campaign_does_and_every_reason_is_kept() {
        let campaign = json!({"status": "paused"});
        let named = json!({"campaign": "spring", "stock": 0});
        let says = |what: &str| format!("{CAMPAIGN}: {what}");
        let now = "2026-03-01T08:00:00Z";
        check(&named, &campaign, now, &[&says("its campaign is paused")]);
        check(&named, &json!({}), now, &[]);
        let ended = json!({"ends_at": now});
        check(&json!({"campaign": "spring"}), &ended, now, &[&says("its campaign ended at 2026-03-01T08:00:00.000Z")]);
        check(&json!({"campaign": "gone"}), &json!({}), now, &[&says("its campaign is not in the catalogue")]);
    }
}
