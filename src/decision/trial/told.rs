//! A trial in words: what was given, and why a rule left an offer out or did not. Judges nothing.

use std::collections::BTreeMap;

use crate::decision::assess::Assessed;
use crate::domain::decision::Failed;
use crate::domain::money::print_decimal;
use crate::domain::{AttributeId, Money, Offer, OfferStatus, Placement, RuleId, Timestamp, Value};
use crate::policy::{
    Bundle, Case, FloorLimit, FloorOver, Guard, Observed, Person, Rule, RuleKind, basket_margin, describe,
    describe_observed,
};

/// One case with what the rules saw of it.
pub(super) struct Seen<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) placement: &'a Placement,
    pub(super) case: &'a Case,
    pub(super) assessed: &'a Assessed<'a>,
}

impl Seen<'_> {
    /// What was given, a line each.
    pub(super) fn given(&self) -> Vec<String> {
        let case = self.case;
        let zone = self.zone();
        let place = case.jurisdiction.as_ref().map_or("no jurisdiction".to_owned(), Clone::clone);
        let mut lines =
            vec![format!("`{}` at {} ({zone}), {place}", case.placement, clock(case.at, zone, "%a %Y-%m-%d %H:%M"))];
        lines.extend(case.gpc.then(|| "the request carries `Sec-GPC: 1`".to_owned()));
        lines.extend(case.store.as_ref().map(|store| format!("in the store `{store}`")));
        lines.push(match &case.customer {
            Some(person) => somebody(person, case.at),
            None => "nobody is known".to_owned(),
        });
        let sent: Vec<String> = case.context.iter().map(|(name, value)| format!("context.{name} {value}")).collect();
        lines.extend((!sent.is_empty()).then(|| sent.join(", ")));
        let things = case.basket.iter().map(|line| {
            let price = line.price.map_or_else(|| "no price".to_owned(), |price| price.to_string());
            let category = line.category.as_ref().map(|category| format!(" ({category})")).unwrap_or_default();
            let earns = line.margin.map(|margin| format!(", earning {margin}")).unwrap_or_default();
            format!("{} {}{category} at {price}{earns}", line.quantity, line.sku)
        });
        let things: Vec<String> = things.collect();
        lines.extend((!things.is_empty()).then(|| format!("in the basket: {}", things.join(", "))));
        let before: Vec<&str> = case.behind.iter().map(crate::domain::OfferId::as_str).collect();
        lines.extend((!before.is_empty()).then(|| format!("in the slots before: {}", before.join(", "))));
        if let Some(refused) = &self.assessed.purpose.refused {
            let under = &self.assessed.purpose.decided_under;
            let instead = if *under == refused.purpose { String::new() } else { format!(": `{under}` instead, and") };
            lines.push(format!("`{}` is refused{instead} nothing personal is read", refused.purpose));
        }
        lines
    }

    /// Why no rule was asked about an offer.
    pub(super) fn no_candidate(&self, offer: &Offer) -> String {
        let why = if offer.offer_id == self.placement.fallback.offer {
            format!("it is what `{}` falls back to", self.placement.id)
        } else if offer.status == OfferStatus::Paused {
            "it is paused".to_owned()
        } else {
            "the catalogue does not let it stand".to_owned()
        };
        format!("`{}` is no candidate here, so that no rule is asked: {why}", offer.offer_id)
    }

    /// That a gate refused, and what to do about it.
    pub(super) fn refused(&self, rule: u16) -> String {
        let why = describe(self.bundle, rule, None, None, self.placement.currency);
        let id = self.bundle.rule(rule).map_or(String::new(), |rule| rule.id.to_string());
        format!(
            "{why}; if that is meant, add `refused_by: [{id}]`, otherwise `consents: {{{}: granted}}`",
            self.placement.purpose
        )
    }

    /// Why a gate did not refuse.
    pub(super) fn not_refused(&self, id: &RuleId) -> String {
        let Some(rule) = self.bundle.rules.iter().find(|rule| rule.id == *id) else { return String::new() };
        let why = match &rule.kind {
            RuleKind::PurposeGate(gate) if gate.purpose != self.placement.purpose => {
                let (asking, asked) = (&self.placement.id, &self.placement.purpose);
                format!("it guards `{}`, and `{asking}` asks for `{asked}`", gate.purpose)
            }
            RuleKind::PurposeGate(gate) => match self.idle(rule, None) {
                Some(why) => why,
                None if self.assessed.purpose.closed_by.is_some() => {
                    "it leaves no other purpose, so that it leaves every offer out: write it there".to_owned()
                }
                None => format!("a consent for `{}` is in force", gate.purpose),
            },
            _ => "it is no gate: write it behind the offer that it leaves out".to_owned(),
        };
        named(rule, &why)
    }

    /// Why a rule is not asked at all, if so.
    fn idle(&self, rule: &Rule, offer: Option<&Offer>) -> Option<String> {
        if !rule.effective.holds(self.case.at) {
            return Some(format!("it is not in effect then, only {}", rule.effective.text));
        }
        let from = self.case.jurisdiction.as_deref();
        let from = if let RuleKind::PurposeGate { .. } = rule.kind {
            from
        } else {
            self.bundle.region(from, self.case.store.as_ref())
        };
        if !rule.in_force(self.case.at, from) {
            return Some("`applies_to` names other regions".to_owned());
        }
        if !rule.applies_to.covers_placement(self.placement) {
            return Some(format!("`applies_to` leaves `{}` out", self.placement.id));
        }
        let covers = offer.is_none_or(|offer| rule.applies_to.covers(self.placement, offer));
        (!covers).then(|| "`applies_to` leaves this offer out".to_owned())
    }

    fn zone(&self) -> &str {
        self.case.time_zone.as_deref().unwrap_or("UTC")
    }

    /// What a rule compared, in brackets.
    fn observed(&self, rule: u16, offer: &Offer) -> String {
        let (case, placement) = (self.case, self.placement);
        let seen = self.assessed.seen.first();
        let listed = |used: &BTreeMap<AttributeId, Value>| -> Vec<(AttributeId, Value)> {
            used.iter().map(|(id, value)| (id.clone(), value.clone())).collect()
        };
        let used = seen.map(|seen| listed(seen.used())).unwrap_or_default();
        let guarded = seen.map(|seen| listed(seen.guarded())).unwrap_or_default();
        let request = Observed {
            attributes: vec![&used],
            guarded: &guarded,
            withheld: seen.map(crate::policy::Seen::withheld).unwrap_or_default(),
            basket: &case.basket,
            jurisdiction: case.jurisdiction.as_deref(),
            store: case.store.as_ref(),
            local: self.bundle.local_time_read(placement, case.time_zone.as_deref(), case.at),
        };
        describe_observed(self.bundle, rule, (placement, case.at), Some(offer), Some(&request))
    }
}

