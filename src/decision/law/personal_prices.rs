//! The plain reading of personalised prices: which prices are special, what of a customer moves them, and how far those
//! of one product lie apart. Shares nothing with what decides.

use std::collections::BTreeSet;

use super::asked::Asked;
use super::chance::Chance;
use super::money::earns;
use super::written::{Kind, Says, Written, lies_in};
use crate::domain::Offer;

struct Personal {
    allowed: Option<&'static [&'static str]>,
    same_as: Option<&'static str>,
    /// In percent.
    spread: Option<i64>,
    tells: bool,
    banned: &'static [&'static str],
}

pub(super) fn any(chance: &mut Chance) -> Box<dyn Kind> {
    let lists: [&[&str]; 4] =
        [&[], &["customer.tier"], &["customer.tier", "customer.points"], &["customer.member", "customer.brand"]];
    let (mut allowed, mut banned): (Option<&[&str]>, &[&str]) = (None, &[]);
    let (mut same_as, mut spread, mut tells) = (None, None, chance.often(5));
    for _ in 0..=chance.below(3) {
        match chance.below(5) {
            0 => allowed = Some(chance.one(&lists)),
            1 => banned = chance.one(&[&["US-NY"] as &[&str], &["EU"], &["US", "FR"]]),
            2 => tells = true,
            _ => {
                same_as = Some(chance.one(&["offer.product", "offer.product", "offer.brand"]));
                spread = chance.maybe(6, &[1, 25, 50, 90, 100]);
            }
        }
    }
    if allowed.is_none() && banned.is_empty() && same_as.is_none() {
        tells = true;
    }
    Box::new(Personal { allowed, same_as, spread, tells, banned })
}

/// Whether two offers are the same by an attribute. What has none of it is like no other.
fn alike(by: &str, a: &Offer, b: &Offer) -> bool {
    let name = &by["offer.".len()..];
    a.attributes.get(name).is_some_and(|value| b.attributes.get(name) == Some(value))
}

/// Whether two offers sell the same, by what some rule here says.
fn same(asked: &Asked<'_>, a: &Offer, b: &Offer) -> bool {
    a.offer_id == b.offer_id || asked.same_by.iter().any(|by| alike(by, a, b))
}

/// What of the customer moves the price of an offer, where that is not the price of everybody.
pub(super) fn moved(asked: &Asked<'_>, offer: &Offer) -> BTreeSet<String> {
    let (net, mut there) = (|offer: &Offer| earns(offer).1, asked.considered());
    let special =
        net(offer) < offer.price.minor || there.any(|other| same(asked, offer, other) && net(other) != net(offer));
    if !special {
        return BTreeSet::new();
    }
    let spot = &asked.town.spots[asked.spot];
    let mut weighed: BTreeSet<&str> =
        if spot.strategy == "greedy" { spot.features.iter().copied().collect() } else { BTreeSet::new() };
    weighed
        .retain(|name| asked.used.contains_key(*name) && !asked.kept_from.contains(&((*name).to_owned(), "feature")));
    let mut read = BTreeSet::new();
    for rule in asked.town.rules.iter().filter(|rule| rule.is_condition() && rule.holds(asked)) {
        let mut others = asked.town.offers.values();
        if others.any(|other| same(asked, offer, other) && rule.applies(asked, other)) {
            read.extend(rule.kind.names());
        }
    }
    read.retain(|name| asked.seen.contains_key(*name));
    let moving = weighed.into_iter().chain(read);
    moving.filter(|name| name.starts_with("customer.")).map(str::to_owned).collect()
}

/// The rule whose words stand beside the price of an offer.
pub(super) fn told(asked: &Asked<'_>, offer: &Offer) -> Option<String> {
    let tells = |rule: &&Written| {
        rule.kind.tells() && rule.severity != "shadow" && rule.holds(asked) && rule.applies(asked, offer)
    };
    asked.town.rules.iter().find(tells).map(|rule| rule.id.clone())
}

impl Personal {
    /// How far an offer lies under the dearest of its product, where that is further than it may.
    fn apart(&self, rule: &Written, asked: &Asked<'_>, offer: &Offer) -> Option<(Option<i64>, Option<i64>)> {
        let (by, most) = (self.same_as?, self.spread? * 100);
        if !alike(by, offer, offer) {
            return (!rule.allows_missing).then_some((None, None));
        }
        let counts = |other: &&Offer| {
            alike(by, offer, other) && rule.covers_offer(other) && other.price.currency.to_string() == "USD"
        };
        let dearest = asked.considered().filter(counts).map(|other| earns(other).1).max().filter(|net| *net > 0)?;
        let less = dearest - earns(offer).1;
        let further = less * 10_000 > most * dearest;
        // The least share in hundredths of a percent that is not smaller.
        let share = || (most..=1_000_000_000).find(|share| less * 10_000 <= share * dearest);
        further.then(|| (share(), Some(most)))
    }
}

impl Kind for Personal {
    fn text(&self) -> String {
        let mut fields = Vec::new();
        fields.extend(self.allowed.map(|names| format!("allowed: [{}]", names.join(", "))));
        fields.extend(self.same_as.map(|name| format!("same_as: {name}")));
        fields.extend(self.spread.map(|spread| format!("max_spread: {spread}%")));
        if self.tells {
            fields.push("disclosure: It was made for you".to_owned());
        }
        if !self.banned.is_empty() {
            fields.push(format!("banned_in: [{}]", self.banned.join(", ")));
        }
        fields.join(", ")
    }

    fn says(&self, rule: &Written, asked: &Asked<'_>, offer: &Offer) -> Says {
        let banned = lies_in(self.banned, asked.from.as_deref()) != Some(false) && !self.banned.is_empty();
        let unapproved = |name: &String| asked.kept_from.contains(&(name.clone(), "price"));
        let barred = |name: &&String| {
            banned || unapproved(name) || self.allowed.is_some_and(|allowed| !allowed.contains(&name.as_str()))
        };
        let barred = moved(asked, offer).iter().filter(barred).count();
        let barred = (barred > 0).then(|| (i64::try_from(barred).ok(), Some(0)));
        Says { against: self.apart(rule, asked, offer).or(barred), reading: None }
    }

    fn reads(&self) -> bool {
        self.spread.is_some()
    }

    fn same_as(&self) -> Option<&'static str> {
        self.same_as
    }

    fn may_move(&self, name: &str) -> bool {
        name.starts_with("customer.") && self.allowed.is_none_or(|allowed| allowed.contains(&name))
    }

    fn tells(&self) -> bool {
        self.tells
    }
}