/// An offer: what it earns and its attributes.
pub(super) fn about(offer: &Offer) -> String {
    let margin = Money { minor: offer.margin_minor(), currency: offer.currency() };
    let mut said = vec![format!("price {}", offer.price)];
    said.extend(offer.discount.map(|discount| format!("discount {discount}")));
    said.push(format!("margin {margin}{}", share(offer)));
    said.extend(offer.category.as_ref().map(|category| format!("category {category}")));
    said.extend(offer.attributes.iter().map(|(name, value)| format!("{name} {value}")));
    said.join(", ")
}

/// Why a rule left an offer out, with what it compared.
pub(super) fn why(seen: &Seen<'_>, offer: &Offer, failed: &Failed, used: Option<u32>) -> String {
    let before = seen.case.behind.iter();
    let before = before.filter_map(|id| seen.case.offers.iter().find(|offer| offer.offer_id == *id));
    let together: Vec<&Offer> = before.chain([offer]).collect();
    let basket = (seen.case.basket.as_slice(), seen.placement.currency);
    let observed = failed.observed.or(used.map(i64::from));
    let observed = observed.or_else(|| basket_margin(seen.bundle, failed.rule, basket, &together));
    let said = describe(seen.bundle, failed.rule, observed, failed.limit, seen.placement.currency);
    let values = match seen.bundle.rule(failed.rule).map(|rule| &rule.kind) {
        Some(RuleKind::FrequencyCap(_)) if seen.case.customer.is_none() => ": nobody is known to count for".to_owned(),
        _ => seen.observed(failed.rule, offer),
    };
    format!("{said}{values}")
}

/// Why a rule that was expected to did not leave an offer out.
pub(super) fn why_not(
    seen: &Seen<'_>,
    offer: &Offer,
    (id, notes): (&RuleId, bool),
    used: &[(u16, u32)],
    behind: bool,
) -> String {
    let found = (0_u16..).zip(&seen.bundle.rules).find(|(_, rule)| rule.id == *id);
    let Some((at, rule)) = found else { return String::new() };
    if let RuleKind::PurposeGate(gate) = &rule.kind {
        if seen.assessed.purpose.prices.as_ref().is_some_and(|(prices, _)| *prices == gate.purpose) {
            return named(rule, "nothing of the customer moves its price, or a consent for it is in force");
        }
        return named(rule, "it leaves out every offer or none; a refusal goes into `refused_by`");
    }
    if let Some(why) = seen.idle(rule, Some(offer)) {
        return named(rule, &why);
    }
    if notes && rule.lifts() {
        return named(rule, "nothing leaves the offer out that it could lift, or it does not name the offer");
    }
    if rule.blocks() == notes {
        return named(
            rule,
            if notes {
                "it leaves offers out and does not only speak, and no override lifts it: write it in `expect`"
            } else {
                "its `severity` leaves no offer out, it only speaks: write it in `notes`"
            },
        );
    }
    let why = match &rule.kind {
        kind if kind.is_about_answers() && seen.case.behind.is_empty() => {
            "it is asked only where something stands before: add `behind: [...]`".to_owned()
        }
        kind if kind.is_about_answers() && !behind => "what other rules leave out is not asked about again".to_owned(),
        RuleKind::MarginFloor { min, over } if *over != FloorOver::Offer => {
            format!("the margin{} reaches {min}", over.told())
        }
        RuleKind::MarginFloor { min: FloorLimit::Percent(min), .. } => {
            format!("the margin of{} reaches {min}", share(offer).replace(['(', ')'], ""))
        }
        RuleKind::MarginFloor { min: FloorLimit::Amount(min), .. } => {
            let margin = Money { minor: offer.margin_minor(), currency: offer.currency() };
            format!("the margin of {margin} reaches {min}")
        }
        RuleKind::FrequencyCap(cap) => match used.iter().find(|(rule, _)| *rule == at) {
            Some((_, used)) => format!("{used} of {} are counted in {}", cap.max, cap.window),
            None => format!("none of {} is counted in {}", cap.max, cap.window),
        },
        RuleKind::Exclusion { when } | RuleKind::AudienceGuard(Guard { when, .. }) => {
            format!("`{}` does not hold{}", when.text(), seen.observed(at, offer))
        }
        RuleKind::Requirement { when } => format!("`{}` holds{}", when.text(), seen.observed(at, offer)),
        RuleKind::Availability(_) => format!("the offer is available{}", seen.observed(at, offer)),
        _ => "it was asked and let the offer through".to_owned(),
    };
    named(rule, &why)
}

fn named(rule: &Rule, why: &str) -> String {
    format!("`{}` ({}): {why}", rule.id, rule.why)
}

/// The margin as a share of the net price, in brackets.
fn share(offer: &Offer) -> String {
    let price = offer.net_price_minor();
    if price <= 0 {
        return String::new();
    }
    let points = (i128::from(offer.margin_minor()) * 10_000).div_euclid(i128::from(price));
    let text = print_decimal(i64::try_from(points).unwrap_or(i64::MAX), 2);
    format!(" ({}%)", text.trim_end_matches('0').trim_end_matches('.'))
}

fn somebody(person: &Person, now: Timestamp) -> String {
    let mut said: Vec<String> = person.attributes.iter().map(|(name, value)| format!("{name} {value}")).collect();
    said.extend(person.consents.iter().map(|entry| {
        let expired = if entry.valid_until.is_some_and(|until| until <= now) { " and expired" } else { "" };
        let channel = entry.channel.as_ref().map(|channel| format!(" for {channel}")).unwrap_or_default();
        let from = entry.jurisdiction.as_ref().map(|place| format!(" in {place}")).unwrap_or_default();
        format!("{} {}{channel}{from}{expired}", entry.purpose, entry.state.name())
    }));
    let shown = person.history.len();
    said.extend((shown > 0).then(|| format!("{shown} shown before")));
    let name = if person.name.is_empty() { "a customer".to_owned() } else { format!("`{}`", person.name) };
    if said.is_empty() { name } else { format!("{name}: {}", said.join(", ")) }
}

/// What a clock on the wall shows.
fn clock(at: Timestamp, zone: &str, format: &str) -> String {
    let zone = zone.parse().unwrap_or(chrono_tz::UTC);
    let at = chrono::DateTime::from_timestamp_millis(at.0).map(|at| at.with_timezone(&zone));
    at.map_or_else(String::new, |at| at.format(format).to_string())
}
